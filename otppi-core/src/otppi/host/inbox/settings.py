"""The settings of what comes in: the inbox, and the webhook that it is forwarded to."""

from urllib.parse import urlsplit

from otppi.api.settings import Section, boolean, integer, number, text


def _url_problem(url: str) -> str | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or not url.isascii() or not url.isprintable() or " " in url:
        return "must be a URL such as https://example.com/hook"
    return "must not hold a user name or password" if "@" in parts.netloc else None


INBOX = Section(
    key="inbox",
    title="Inbox",
    help="What is done with messages that come in.",
    reset_group="sms",
    settings=(
        text(
            "retention",
            "Retention",
            "Where messages that came in are kept: in RAM until the gateway stops, or on the card, as plain text.",
            "ram",
            choices=("ram", "card"),
        ),
        integer(
            "kept_messages",
            "Kept messages",
            "Above it the oldest read one is forgotten; where none is read, new ones stay on the SIM card.",
            500,
            minimum=1,
            maximum=10_000,
            unit="messages",
        ),
        integer(
            "kept_hours",
            "Kept hours",
            "A message is forgotten after this time, read or not; 0: never.",
            168,
            minimum=0,
            maximum=87_600,
            unit="h",
        ),
        number(
            "incomplete_after",
            "Wait for missing parts",
            "A long message is shown without its missing parts after this time.",
            600.0,
            minimum=1,
            maximum=604_800,
            unit="s",
        ),
    ),
)

WEBHOOK = Section(
    key="webhook",
    title="Webhook",
    help="Forwards what comes in, and what becomes of messages, to a URL: each event is one signed POST.",
    reset_group="sms",
    settings=(
        text("url", "URL", "Where events are posted to; none are where it is empty.", check=_url_problem),
        text("secret", "Secret", "Key of the signature (HMAC-SHA256); without one events are not signed.", secret=True),
        text("ca_file", "CA File", "PEM file of the only CA to be trusted; those of the system where it is empty."),
        boolean("messages", "Forward messages", "Whether messages that came in are forwarded.", True),
        boolean("states", "Forward states", "Whether it is told when the state of a sent message changes.", False),
        boolean("balances", "Forward low balances", "Whether it is told when a SIM card's balance is low.", True),
        number(
            "timeout",
            "Time-out",
            "How long connecting to the server, and its whole answer, may each take.",
            10.0,
            minimum=0.1,
            maximum=120,
            unit="s",
        ),
        integer(
            "attempts",
            "Attempts",
            "How often an event is tried, with growing pauses; then it is given up.",
            10,
            minimum=1,
            maximum=100,
        ),
        integer(
            "queue_size",
            "Queue size",
            "Events that may wait in RAM for the server; more are given up.",
            1000,
            minimum=1,
            maximum=100_000,
            unit="events",
        ),
    ),
)
