"""The tab of a modem's page for its SIM card: how its lock stands, and what can be done about it."""

from collections.abc import Mapping
from typing import Any, Final

from otppi.admin.pages.answers import perform, see_other, text_of
from otppi.admin.pages.modem_page import ShownModem, shown_modem, tab
from otppi.admin.pages.tried import Tried, tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, page
from otppi.api.operations import Role
from otppi.api.sim import SimAction
from otppi.text import Text, _
from otppi.text.languages import languages, translated

_PATIENCE: Final = 5.0
"""Seconds that the page waits for the modem to finish what it does."""
LAST_TRY: Final = _("LAST TRY")
"""What has to be typed where a wrong number would lock the card."""
_DONE: Final[Mapping[SimAction, Text]] = {
    SimAction.ENTER_PIN: _("The SIM card has taken the PIN."),
    SimAction.UNBLOCK: _("The SIM card is unlocked, and has the new PIN."),
    SimAction.CHANGE_PIN: _("The SIM card has the new PIN."),
    SimAction.ENABLE_PIN: _("The SIM card asks for its PIN from now on."),
    SimAction.DISABLE_PIN: _("The SIM card asks for no PIN any more."),
}


class ModemSimTab:
    """`/modems/sim?modem=NAME`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page()
    def index(self, **fields: Any) -> bytes:
        """Show how the SIM card's lock stands."""
        modem = shown_modem(self._parts, text_of(fields, "modem"))
        return self._show(modem, self._status(modem))

    @action(Role.ADMINISTRATOR)
    def change(self, **fields: Any) -> bytes:
        """Change the lock; the last try is used only by who types that it is meant."""
        modem = shown_modem(self._parts, text_of(fields, "modem"))
        asked = self._status(modem)
        verb = next((one for one in SimAction if one.value == text_of(fields, "verb")), None)
        if verb is None or asked.result is None:
            return self._show(modem, asked, "", Tried(status=503 if verb else 400))
        if is_last_try(verb, asked.result) and not _is_typed(text_of(fields, "word")):
            wanted = _("Type {word}: one try is left, and a wrong number locks the card.", word=LAST_TRY)
            return self._show(modem, asked, verb.value, Tried(problems={"": wanted}, status=422))
        numbers = {key: text_of(fields, key).strip() for key in ("secret", "new_pin") if key in fields}
        operation = f"sim_{verb.value.replace('-', '_')}"
        done = tried(lambda: perform(self._parts, operation, modem=modem.name, **numbers))
        if done.problems:
            return self._show(modem, self._status(modem), verb.value, done)
        return see_other(modem.address("sim"), _DONE[verb])

    def _status(self, modem: ShownModem) -> Tried:
        if not modem.running:
            return Tried()
        return tried(lambda: perform(self._parts, "sim_status", modem=modem.name, wait=_PATIENCE))

    def _show(self, modem: ShownModem, asked: Tried, verb: str = "", done: Tried | None = None) -> bytes:
        return tab(
            self._parts,
            "modem_sim.html",
            modem,
            200 if done is None else done.status,
            sim=asked.result,
            unknown=asked.problems.get("", ""),
            verb=verb,
            problems={} if done is None else done.problems,
            is_last=is_last_try,
            tries_left=_tries_left,
            actions=SimAction,
            word=LAST_TRY,
        )


def is_last_try(verb: SimAction, sim: Mapping[str, Any]) -> bool:
    """Whether a wrong number would lock the card: one try of it is left."""
    tries = sim["puk_tries" if verb is SimAction.UNBLOCK else "pin_tries"]
    return tries is not None and tries <= 1


def _tries_left(count: int) -> Text:
    return _.plural("{count} try left.", "{count} tries left.", count=count)


def _is_typed(word: str) -> bool:
    """Whether the word was typed, in whichever language."""
    accepted = {str(translated(LAST_TRY, language)).casefold() for language in languages()}
    return " ".join(word.split()).casefold() in accepted
