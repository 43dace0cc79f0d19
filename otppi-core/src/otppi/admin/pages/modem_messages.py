"""The tabs of a modem's page for messages: a test that is sent by it, and what came in by it."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import cherrypy

from otppi.admin.pages.answers import perform, see_other, text_of, visit
from otppi.admin.pages.inbox import shown_inbox
from otppi.admin.pages.modem_page import shown_modem, tab
from otppi.admin.pages.needs import refusal_said
from otppi.admin.pages.paging import place_of
from otppi.admin.pages.sent_by_hand import beginnings, is_simulated, sent_by_hand, test_text
from otppi.admin.pages.tried import tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import form, page
from otppi.api.operations import Role
from otppi.text import _

_AT_FIRST: Final = 1.0
"""Seconds that the answer to a test waits for its end; its steps are shown on the page that follows."""


class ModemTestTab:
    """`/modems/test?modem=NAME`, and with `message=ID` what has become of a test."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @form(Role.OPERATOR)
    def index(self, **fields: Any) -> bytes:
        """Ask for a number, send a test SMS to it, and show how far it has come."""
        name = text_of(fields, "modem")
        if cherrypy.request.method == "POST":
            return self._send(name, {key: text_of(fields, key).strip() for key in ("receiver", "message")})
        message_id = text_of(fields, "message")
        if not message_id:
            return self._show(name)
        outcome = tried(lambda: perform(self._parts, "message", message_id=message_id))
        if outcome.problems:
            said = _("This message is not known: only who sent it sees it, while the device remembers it.")
            return self._show(name, problems={"": said}, status=404)
        return self._show(name, message=outcome.result)

    def _send(self, name: str, given: Mapping[str, str]) -> bytes:
        modem = shown_modem(self._parts, name)
        outcome = sent_by_hand(self._parts, {**given, "modem": name}, _AT_FIRST)
        if outcome.problems:
            return self._show(name, given, outcome.problems, outcome.status)
        return see_other(f"{modem.address('test')}&message={quote(outcome.result)}")

    def _show(
        self,
        name: str,
        given: Mapping[str, str] | None = None,
        problems: Mapping[str, str] | None = None,
        status: int = 200,
        message: Mapping[str, Any] | None = None,
    ) -> bytes:
        own = self._parts.administrators.find(visit().actor.name)
        at_first = {"receiver": own.phone if own else "", "message": test_text()}
        refused = refusal_said(message.get("cause") or "") if message else None
        return tab(
            self._parts, "modem_test.html", shown_modem(self._parts, name), status,
            given=given or at_first, problems=problems or {}, message=message, refused=refused,
            beginnings=beginnings(self._parts), simulated=is_simulated(self._parts, message or {}),
        )  # fmt: skip


class ModemInboxTab:
    """`/modems/inbox?modem=NAME`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page(Role.OPERATOR)
    def index(self, **fields: Any) -> bytes:
        """List what came in by a modem, the newest first."""
        modem = shown_modem(self._parts, text_of(fields, "modem"))
        messages = perform(self._parts, "inbox_list", modem=modem.name)

        def address(place: int) -> str:
            return modem.address("inbox") + (f"&first={place}" if place > 1 else "")

        shown = shown_inbox(messages, place_of(text_of(fields, "first")), address)
        return tab(self._parts, "modem_inbox.html", modem, shown=shown)
