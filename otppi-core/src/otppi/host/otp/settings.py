"""The settings of one-time passwords: what a code looks like, how long it lives, and what may not be overdone."""

from typing import TypedDict

from otppi.api.settings import Group, Input, Setting, TypedSection, integer, text, text_list
from otppi.host.numbering.prefixes import prefixes_problem
from otppi.host.otp.codes import ALPHABETS
from otppi.text import _


def _limit(key: str, title: str, help_: str, default: int, group: str) -> Setting:
    return integer(key, title, help_, default, minimum=0, maximum=1_000_000, unit=_("codes"), group=group)


class OtpValues(TypedDict):
    """The values of `OTP`."""

    code_length: int
    alphabet: str
    lifetime: int
    attempts: int
    wrong_per_hour: int
    resend_interval: int
    verifier: str
    allowed_prefixes: list[str]
    per_receiver_per_hour: int
    prefix_length: int
    per_prefix_per_hour: int
    per_hour: int
    guard_requests: int
    guard_percent: int


OTP = TypedSection(
    values=OtpValues,
    key="otp",
    title=_("One-time passwords"),
    help=_("What the commands request-otp and verify-otp do."),
    reset_group="otp",
    groups=(
        Group("code", _("Code")),
        Group("limits", _("Limits"), _("So that nobody is sent more than makes sense.")),
        Group("guard", _("Guard"), _("It stops what is sent for the sake of sending: pumped SMS."), advanced=True),
    ),
    settings=(
        integer(
            "code_length",
            _("Code length"),
            _("Characters of a code."),
            6,
            minimum=4,
            maximum=12,
            unit=_("characters"),
            group="code",
        ),
        text(
            "alphabet",
            _("Alphabet"),
            _(
                "What a code is made of; letters are capitals that look like no other sign, "
                "and small ones are right too."
            ),
            "digits",
            choices=tuple(ALPHABETS),
            choice_titles={
                "digits": _("digits"),
                "letters": _("letters"),
                "letters-digits": _("letters and digits"),
            },
            group="code",
        ),
        integer(
            "lifetime",
            _("Lifetime"),
            _("How long a code may be verified, and its message sent, where the request gives no expiration."),
            300,
            minimum=10,
            maximum=86_400,
            unit=_("s"),
            group="code",
        ),
        integer(
            "attempts",
            _("Attempts"),
            _("So many wrong ones end a code."),
            5,
            minimum=1,
            maximum=100,
            group="code",
        ),
        _limit(
            "wrong_per_hour",
            _("Wrong ones an hour"),
            _(
                "Wrong codes in any hour for one reference and receiver, over all their codes; "
                "then none is verified; 0: any."
            ),
            10,
            group="code",
        ),
        integer(
            "resend_interval",
            _("Resend interval"),
            _("A new code for the same reference and receiver is made after this time only; 0: at once."),
            60,
            minimum=0,
            maximum=3600,
            unit=_("s"),
            group="code",
        ),
        text(
            "verifier",
            _("Verifier"),
            _("Who may verify a code: the sender (API user, or broker's connection) that requested it, or any sender."),
            "sender",
            choices=("sender", "anyone"),
            choice_titles={"sender": _("who requested it"), "anyone": _("any sender")},
            group="code",
            advanced=True,
        ),
        text_list(
            "allowed_prefixes",
            _("Allowed Prefixes"),
            _("Codes are sent to numbers that start so only, such as 62 for a country; where empty, to all."),
            check=prefixes_problem,
            input=Input.PREFIX,
            group="limits",
        ),
        _limit(
            "per_receiver_per_hour",
            _("Codes per receiver"),
            _("Codes in any hour to one receiver; 0: any."),
            5,
            group="limits",
        ),
        integer(
            "prefix_length",
            _("Prefix length"),
            _("How many first digits of numbers, country code included, make the prefix that is counted."),
            6,
            minimum=1,
            maximum=7,
            unit=_("digits"),
            group="limits",
            advanced=True,
        ),
        _limit(
            "per_prefix_per_hour",
            _("Codes per prefix"),
            _("Codes in any hour to numbers of one prefix; 0: any."),
            100,
            group="limits",
        ),
        _limit("per_hour", _("Codes in all"), _("Codes in any hour to all receivers; 0: any."), 1000, group="limits"),
        _limit(
            "guard_requests",
            _("Guard"),
            _("After so many codes in an hour the guard looks whether they are verified; 0: any."),
            30,
            group="guard",
        ),
        integer(
            "guard_percent",
            _("Guarded share"),
            _("Where fewer of a prefix's codes are verified, somebody pumps SMS: it gets no more for the time being."),
            10,
            minimum=1,
            maximum=100,
            unit=_("%"),
            group="guard",
        ),
    ),
)
