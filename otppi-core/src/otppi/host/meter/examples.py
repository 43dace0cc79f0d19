"""Operators whose prefixes, and prices where there are any, are filled in as an example; pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from otppi.text import _


@dataclass(frozen=True, slots=True)
class ExampleOperator:
    """An operator as an example has it.

    Attributes:
        title: What people call it.
        prefixes: With which its subscribers' numbers begin.
        own: What a segment to these costs; None where the example knows no price.
        others: What a segment to all others costs.
    """

    title: str
    prefixes: tuple[str, ...]
    own: float | None = None
    others: float | None = None


EXAMPLES: Final[Mapping[str, ExampleOperator]] = MappingProxyType(
    {
        # The example with four operators of the document that the gateway was asked for (docs/routing.md).
        "operator-1": ExampleOperator(_("Operator {number}", number=1), ("62871", "62872"), 50.0, 350.0),
        "operator-2": ExampleOperator(_("Operator {number}", number=2), ("62835", "62856", "62837"), 100.0, 350.0),
        "operator-3": ExampleOperator(_("Operator {number}", number=3), ("62845",), 60.0, 250.0),
        "operator-4": ExampleOperator(_("Operator {number}", number=4), ("62848", "62849"), 90.0, 200.0),
        # The prefixes of Indonesian operators; what they charge depends on the SIM card's plan.
        "telkomsel": ExampleOperator(
            "Telkomsel",
            ("62811", "62812", "62813", "62821", "62822", "62823", "62851", "62852", "62853"),
        ),
        "indosat": ExampleOperator("Indosat", ("62814", "62815", "62816", "62855", "62856", "62857", "62858")),
        "xl": ExampleOperator(
            "XL", ("62817", "62818", "62819", "62831", "62832", "62833", "62838", "62859", "62877", "62878")
        ),
        "tri": ExampleOperator("Tri", ("62895", "62896", "62897", "62898", "62899")),
    }
)
FOUR: Final = ("operator-1", "operator-2", "operator-3", "operator-4")
"""The example of the document, one for each of four modems."""


def filled(chosen: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the settings that the operators of some modems come to, by the modem.

    Where all of them have prices, the modem that is cheapest to all others is the default one, and no other is.

    Args:
        chosen: The key of an operator by the name of each modem.
    """
    found: dict[str, dict[str, Any]] = {}
    for modem, key in chosen.items():
        one = EXAMPLES[key]
        found[modem] = {"recipient_prefixes": list(one.prefixes)}
        if one.own is not None:
            prices = [{"prefix": prefix, "price": one.own} for prefix in one.prefixes]
            found[modem] |= {"price": one.others, "prices": prices}
    others = {modem: EXAMPLES[key].others for modem, key in chosen.items()}
    known = {modem: price for modem, price in others.items() if price is not None}
    if known and len(known) == len(chosen):
        cheapest = min(known, key=lambda modem: known[modem])
        for modem, values in found.items():
            values["default_modem"] = modem == cheapest
    return found
