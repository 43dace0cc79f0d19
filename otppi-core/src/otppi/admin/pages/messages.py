"""Sending by hand, and what became of it; the inbox and the blocking list are below."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import cherrypy

from otppi.admin.pages.answers import PageError, drawn, perform, see_other, text_of
from otppi.admin.pages.blocked import BlockedPages
from otppi.admin.pages.form_fields import sent
from otppi.admin.pages.inbox import InboxPages
from otppi.admin.pages.needs import refusal_said
from otppi.admin.pages.report import ReportPages
from otppi.admin.pages.sent_by_hand import COUNTED, beginnings, is_simulated, sent_by_hand
from otppi.admin.parts import Parts
from otppi.admin.security.guard import form, page
from otppi.api.errors import InvalidSettings
from otppi.api.operations import Role
from otppi.text import _, joined, labelled

_AT_FIRST: Final = 2.0
"""Seconds that the answer to a message sent by hand waits for its end: most are sent by then."""
_MOST_RECEIVERS: Final = 10
_LATEST: Final = 200
"""Messages among which the receivers of several that were sent are looked for."""
_ON_ITS_WAY: Final = frozenset(("queued", "sending", "sent"))
_BETWEEN: Final = re.compile(r"[,;\r\n]+")


class MessagePages:
    """`/messages`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.report = ReportPages(parts)
        self.inbox = InboxPages(parts)
        self.blocked = BlockedPages(parts)

    @form(Role.OPERATOR)
    def index(self, **fields: Any) -> bytes:
        """Ask for a message, and send it to each of its receivers; what becomes of it is another page."""
        given: dict[str, Any] = {name: text_of(fields, name) for name in ("receiver", "message", "modem")}
        given["flash"] = bool(text_of(fields, "flash"))
        if cherrypy.request.method != "POST":
            return self._ask(given, {})
        receivers = list(dict.fromkeys(filter(None, map(str.strip, _BETWEEN.split(given["receiver"])))))
        if len(receivers) > _MOST_RECEIVERS:
            said = _("at most {most} at once", most=_MOST_RECEIVERS)
            return self._ask(given, {"receiver": said}, 422)
        if len(receivers) > 1:
            return self._send_to_each(given, receivers)
        outcome = sent_by_hand(self._parts, given | {"receiver": "".join(receivers)}, _AT_FIRST)
        if outcome.problems:
            return self._ask(given, outcome.problems, outcome.status)
        return see_other(f"/messages/sent?id={outcome.result}")

    def _send_to_each(self, given: Mapping[str, Any], receivers: Sequence[str]) -> bytes:
        """Send to several; those that cannot be sent to are asked for once more, with what is wrong with each."""
        taken: list[str] = []
        refused: dict[str, Mapping[str, str]] = {}
        status = 200
        for receiver in receivers:
            outcome = sent_by_hand(self._parts, {**given, "receiver": receiver}, wait=0)
            if outcome.problems:
                refused[receiver], status = outcome.problems, max(status, outcome.status)
            else:
                taken.append(outcome.result)
        address = f"/messages/sent?{urlencode({'id': taken}, doseq=True)}"
        if not refused:
            return see_other(address)
        others = {name: why for problems in refused.values() for name, why in problems.items() if name != "receiver"}
        own = [labelled(one, why["receiver"]) for one, why in refused.items() if "receiver" in why]
        problems: dict[str, str] = {**others, **({"receiver": joined("; ", own)} if own else {})}
        return self._ask({**given, "receiver": ", ".join(refused)}, problems, status, address if taken else "")

    @page(Role.OPERATOR)
    def sent(self, **fields: Any) -> bytes:
        """Show what has become of messages that were sent by hand."""
        messages = [one for given in sent(fields).get("id", ())[:_MOST_RECEIVERS] if (one := self._state(given))]
        if not messages:
            raise PageError(
                404,
                _("This message is not known"),
                _("Only who sent it may look at it, and only as long as the device remembers it."),
            )
        several = len(messages) > 1
        receivers = {one["message_id"]: one["receiver"] for one in self._latest()} if several else {}
        return drawn(
            self._parts, "sent.html", receivers=receivers,
            messages=[(one, refusal_said(one.get("cause") or "")) for one in messages],
            simulated=is_simulated(self._parts, messages[0]),
            pending=any(one["state"] in _ON_ITS_WAY for one in messages),
        )  # fmt: skip

    def _state(self, message_id: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = perform(self._parts, "message", message_id=message_id)
        except InvalidSettings:
            return None
        return found

    def _latest(self) -> Sequence[Mapping[str, Any]]:
        latest: Sequence[Mapping[str, Any]] = perform(self._parts, "messages", limit=_LATEST)
        return latest

    def _ask(self, given: Mapping[str, Any], problems: Mapping[str, str], status: int = 200, others: str = "") -> bytes:
        modems = [one["modem_id"] for one in perform(self._parts, "status")["modems"]]
        return drawn(
            self._parts, "messages.html", status, given=given, problems=problems, modems=modems, others=others,
            beginnings=beginnings(self._parts), **COUNTED,
        )  # fmt: skip
