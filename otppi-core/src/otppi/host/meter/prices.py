"""What a segment costs: a modem's prices by prefix and its promotions, as pure functions of what it has sent."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from otppi.host.numbering.prefixes import check_prefix
from otppi.wire.errors import WireError

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
    """Give the price of a segment of the next message to a receiver.

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


def tariff_of(modem: Mapping[str, Any]) -> Tariff:
    """Read a tariff from a modem's settings, which are valid."""
    return Tariff(modem["price"], tuple(map(_price, modem["prices"])), tuple(map(_promotion, modem["promotions"])))


def prices_problem(texts: list[str]) -> str | None:
    """Say what is wrong with setting `prices`, if anything is."""
    return _problem(texts, _price, "62871=50")


def promotions_problem(texts: list[str]) -> str | None:
    """Say what is wrong with setting `promotions`, if anything is."""
    return _problem(texts, _promotion, "100/day=10 or 62871:100/day=10")


def _problem(texts: list[str], read: Callable[[str], object], example: str) -> str | None:
    for text in texts:
        try:
            read(text)
        except WireError as error:
            return f"{text!r} does not begin with a prefix: {error}"
        except ValueError:
            return f"{text!r} is not written as {example}"
    written = [text.rpartition("=")[0] for text in texts]
    twice = next((one for one in written if written.count(one) > 1), None)
    return None if twice is None else f"{twice!r} is there twice"


def _price(text: str) -> tuple[str, float]:
    found = _match(_PRICE, text)
    check_prefix(found["prefix"])
    return found["prefix"], float(found["price"])


def _promotion(text: str) -> Promotion:
    found = _match(_PROMOTION, text)
    if found["prefix"] is not None:
        check_prefix(found["prefix"])
    return Promotion(found["prefix"] or "", int(found["after"]), found["period"], float(found["price"]))


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    if found := pattern.fullmatch(text):
        return found
    raise ValueError("it has another form")
