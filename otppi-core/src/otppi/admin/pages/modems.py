"""The modems: how they are, those that were found, and the first tab of each one's page."""

from collections.abc import Mapping
from typing import Any

from otppi.admin.pages.answers import drawn, perform, see_other, text_of, visit
from otppi.admin.pages.modem_messages import ModemInboxTab, ModemTestTab
from otppi.admin.pages.modem_page import shown_modem, shown_modems, tab
from otppi.admin.pages.modem_sim import ModemSimTab
from otppi.admin.pages.modem_ussd import ModemUssdTab
from otppi.admin.pages.new_modem import adopted, can_simulate, free_name, simulated
from otppi.admin.pages.tried import Tried, tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, page
from otppi.api.errors import NotSupported
from otppi.api.operations import Role
from otppi.text import _


class ModemPages:
    """`/modems`, and of one `/modems/show?modem=NAME` and the other tabs of its page."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.test = ModemTestTab(parts)
        self.inbox = ModemInboxTab(parts)
        self.ussd = ModemUssdTab(parts)
        self.sim = ModemSimTab(parts)

    @page()
    def index(self, **_fields: Any) -> bytes:
        """List the modems, and those that were found and belong to nobody."""
        return self._list({})

    @action(Role.ADMINISTRATOR)
    def adopt(self, **fields: Any) -> bytes:
        """Take a modem that was found into use."""
        name, device = text_of(fields, "name").strip(), text_of(fields, "device")
        outcome = adopted(self._parts, device, name)
        if outcome.problems:
            return self._list(outcome.problems, outcome.status, device)
        return see_other(f"/modems/show?modem={name}", _("{name} is in use.", name=name))

    @action(Role.ADMINISTRATOR)
    def simulate(self, **_fields: Any) -> bytes:
        """Add a simulated modem, to try things without one."""
        name = free_name(self._parts)
        outcome = simulated(self._parts, name)
        if outcome.problems:
            return self._list(outcome.problems, outcome.status)
        return see_other(f"/modems/show?modem={name}", _("{name} is in use.", name=name))

    @action(Role.ADMINISTRATOR)
    def activate(self, **fields: Any) -> bytes:
        """Use a modem from now on."""
        return self._switch("modem_activate", fields)

    @action(Role.ADMINISTRATOR)
    def deactivate(self, **fields: Any) -> bytes:
        """Use a modem no more."""
        return self._switch("modem_deactivate", fields)

    @page()
    def show(self, **fields: Any) -> bytes:
        """Show how one modem is."""
        return self._show(text_of(fields, "modem"), Tried())

    @action(Role.OPERATOR)
    def balance(self, **fields: Any) -> bytes:
        """Read the balance of a SIM card."""
        return self._try("balance_read", fields)

    @action(Role.OPERATOR)
    def clear(self, **fields: Any) -> bytes:
        """Delete what other programs have left in a modem's memories."""
        return self._try("clear_memory", fields)

    # -- what they have in common -----------------------------------------------------------------------------------

    def _list(self, problems: Mapping[str, str], status: int = 200, device: str = "") -> bytes:
        return drawn(
            self._parts,
            "modems.html",
            status,
            modems=shown_modems(self._parts),
            found=self._found(),
            problems=problems,
            device=device,
            can_simulate=can_simulate(self._parts),
        )

    def _found(self) -> list[Mapping[str, Any]]:
        """Return the devices that could be taken into use; none where nothing watches for them."""
        if not visit().may(Role.ADMINISTRATOR):
            return []
        try:
            devices: list[Mapping[str, Any]] = perform(self._parts, "devices")
        except NotSupported:
            return []
        return [one for one in devices if one.get("state") == "new"]

    def _switch(self, operation: str, fields: Mapping[str, Any]) -> bytes:
        name = text_of(fields, "modem")
        outcome = tried(lambda: perform(self._parts, operation, modem=name))
        if outcome.problems:
            return self._list(outcome.problems, outcome.status)
        said = _("{name} is active.", name=name) if outcome.result["active"] else _("{name} is not active.", name=name)
        return see_other("/modems", said)

    def _try(self, operation: str, fields: Mapping[str, Any]) -> bytes:
        """Do something with a modem, and show its page with what came of it."""
        name = text_of(fields, "modem")
        return self._show(name, tried(lambda: perform(self._parts, operation, modem=name)), operation)

    def _show(self, name: str, outcome: Tried, operation: str = "") -> bytes:
        modem = shown_modem(self._parts, name)
        return tab(
            self._parts, "modem_status.html", modem, outcome.status,
            operation=operation, outcome=outcome.result, problems=outcome.problems,
        )  # fmt: skip
