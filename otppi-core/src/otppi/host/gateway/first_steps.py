"""The first steps of a new device: which are done is seen from the device, which a person has passed over is kept."""

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Final

from otppi.api.operations import Operation
from otppi.api.settings import text
from otppi.host.administrators.administrators import ORIGIN
from otppi.host.administrators.settings import ADMINISTRATORS
from otppi.host.clock.settings import CLOCK
from otppi.host.modems.settings import MODEMS
from otppi.host.runtime.registry import HostCall
from otppi.host.settings.config import Config
from otppi.host.users.settings import API_USERS
from otppi.kit.files import as_json, replace_whole
from otppi.text import _

logger = logging.getLogger(__name__)

STEPS: Final = ("time", "modem", "test", "api", "secure")
"""In their order; the claim comes before them."""
ALL: Final = "all"
"""Stands for all steps: a person has finished, whatever is open."""
OPEN, DONE, SKIPPED = "open", "done", "skipped"


class FirstSteps:
    """What a person has said of steps, in a small file. One that is damaged has nothing in it. Any thread.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._said = self._read()

    def said(self, step: str) -> str:
        """Return `done` or `skipped`; empty where nothing was said."""
        return self._said.get(step, "")

    def say(self, step: str, state: str) -> None:
        """Keep what a person says; `open` takes it back.

        Raises:
            OSError: The card takes nothing.
        """
        with self._lock:
            said = {key: value for key, value in self._said.items() if key != step}
            if state != OPEN:
                said[step] = state
            if said != self._said:
                replace_whole(self._path, as_json(said) + b"\n")
            self._said = said

    def _read(self) -> dict[str, str]:
        try:
            kept = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):
            kept = None
        if not isinstance(kept, dict):
            logger.warning("what was said of the first steps is damaged, and is forgotten")
            return {}
        return {key: value for key, value in kept.items() if key in (*STEPS, ALL) and value in (DONE, SKIPPED)}


def _list(call: HostCall) -> dict[str, Any]:
    steps = call.part(FirstSteps)
    facts = dict(_facts(call))
    states = {one: DONE if facts[one] else steps.said(one) or OPEN for one in STEPS}
    return {"finished": steps.said(ALL) == DONE or OPEN not in states.values(), "steps": states}


def _facts(call: HostCall) -> Iterator[tuple[str, bool]]:
    """Yield each step, and whether the device shows that it is done."""
    config = call.part(Config)
    own = next((one for one in config.many(ADMINISTRATORS) if one["username"] == call.actor.name), None)
    yield "time", bool(config.one(CLOCK)["time_zone"])
    yield "modem", bool(config.many(MODEMS))
    yield "test", any(_sent(one) for one in call.perform("modems"))
    yield "api", bool(config.many(API_USERS))
    yield "secure", bool(call.actor.origin == ORIGIN and own and own["totp_secret"])


def _sent(modem: Mapping[str, Any]) -> bool:
    return bool(modem["usage"]["this_month"]["messages"])


def _say(call: HostCall, step: str, state: str) -> bool:
    call.part(FirstSteps).say(step, state)
    return True


OPERATIONS = (
    Operation(
        name="first_steps",
        title=_("First steps"),
        help=_("Tell which steps of setting the device up are done, open, or were passed over."),
        handler=_list,
        reads_only=True,
    ),
    Operation(
        name="first_step_say",
        title=_("Pass over a first step"),
        help=_("Pass over a step of setting the device up, or take that back. What is done is seen from the device."),
        handler=_say,
        parameters=(
            text("step", _("Step"), _("which step; all: the whole set-up"), required=True, choices=(*STEPS, ALL)),
            text("state", _("State"), _("done, skipped, or open again"), SKIPPED, choices=(DONE, SKIPPED, OPEN)),
        ),
        changes="first steps",
        subject="step",
    ),
)
