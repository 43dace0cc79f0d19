"""The inbox: what came in, searched and paged, marked, deleted, answered, and given as a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import cherrypy

from otppi.admin.pages.answers import TITLES, PageError, drawn, local, perform, see_other, text_of
from otppi.admin.pages.downloads import CSV, downloaded
from otppi.admin.pages.form_fields import sent
from otppi.admin.pages.paging import ListPart, place_of
from otppi.admin.pages.sent_by_hand import COUNTED, replied_by_hand
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, form, page
from otppi.api.operations import Role
from otppi.host.inbox.operations import why_no_reply
from otppi.host.numbering.receivers import part_sought
from otppi.kit.spreadsheets import BYTE_ORDER_MARK
from otppi.text import _

_PATH: Final = "/messages/inbox"
_ON_A_PAGE: Final = 20
_AT_FIRST: Final = 2.0
"""Seconds that the answer to a reply waits for its end."""

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ShownInbox:
    """A part of an inbox.

    Attributes:
        messages: Those that are shown, the newest first.
        part: Which of all that were found they are.
        address: Gives the address of the same list from a place on.
    """

    messages: Sequence[Message]
    part: ListPart
    address: Callable[[int], str]


def shown_inbox(messages: Sequence[Message], first: int, address: Callable[[int], str]) -> ShownInbox:
    """Cut a list of messages, the oldest of which comes first, for a page."""
    newest = messages[::-1]
    first = first if first <= len(newest) else 1
    shown = [
        {**one, "answerable": not why_no_reply(one["originator"], damaged=one["damaged"])}
        for one in newest[first - 1 : first - 1 + _ON_A_PAGE]
    ]
    return ShownInbox(shown, ListPart(first, len(shown), len(newest), _ON_A_PAGE), address)


class InboxPages:
    """`/messages/inbox`, and what is below it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @form(Role.OPERATOR)
    def index(self, **fields: Any) -> bytes:
        """List what came in, the newest first, or what a search finds.

        A search is sent as a form: its words may be those of a message, which no address is to hold.
        """
        messages = perform(self._parts, "inbox_list")
        search = text_of(fields, "search").strip() if cherrypy.request.method == "POST" else ""
        unread = bool(text_of(fields, "unread"))
        found = [one for one in messages if not (unread and one["read"])]
        if search:
            found = [one for one in found if _has(one, search)]

        def address(place: int) -> str:
            asked = ({"unread": 1} if unread else {}) | ({"first": place} if place > 1 else {})
            return f"{_PATH}?{urlencode(asked)}" if asked else _PATH

        shown = shown_inbox(found, place_of(text_of(fields, "first")), address)
        return drawn(self._parts, "inbox.html", total=len(messages), shown=shown, search=search, unread=unread)

    @action(Role.OPERATOR)
    def selected(self, **fields: Any) -> bytes:
        """Do with messages that were chosen what a button says, or open the one whose button was pressed."""
        back = local(text_of(fields, "next")) if "next" in fields else _PATH
        if one := text_of(fields, "open"):
            perform(self._parts, "inbox_mark_several", message_ids=[one], read=True)
            return see_other(f"{_PATH}/show?id={quote(one)}")
        chosen = [one for one in sent(fields).get("id", ()) if isinstance(one, str)]
        if not chosen:
            return see_other(back, _("Choose messages first."))
        verb = text_of(fields, "verb")
        if verb == "delete":
            deleted = perform(self._parts, "inbox_delete", message_ids=chosen)["deleted"]
            told = _.plural("{count} message is deleted.", "{count} messages are deleted.", count=deleted)
        elif verb in ("read", "unread"):
            perform(self._parts, "inbox_mark_several", message_ids=chosen, read=verb == "read")
            told = _("Marked as read.") if verb == "read" else _("Marked as unread.")
        else:
            raise PageError(400, *TITLES[400])
        return see_other(back, told)

    @form(Role.OPERATOR)
    def show(self, **fields: Any) -> bytes:
        """Show a message, and answer it; what becomes of the answer is another page."""
        message_id = text_of(fields, "id")
        message = next((one for one in perform(self._parts, "inbox_list") if one["message_id"] == message_id), None)
        if message is None:
            raise PageError(404, _("This message is not here any more"), _("It was deleted, or is too old."))
        if cherrypy.request.method != "POST":
            return self._show(message, "", {})
        text = text_of(fields, "message")
        outcome = replied_by_hand(self._parts, {"message_id": message_id, "message": text}, _AT_FIRST)
        if outcome.problems:
            return self._show(message, text, outcome.problems, outcome.status)
        return see_other(f"/messages/sent?id={outcome.result}")

    @page(Role.ADMINISTRATOR)
    def export(self, **_fields: Any) -> bytes:
        """Give all messages as CSV, with their texts."""
        written = BYTE_ORDER_MARK + perform(self._parts, "inbox_export")
        return downloaded("inbox.csv", CSV, written.encode(errors="replace"))

    def _show(self, message: Message, text: str, problems: Mapping[str, str], status: int = 200) -> bytes:
        why_not = why_no_reply(message["originator"], damaged=message["damaged"])
        return drawn(
            self._parts, "received.html", status, message=message, why_not=why_not, text=text, problems=problems,
            **COUNTED,
        )  # fmt: skip


def _has(message: Message, search: str) -> bool:
    """Return whether a message has something in its sender or its text."""
    return part_sought(search) in message["originator"].casefold() or search.casefold() in message["text"].casefold()
