"""What the settings of a modem's limits and prices hold, for mypy."""

from typing import TypedDict


class QuietRow(TypedDict):
    """A part of each day, by the device's time zone."""

    start: str
    end: str


class PriceRow(TypedDict):
    """What a segment costs to receivers whose number starts so."""

    prefix: str
    price: float


class PromotionRow(TypedDict):
    """What a segment costs after so many messages in a day or month."""

    prefix: str
    after: int
    period: str
    price: float


class LimitValues(TypedDict):
    """The values of `otppi.host.meter.settings.LIMIT_SETTINGS`."""

    rate_per_minute: int
    daily_quota: int
    monthly_quota: int
    monthly_receivers: int
    quiet_hours: list[QuietRow]
    quiet_for: str
    price: float
    prices: list[PriceRow]
    promotions: list[PromotionRow]
