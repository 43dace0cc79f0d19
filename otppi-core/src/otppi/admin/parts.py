"""What the pages work on."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from otppi.admin.blocks.declared import DeclaredPages
from otppi.admin.live.log import LogHub
from otppi.admin.live.monitor import LiveHub
from otppi.admin.rendering.drawing import Drawing
from otppi.admin.rendering.statics import Statics
from otppi.admin.security.form_tokens import FormTokens
from otppi.admin.security.refusal_log import RefusalLog
from otppi.admin.security.sessions import Sessions
from otppi.host.administrators.administrators import Administrators
from otppi.host.administrators.claim import Claim
from otppi.host.runtime.registry import Registry
from otppi.host.settings.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The gateway as the pages reach it, and what they need themselves.

    Attributes:
        registry: The operations: all that the pages do, they do by these.
        config: The settings, to draw forms from.
        administrators: Who may log in.
        claim: Whether the device has an administrator at all.
        sessions: Who is logged in.
        tokens: The tokens of forms.
        refusals: Logs who was refused what.
        statics: The files that go with the pages.
        drawing: Draws them.
        pages: The pages that are declared, those of plugins among them.
        safe_mode: Whether no plugin was loaded.
        live: Tells open pages of the monitor what changes.
        live_log: Tells open pages of the log what comes.
        waiting: Wraps what a handler waits for (`HttpServer.waiting`).
    """

    registry: Registry
    config: Config
    administrators: Administrators
    claim: Claim
    sessions: Sessions = field(default_factory=Sessions)
    tokens: FormTokens = field(default_factory=FormTokens)
    refusals: RefusalLog = field(default_factory=RefusalLog)
    statics: Statics
    drawing: Drawing
    pages: DeclaredPages
    safe_mode: bool = False
    live: LiveHub
    live_log: LogHub
    waiting: Callable[[], AbstractContextManager[None]]
