"""The settings of a modem for what it may send, when, and what that costs."""

from otppi.api.settings import integer, number, text, text_list
from otppi.host.meter.limits import quiet_hours_problem
from otppi.host.meter.prices import prices_problem, promotions_problem

_QUOTAS = tuple(
    integer(key, title, help_, 0, minimum=0, maximum=100_000_000, unit=unit)
    for key, title, help_, unit in (
        ("daily_quota", "Daily Quota", "Segments that it sends in a day at most; 0: no quota.", "segments"),
        ("monthly_quota", "Monthly Quota", "Segments that it sends in a month at most; 0: no quota.", "segments"),
        (
            "monthly_receivers",
            "Receivers a Month",
            "Different receivers that it sends to in a calendar month at most, counted from when this is set; 0: any.",
            "receivers",
        ),
    )
)

LIMIT_SETTINGS = (
    integer(
        "rate_per_minute",
        "Rate",
        "Messages that it sends in any minute at most; more wait, or go by others. 0: as many as it can.",
        0,
        minimum=0,
        maximum=6000,
        unit="messages",
    ),
    *_QUOTAS,
    text_list(
        "quiet_hours",
        "Quiet Hours",
        "Times of day when it sends no bulk messages, such as 22:00-06:00 by the device's time zone.",
        check=quiet_hours_problem,
    ),
    text(
        "quiet_for",
        "Quiet For",
        "Whether quiet hours hold back bulk messages only, or OTPs too.",
        "bulk",
        choices=("bulk", "all"),
    ),
    number(
        "price",
        "Price",
        "What a segment costs, to receivers that no prefix of the prices names; in your currency.",
        0.0,
        minimum=0,
        maximum=1_000_000_000,
    ),
    text_list(
        "prices",
        "Prices by Prefix",
        "What a segment costs to receivers whose number starts so: 62871=50; the longest prefix counts.",
        check=prices_problem,
    ),
    text_list(
        "promotions",
        "Promotions",
        "A lower price after so many messages in a day or month: 100/day=10, to one prefix: 62871:100/day=10.",
        check=promotions_problem,
    ),
)
