"""The settings of a modem for what it may send, when, and what that costs."""

from collections.abc import Iterable

from otppi.api.settings import FieldError, Input, integer, number, rows, text
from otppi.host.meter.limits import limits_of, quiet_hours_problem, quiet_row, whole_day_problem
from otppi.host.meter.prices import DAY, MONTH, price_row, promotion_row
from otppi.host.meter.values import LimitValues
from otppi.host.numbering.prefixes import prefix_problem
from otppi.text import _

LIMITS, PRICES = "limits", "prices"
"""The groups of a modem's page."""
_HIGHEST = 1_000_000_000


_QUOTAS = tuple(
    integer(key, title, help_, 0, minimum=0, maximum=100_000_000, unit=unit, group=LIMITS)
    for key, title, help_, unit in (
        (
            "daily_quota",
            _("Daily Quota"),
            _("Segments that it sends in a day at most; 0: no quota. An SMS of up to 160 plain characters is one."),
            _("segments"),
        ),
        (
            "monthly_quota",
            _("Monthly Quota"),
            _("Segments that it sends in a month at most; 0: no quota."),
            _("segments"),
        ),
        (
            "monthly_receivers",
            _("Receivers a Month"),
            _(
                "Different receivers that it sends to in a calendar month at most, counted from when "
                "this is set; 0: any."
            ),
            _("receivers"),
        ),
    )
)
_PREFIX = _("First digits of the receiver's number; 0871 is kept as 62871.")

LIMIT_SETTINGS = (
    integer(
        "rate_per_minute",
        _("Rate"),
        _("Messages that it sends in any minute at most; more wait, or go by others. 0: as many as it can."),
        0,
        minimum=0,
        maximum=6000,
        unit=_("messages"),
        group=LIMITS,
    ),
    *_QUOTAS,
    rows(
        "quiet_hours",
        _("Quiet Hours"),
        _("Times of day when it sends no bulk messages, by the device's time zone."),
        (
            text("start", _("From"), _("When they begin, such as 22:00."), required=True, input=Input.TIME),
            text(
                "end",
                _("To"),
                _("When they end, such as 06:00; before they begin: on the next day."),
                required=True,
                input=Input.TIME,
            ),
        ),
        unique=("start", "end"),
        parse=quiet_row,
        check=quiet_hours_problem,
        group=LIMITS,
    ),
    text(
        "quiet_for",
        _("Quiet For"),
        _("Whether quiet hours hold back bulk messages only, or OTPs too."),
        "bulk",
        choices=("bulk", "all"),
        choice_titles={"bulk": _("bulk messages only"), "all": _("all messages, OTPs too")},
        group=LIMITS,
    ),
    number(
        "price",
        _("Price"),
        _("What a segment costs, to receivers that no prefix of the prices names; in your currency."),
        0.0,
        minimum=0,
        maximum=_HIGHEST,
        group=PRICES,
    ),
    rows(
        "prices",
        _("Prices by Prefix"),
        _("What a segment costs to receivers whose number starts so; the longest prefix counts."),
        (
            text("prefix", _("Prefix"), _PREFIX, required=True, input=Input.PREFIX, check=prefix_problem),
            number("price", _("Price"), _("What a segment costs."), 0.0, required=True, minimum=0, maximum=_HIGHEST),
        ),
        unique=("prefix",),
        parse=price_row,
        group=PRICES,
    ),
    rows(
        "promotions",
        _("Promotions"),
        _("A lower price after so many messages in a day or month."),
        (
            text(
                "prefix",
                _("Prefix"),
                _("First digits of the receiver's number; 0871 is kept as 62871. Empty: any receiver."),
                input=Input.PREFIX,
                check=prefix_problem,
            ),
            integer(
                "after",
                _("After"),
                _("From so many messages on."),
                1,
                required=True,
                minimum=1,
                maximum=999_999_999,
                unit=_("messages"),
            ),
            text(
                "period",
                _("In"),
                _("Whether a day's or a month's messages count."),
                DAY,
                choices=(DAY, MONTH),
                choice_titles={DAY: _("a day"), MONTH: _("a month")},
            ),
            number(
                "price", _("Price"), _("What a segment costs then."), 0.0, required=True, minimum=0, maximum=_HIGHEST
            ),
        ),
        unique=("prefix", "after", "period"),
        parse=promotion_row,
        group=PRICES,
    ),
)


def limit_problems(modem: LimitValues) -> Iterable[FieldError]:
    """Yield which limits of a modem do not go together."""
    if reason := whole_day_problem(limits_of(modem)):
        yield FieldError("quiet_hours", reason)
