"""The settings of the inbox: what is kept of what comes in."""

from typing import TypedDict

from otppi.api.settings import TypedSection, integer, number, text
from otppi.text import _


class InboxValues(TypedDict):
    """The values of `INBOX`."""

    retention: str
    kept_messages: int
    kept_hours: int
    incomplete_after: float


INBOX = TypedSection(
    values=InboxValues,
    key="inbox",
    title=_("Inbox"),
    help=_("What is done with messages that come in."),
    reset_group="sms",
    settings=(
        text(
            "retention",
            _("Retention"),
            _("Where messages that came in are kept: in RAM until the gateway stops, or on the card, as plain text."),
            "ram",
            choices=("ram", "card"),
            choice_titles={"ram": _("in RAM, until the gateway stops"), "card": _("on the card, as plain text")},
        ),
        integer(
            "kept_messages",
            _("Kept messages"),
            _("Above it the oldest read one is forgotten; where none is read, new ones stay on the SIM card."),
            500,
            minimum=1,
            maximum=10_000,
            unit=_("messages"),
        ),
        integer(
            "kept_hours",
            _("Kept hours"),
            _("A message is forgotten after this time, read or not; 0: never."),
            168,
            minimum=0,
            maximum=87_600,
            unit=_("h"),
        ),
        number(
            "incomplete_after",
            _("Wait for missing parts"),
            _("A long message is shown without its missing parts after this time."),
            600.0,
            minimum=1,
            maximum=604_800,
            unit=_("s"),
        ),
    ),
)
