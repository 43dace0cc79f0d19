"""What a segment costs: a modem's prices by prefix and its promotions, as pure functions of what it has sent."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from otppi.host.meter.values import LimitValues, PriceRow, PromotionRow
from otppi.text import _

DAY, MONTH = "day", "month"

_AMOUNT = r"(?P<price>[0-9]{1,9}(?:\.[0-9]{1,4})?)"
_PRICE = re.compile(rf"(?P<prefix>[^:=/]+)={_AMOUNT}")
_PROMOTION = re.compile(rf"(?:(?P<prefix>[^:=/]+):)?(?P<after>[1-9][0-9]{{0,8}})/(?P<period>day|month)={_AMOUNT}")


@dataclass(frozen=True, slots=True)
class Promotion:
    """After so many messages to a prefix (empty: to any receiver) within a day or month, a segment costs `price`."""

    prefix: str
    after: int
    period: str
    price: float


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a SIM's operator charges for a segment, in the currency that the administrator counts in."""

    price: float = 0.0
    prices: tuple[tuple[str, float], ...] = ()
    promotions: tuple[Promotion, ...] = ()


def price_of(tariff: Tariff, receiver: str, sent: Callable[[str, str], int]) -> float:
    """Return the price of a segment of the next message to a receiver.

    That is the price of the longest prefix of the receiver's number, else the modem's price for all others; a promotion
    whose number of messages is reached makes it cheaper, never dearer.

    Args:
        tariff: The modem's prices.
        receiver: An MSISDN; an empty one asks for the price of receivers that no prefix names.
        sent: Says how many messages to a prefix the modem has sent in the running `DAY` or `MONTH`.
    """
    longest, price = -1, tariff.price
    for prefix, of_prefix in tariff.prices:
        if len(prefix) > longest and receiver.startswith(prefix):
            longest, price = len(prefix), of_prefix
    for one in tariff.promotions:
        if one.price < price and receiver.startswith(one.prefix) and sent(one.prefix, one.period) >= one.after:
            price = one.price
    return price


def tariff_of(modem: LimitValues) -> Tariff:
    """Read a tariff from a modem's settings, which are valid."""
    return Tariff(
        modem["price"],
        tuple((row["prefix"], row["price"]) for row in modem["prices"]),
        tuple(Promotion(row["prefix"], row["after"], row["period"], row["price"]) for row in modem["promotions"]),
    )


def price_row(text: str) -> PriceRow:
    """Read a row of setting `prices` as earlier versions had it: ``62871=50``.

    Raises:
        ValueError: It has another form.
    """
    found = _match(_PRICE, text, "62871=50")
    return {"prefix": found["prefix"], "price": float(found["price"])}


def promotion_row(text: str) -> PromotionRow:
    """Read a row of setting `promotions` as earlier versions had it: ``100/day=10``, ``62871:100/day=10``.

    Raises:
        ValueError: It has another form.
    """
    found = _match(_PROMOTION, text, _("100/day=10 or 62871:100/day=10"))
    return {
        "prefix": found["prefix"] or "",
        "after": int(found["after"]),
        "period": found["period"],
        "price": float(found["price"]),
    }


def _match(pattern: re.Pattern[str], text: str, example: str) -> re.Match[str]:
    if found := pattern.fullmatch(text):
        return found
    raise ValueError(f"{text!r} is not written as {example}")
