"""What a segment costs: the longest prefix, and promotions that make it cheaper."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.host.meter.prices import (
    DAY,
    MONTH,
    Promotion,
    Tariff,
    price_of,
    tariff_of,
)
from otppi.host.modems.settings import MODEMS
from otppi.host.modems.values import ModemValues

ANI, BUDI = "6287100000001", "6281200000001"
AMOUNTS = st.decimals(0, 1000, places=2).map(float)
PREFIXES = st.sampled_from(["62", "628", "62871", "628710", "62812"])
TARIFFS = st.builds(
    Tariff,
    price=AMOUNTS,
    prices=st.lists(st.tuples(PREFIXES, AMOUNTS), max_size=4, unique_by=lambda one: one[0]).map(tuple),
    promotions=st.lists(
        st.builds(Promotion, st.just("") | PREFIXES, st.integers(1, 9), st.just(DAY), AMOUNTS),
        max_size=4,
    ).map(tuple),
)


def price(tariff: Tariff, receiver: str, counts: dict[tuple[str, str], int] | None = None) -> float:
    return price_of(tariff, receiver, lambda prefix, period: (counts or {}).get((prefix, period), 0))


def test_the_longest_prefix_counts() -> None:
    tariff = Tariff(350, (("62", 300), ("62871", 50), ("628", 250)))
    assert [price(tariff, one) for one in (ANI, BUDI, "60123456789", "")] == [50, 250, 350, 350]


def test_a_promotion_begins_after_its_number_of_messages() -> None:
    tariff = Tariff(100, (), (Promotion("", 100, DAY, 10),))
    assert [price(tariff, ANI, {("", DAY): count}) for count in (0, 99, 100, 1000)] == [100, 100, 10, 10]
    assert price(tariff, ANI, {("", MONTH): 100}) == 100


def test_a_promotion_of_a_prefix_is_for_its_receivers_and_by_their_number() -> None:
    tariff = Tariff(100, (("62871", 50),), (Promotion("62871", 10, MONTH, 5),))
    assert price(tariff, ANI, {("62871", MONTH): 10}) == 5
    assert price(tariff, ANI, {("", MONTH): 10}) == 50
    assert price(tariff, BUDI, {("62871", MONTH): 10, ("", MONTH): 10}) == 100


@given(TARIFFS, st.integers(0, 10), st.integers(0, 10))
def test_more_messages_never_make_it_dearer(tariff: Tariff, some: int, more: int) -> None:
    before, after = (price_of(tariff, ANI, lambda prefix, period, n=n: n) for n in (some, some + more))  # type: ignore[misc]
    assert 0 <= after <= before <= price(tariff, ANI)


def test_settings_are_read() -> None:
    modem = {"prices": ["62871=50", "62872=49.5"], "promotions": ["100/day=10", "62871:5/month=0"]}
    assert tariff_of(settings_of(price=350.0, **modem)) == Tariff(
        350.0, (("62871", 50.0), ("62872", 49.5)), (Promotion("", 100, DAY, 10.0), Promotion("62871", 5, MONTH, 0.0))
    )


@pytest.mark.parametrize(
    "text", ["62871", "=50", "62871=", "62871=-5", "62871=1e3", "62871=5,5", "628x=5", "62871=50=50", "62871=1.23456"]
)
def test_a_price_that_cannot_be_read(text: str) -> None:
    assert problems_of(prices=["0812=5", text]) == ["modems[0].prices[1]" + (".prefix" if "x" in text else "")]


@pytest.mark.parametrize(
    "text",
    ["100=10", "100/week=10", "0/day=10", "-1/day=10", "100/day", "100/day=", ":100/day=10", "x:1/day=1", "1.5/day=1"],
)
def test_a_promotion_that_cannot_be_read(text: str) -> None:
    assert problems_of(promotions=["0812:100/day=10", text]) == [
        "modems[0].promotions[1]" + (".prefix" if "x" in text else "")
    ]


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ({"prefix": "62871"}, ".price"),
        ({"prefix": "62871", "price": -5}, ".price"),
        ({"prefix": "628x", "price": 5}, ".prefix"),
        ({"prefix": "", "price": 5}, ".prefix"),
        ({"prefix": "62871", "price": 5, "period": "day"}, ".period"),
    ],
)
def test_a_row_of_prices_that_cannot_be_used(row: dict[str, Any], place: str) -> None:
    assert problems_of(prices=[row]) == [f"modems[0].prices[0]{place}"]


def test_the_same_is_not_said_twice() -> None:
    assert problems_of(prices=["0812=5", "0813=5"]) == []
    assert problems_of(prices=["0812=5", "0812=6"]) == ["modems[0].prices[1].prefix"]
    assert problems_of(promotions=["100/day=5", "100/month=5", "200/day=4"]) == []
    assert problems_of(promotions=["100/day=5", "100/day=4"]) == ["modems[0].promotions[1].prefix"]


def settings_of(**modem: Any) -> ModemValues:
    (values,), problems = MODEMS.validate_items([{"name": "m0", **modem}])
    assert problems == []
    return cast("ModemValues", values)


def problems_of(**modem: Any) -> list[str]:
    return [problem.field for problem in MODEMS.validate_items([{"name": "m0", **modem}])[1]]
