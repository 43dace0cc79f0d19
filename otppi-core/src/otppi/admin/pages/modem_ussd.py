"""The tab of a modem's page for USSD: a keypad, codes at hand, and the dialogue of a session."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import cherrypy

from otppi.admin.pages.answers import perform, see_other, text_of, visit
from otppi.admin.pages.modem_page import ShownModem, shown_modem, tab
from otppi.admin.pages.tried import tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, form
from otppi.api.operations import Role
from otppi.text import _

_AT_FIRST: Final = 2.0
"""Seconds that the answer to a code waits for what the network says; after that the page looks again."""
_KEYS: Final = frozenset("0123456789*#")
_BACK: Final = "back"
_LONGEST: Final = 182


class ModemUssdTab:
    """`/modems/ussd?modem=NAME`, and with `session=ID` the dialogue of one's own session."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @form(Role.OPERATOR)
    def index(self, **fields: Any) -> bytes:
        """Show keypad and dialogue; or run a code, or add what a key of the keypad says."""
        modem = shown_modem(self._parts, text_of(fields, "modem"))
        if cherrypy.request.method != "POST":
            return self._show(modem, text_of(fields, "session"))
        code = text_of(fields, "code").strip()
        if key := text_of(fields, "press"):
            return self._show(modem, typed=_pressed(code, key))
        return self._ask(modem, code, "ussd", {"modem": modem.name, "code": code})

    @action(Role.OPERATOR)
    def reply(self, **fields: Any) -> bytes:
        """Reply in a session, or add what a key of the keypad says."""
        modem = shown_modem(self._parts, text_of(fields, "modem"))
        session, text = text_of(fields, "session"), text_of(fields, "code").strip()
        if key := text_of(fields, "press"):
            return self._show(modem, session, typed=_pressed(text, key))
        return self._ask(modem, text, "ussd_reply", {"session": session, "text": text}, session)

    @action(Role.OPERATOR)
    def cancel(self, **fields: Any) -> bytes:
        """End the session on a modem, whoever has it."""
        modem = shown_modem(self._parts, text_of(fields, "modem"))
        outcome = tried(lambda: perform(self._parts, "ussd_cancel", modem=modem.name))
        session = text_of(fields, "session")
        if outcome.problems:
            return self._show(modem, session, problems=outcome.problems, status=outcome.status)
        return see_other(_of(modem, session), _("The USSD session is ended."))

    def _ask(
        self, modem: ShownModem, typed: str, operation: str, arguments: Mapping[str, Any], session: str = ""
    ) -> bytes:
        """Have the network asked, and show the dialogue; what was refused is told beside what was typed."""
        outcome = tried(lambda: perform(self._parts, operation, **arguments, wait=_AT_FIRST))
        problems, status = outcome.problems, outcome.status
        if not problems and "session" not in outcome.result:
            problems, status = {"": outcome.result.get("cause", "")}, 503
        if problems:
            return self._show(modem, session, typed, problems, status)
        return see_other(_of(modem, outcome.result["session"]))

    def _show(
        self,
        modem: ShownModem,
        session: str = "",
        typed: str = "",
        problems: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> bytes:
        open_now = next((one for one in perform(self._parts, "ussd_sessions") if one["modem_id"] == modem.name), None)
        others = ""
        if open_now is not None and not session:
            if open_now["owner"] == str(visit().actor):
                session = open_now["session"]
            else:
                others = open_now["owner"]
        return tab(
            self._parts, "modem_ussd.html", modem, status,
            dialogue=self._dialogue(session, modem.name), others=others, typed=typed, problems=problems or {},
            keys="123456789*0#", back=_BACK, longest=_LONGEST,
        )  # fmt: skip

    def _dialogue(self, session: str, modem: str) -> Mapping[str, Any] | None:
        """Return what was said in a session; None of one that is not one's own, or no longer known."""
        if not session:
            return None
        found: Mapping[str, Any] | None = tried(lambda: perform(self._parts, "ussd_dialogue", session=session)).result
        return found if found is not None and found["modem_id"] == modem else None


def _of(modem: ShownModem, session: str) -> str:
    address = modem.address("ussd")
    return f"{address}&session={quote(session, safe='')}" if session else address


def _pressed(typed: str, key: str) -> str:
    """Return what stands in the field once a key was pressed, of a browser without script."""
    if key == _BACK:
        return typed[:-1]
    return (typed + key)[:_LONGEST] if key in _KEYS else typed
