"""The example with four operators of the document, and what it comes to."""

import pytest

from otppi.host.meter.examples import EXAMPLES, FOUR, filled
from otppi.host.meter.prices import Tariff, price_of
from otppi.host.numbering.prefixes import prefixes_problem

MODEMS = {f"m{index}": key for index, key in enumerate(FOUR, 1)}


@pytest.mark.parametrize(
    ("receiver", "prices"),
    [
        ("6287100000", (50, 350, 250, 200)),
        ("6287200000", (50, 350, 250, 200)),
        ("6283500000", (350, 100, 250, 200)),
        ("6285600000", (350, 100, 250, 200)),
        ("6284500000", (350, 350, 60, 200)),
        ("6284900000", (350, 350, 250, 90)),
        ("6281200000", (350, 350, 250, 200)),
    ],
)
def test_the_prices_are_those_of_the_document(receiver: str, prices: tuple[float, ...]) -> None:
    found = filled(MODEMS)
    tariffs = [
        Tariff(one["price"], tuple((row["prefix"], row["price"]) for row in one["prices"])) for one in found.values()
    ]
    assert tuple(price_of(one, receiver, lambda *_: 0) for one in tariffs) == prices


def test_the_cheapest_to_all_others_is_the_default_modem() -> None:
    assert [name for name, values in filled(MODEMS).items() if values["default_modem"]] == ["m4"]
    assert [
        name for name, values in filled({"a": "operator-3", "b": "operator-1"}).items() if values["default_modem"]
    ] == ["a"]


def test_operators_whose_prices_nobody_knows_get_prefixes_alone() -> None:
    found = filled({"a": "telkomsel", "b": "operator-1"})
    assert found["a"] == {"recipient_prefixes": list(EXAMPLES["telkomsel"].prefixes)}
    assert "default_modem" not in found["b"]


def test_prefixes_are_of_subscribers_and_nobody_has_another_ones() -> None:
    known = [prefix for key, one in EXAMPLES.items() if key not in FOUR for prefix in one.prefixes]
    assert prefixes_problem(known) is None
    assert len(set(known)) == len(known)
    assert all(len(prefix) == 5 and prefix.startswith("628") for prefix in known)
