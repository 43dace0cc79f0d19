"""The settings of the webhook: which server is told what happens."""

from typing import TypedDict

from otppi.api.settings import Group, Input, TypedSection, boolean, integer, number, text
from otppi.text import _


class WebhookValues(TypedDict):
    """The values of `WEBHOOK`."""

    url: str
    secret: str
    ca_file: str
    messages: bool
    states: bool
    balances: bool
    timeout: float
    attempts: int
    queue_size: int


WEBHOOK = TypedSection(
    values=WebhookValues,
    key="webhook",
    title=_("Webhook"),
    help=_("Forwards what comes in, and what becomes of messages, to a URL: each event is one signed POST."),
    reset_group="sms",
    groups=(
        Group("server", _("Server")),
        Group("events", _("What is told")),
    ),
    settings=(
        text(
            "url",
            _("URL"),
            _("Where events are posted to; none are where it is empty."),
            input=Input.URL,
            group="server",
        ),
        text(
            "secret",
            _("Secret"),
            _("Key of the signature (HMAC-SHA256); without one events are not signed."),
            secret=True,
            group="server",
        ),
        text(
            "ca_file",
            _("CA File"),
            _("PEM file of the only CA to be trusted; those of the system where it is empty."),
            input=Input.PATH,
            group="server",
            advanced=True,
        ),
        boolean(
            "messages", _("Forward messages"), _("Whether messages that came in are forwarded."), True, group="events"
        ),
        boolean(
            "states",
            _("Forward states"),
            _("Whether it is told when the state of a sent message changes."),
            False,
            group="events",
        ),
        boolean(
            "balances",
            _("Forward low balances"),
            _("Whether it is told when a SIM card's balance is low."),
            True,
            group="events",
        ),
        number(
            "timeout",
            _("Time-out"),
            _("How long connecting to the server, and its whole answer, may each take."),
            10.0,
            minimum=0.1,
            maximum=120,
            unit=_("s"),
            group="server",
            advanced=True,
        ),
        integer(
            "attempts",
            _("Attempts"),
            _("How often an event is tried, with growing pauses; then it is given up."),
            10,
            minimum=1,
            maximum=100,
            group="server",
            advanced=True,
        ),
        integer(
            "queue_size",
            _("Queue size"),
            _("Events that may wait in RAM for the server; more are given up."),
            1000,
            minimum=1,
            maximum=100_000,
            unit=_("events"),
            group="server",
            advanced=True,
        ),
    ),
)
