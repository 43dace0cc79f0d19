"""What the tabs of a modem's page have in common: which modem it is, and how it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from otppi.admin.pages.answers import PageError, drawn, perform
from otppi.admin.pages.needs import Need, needs_of_modem
from otppi.admin.parts import Parts
from otppi.text import _
from otppi.text.states import step_said


@dataclass(frozen=True, slots=True)
class ShownModem:
    """A modem, as its pages show it.

    Attributes:
        name: What it is called.
        running: What the operation `modems` tells of it; empty of one that is not used.
        kept: What the operation `modem_overview` tells of it; empty of one that no setting has.
    """

    name: str
    running: Mapping[str, Any] = field(default_factory=dict)
    kept: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """How it is; of one that is not used, `stopped`."""
        return str(self.running.get("state", "stopped"))

    @property
    def needs(self) -> list[Need]:
        """What a person has to do about it."""
        return list(needs_of_modem(self.running)) if self.running else []

    @property
    def may_switch(self) -> bool:
        """Whether it can be switched off and on: it is one of the settings."""
        return bool(self.kept)

    def address(self, tab: str) -> str:
        """Return where a tab of its page is."""
        return f"/modems/{tab}?modem={quote(self.name, safe='')}"


def shown_modems(parts: Parts) -> list[ShownModem]:
    """Return all modems, those of the settings first in their order."""
    running = {one["modem_id"]: one for one in perform(parts, "modems")}
    kept = [ShownModem(one["modem_id"], running.pop(one["modem_id"], {}), one) for one in _overview(parts)]
    return [*kept, *(ShownModem(name, one) for name, one in running.items())]


def shown_modem(parts: Parts, name: str) -> ShownModem:
    """Return a modem.

    Raises:
        PageError: There is none of this name.
    """
    found = next((one for one in shown_modems(parts) if one.name == name), None)
    if found is None:
        raise PageError(404, _("There is no such modem"), _("It may have another name now, or none."))
    return found


def _overview(parts: Parts) -> list[Mapping[str, Any]]:
    listed: list[Mapping[str, Any]] = perform(parts, "modem_overview")
    return listed


def tab(parts: Parts, template: str, modem: ShownModem, status: int = 200, /, **values: Any) -> bytes:
    """Draw a tab of a modem's page."""
    return drawn(parts, template, status, **({"problems": {}, "modem": modem, "step_said": step_said} | values))
