"""The settings of messages: how they are taken in, routed and sent."""

from typing import TypedDict

from otppi.api.settings import Group, TypedSection, boolean, integer, number, text, text_list
from otppi.host.numbering.numbers import countries_problem, country_code_problem, tidy_country_code
from otppi.text import _


class SmsValues(TypedDict):
    """The values of `SMS`."""

    country_code: str
    countries: list[str]
    default_lifetime: int
    duplicate_window: int
    queue_size: int
    max_segments: int
    attempts: int
    modem_grace: float
    fail_over: bool
    routing: str
    resend_unconfirmed: bool
    mask_receivers: bool
    report_months: int


SMS = TypedSection(
    values=SmsValues,
    key="sms",
    title=_("SMS"),
    help=_("How messages are taken in, routed and sent."),
    reset_group="sms",
    groups=(
        Group("numbers", _("Numbers"), _("Who may be a receiver.")),
        Group("choice", _("Choice of the modem")),
        Group("sending", _("Sending")),
        Group("records", _("Records"), _("What is kept of messages; never their texts.")),
    ),
    settings=(
        text(
            "country_code",
            _("Country code"),
            _("E.164 country code put in place of the leading 0 of a national number."),
            "62",
            check=country_code_problem,
            tidy=tidy_country_code,
            group="numbers",
        ),
        text_list(
            "countries",
            _("Countries"),
            _("To which others messages may go: country codes (65) or two letters (SG), any for all; empty: to none."),
            check=countries_problem,
            group="numbers",
        ),
        integer(
            "default_lifetime",
            _("Default lifetime"),
            _("A message that was not sent after this time is dropped, where its sender gave no expiration."),
            600,
            minimum=5,
            maximum=604_800,
            unit=_("s"),
            group="sending",
        ),
        integer(
            "duplicate_window",
            _("Duplicate window"),
            _("The same id, receiver and text within this time is sent once; 0 sends every one."),
            600,
            minimum=0,
            maximum=86_400,
            unit=_("s"),
            group="sending",
        ),
        integer(
            "queue_size",
            _("Queue size"),
            _("Messages that may wait for one modem, for each of the two priorities; more are refused with 1205."),
            1000,
            minimum=1,
            maximum=100_000,
            unit=_("messages"),
            group="sending",
        ),
        integer(
            "max_segments",
            _("Longest message"),
            _("A message of more parts is refused with 1206."),
            10,
            minimum=1,
            maximum=255,
            unit=_("segments"),
            group="sending",
        ),
        integer(
            "attempts",
            _("Attempts"),
            _("How often one modem tries a message where it is certain that nothing went out; then another one may."),
            3,
            minimum=1,
            maximum=20,
            group="sending",
        ),
        text(
            "routing",
            _("Routing"),
            _("Which modem goes first: the one that the receiver's prefix names, or the one that is cheapest."),
            "prefix",
            choices=("prefix", "cheapest"),
            choice_titles={"prefix": _("by the prefix"), "cheapest": _("the cheapest first")},
            group="choice",
        ),
        boolean(
            "fail_over",
            _("Fail-over"),
            _(
                "Whether a message may go by a modem that its prefix does not name "
                "when those that it names cannot send."
            ),
            True,
            group="choice",
        ),
        number(
            "modem_grace",
            _("Grace for a lost modem"),
            _("Messages wait this long for a modem that was lost, where no other may send them; then they fail."),
            60.0,
            minimum=0,
            maximum=3600,
            unit=_("s"),
            group="choice",
        ),
        boolean(
            "resend_unconfirmed",
            _("Resend unconfirmed"),
            _("Whether a message that may or may not have gone out is sent once more: the receiver may get it twice."),
            False,
            group="sending",
            advanced=True,
        ),
        boolean(
            "mask_receivers",
            _("Mask receivers"),
            _("Whether logs and the report show receivers as 62812*****66 rather than in full."),
            True,
            group="records",
        ),
        integer(
            "report_months",
            _("Months of report"),
            _("How many months of the message report are kept (it holds no texts)."),
            12,
            minimum=1,
            maximum=120,
            unit=_("months"),
            group="records",
        ),
    ),
)
