"""Every message takes the cheapest way: the example with four operators, two SIMs of one operator, and promotions."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from otppi.api.errors import ModemUnfit
from otppi.api.message import State
from otppi.api.settings import Input
from otppi.host.meter.limits import Limits
from otppi.host.meter.prices import DAY, Promotion, Tariff, tariff_of
from otppi.host.modems.settings import MODEMS
from otppi.host.modems.values import ModemValues
from otppi.host.numbering.numbers import Numbers
from otppi.host.settings.document import read_inputs
from otppi.testing.bench import DispatchBench

MakeBench = Callable[..., DispatchBench]

PAGE = Path(__file__).parents[4] / "docs/routing.md"
OPERATORS = {
    "operator 1": (["62871", "62872"], 50, 350),
    "operator 2": (["62835", "62856", "62837"], 100, 350),
    "operator 3": (["62845"], 60, 250),
    "operator 4": (["62848", "62849"], 90, 200),
}
"""Own prefixes, the price to them, and the price to all others, in rupiah."""

WAYS = {
    "62871": ("operator 1", 50),
    "62872": ("operator 1", 50),
    "62835": ("operator 2", 100),
    "62856": ("operator 2", 100),
    "62837": ("operator 2", 100),
    "62845": ("operator 3", 60),
    "62848": ("operator 4", 90),
    "62849": ("operator 4", 90),
    "62812": ("operator 4", 200),
    "62877": ("operator 4", 200),
    "60123": ("operator 4", 200),
}


def national(prefix: str) -> str:
    """Write a prefix as people in Indonesia do."""
    return "0" + prefix[2:]


def kept(prefixes: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(Numbers("62").prefix, prefixes))


def tariff(name: str, *promotions: str) -> Tariff:
    own, price, others = OPERATORS[name]
    prices = [f"{one}={price}" for one in own]
    return tariff_of(modem_of(name=name, price=float(others), prices=prices, promotions=list(promotions)))


def modem_of(**modem: Any) -> ModemValues:
    (values,), problems = MODEMS.validate_items([modem])
    problems += read_inputs(MODEMS, values, "modems[0]", {Input.PREFIX: Numbers("62").prefix})
    assert problems == []
    return cast("ModemValues", values)


def four_operators(bench: DispatchBench, *, by_price: bool) -> None:
    for name, (own, _, _) in OPERATORS.items():
        if by_price:
            bench.add(name, tariff=tariff(name))
        else:
            named = [] if name == "operator 4" else [national(one) for one in own]
            bench.add(name, tariff=tariff(name), prefixes=kept(named), default=name == "operator 4")


def test_the_manual_has_this_example() -> None:
    by_prefix, by_price = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL))
    assert by_price["sms"] == {"routing": "cheapest"}
    named = {}
    for modem in by_price["modems"]:
        assert tariff_of(modem_of(**modem)) == tariff(modem["name"])
    for modem in by_prefix["modems"]:
        named[modem["name"]] = kept(modem.get("recipient_prefixes", []))
    assert named == {name: tuple(own) for name, (own, _, _) in OPERATORS.items()} | {"operator 4": ()}
    assert [modem["name"] for modem in by_prefix["modems"] if modem.get("default_modem")] == ["operator 4"]


@pytest.mark.parametrize("routing", ["prefix", "cheapest"])
def test_the_example_with_four_operators(make_bench: MakeBench, routing: str) -> None:
    by_price = routing == "cheapest"
    bench = make_bench(cheapest=by_price)
    four_operators(bench, by_price=by_price)
    spent = dict.fromkeys(OPERATORS, 0)
    for prefix, (name, price) in WAYS.items():
        record = bench.enqueue(f"{prefix}000001")
        assert bench.end(record) == (State.SENT,)
        assert record.egress == name, prefix
        spent[name] += price
        account = bench.worker(name).account
        assert account.describe()["today"]["spent"] == spent[name]
    assert spent == {"operator 1": 100, "operator 2": 300, "operator 3": 60, "operator 4": 780}


def test_the_second_cheapest_goes_on_where_the_cheapest_cannot(make_bench: MakeBench) -> None:
    bench = make_bench(cheapest=True)
    four_operators(bench, by_price=True)
    bench.modems["operator 1"].script.append(ModemUnfit("no credit"))
    record = bench.enqueue("6287100000001")
    assert bench.end(record) == (State.SENT,)
    assert record.egress == "operator 4"
    assert bench.worker("operator 1").account.describe()["today"]["spent"] == 0
    assert bench.worker("operator 4").account.describe()["today"]["spent"] == 200
    again = bench.enqueue("6287100000002")  # it stays behind those that work for a while
    assert bench.end(again) == (State.SENT,)
    assert again.egress == "operator 4"


@pytest.mark.parametrize("routing", ["prefix", "cheapest"])
def test_two_cards_of_one_operator_take_turns(make_bench: MakeBench, routing: str) -> None:
    bench = make_bench(cheapest=routing == "cheapest")
    four_operators(bench, by_price=routing == "cheapest")
    named = () if routing == "cheapest" else ("62871", "62872")
    bench.add("operator 1, second card", tariff=tariff("operator 1"), prefixes=named)
    used = []
    for number in range(6):
        record = bench.enqueue(f"628710000{number:04}")
        bench.end(record)
        used.append(record.egress)
    assert used[0] != used[1]
    assert set(used) == {"operator 1", "operator 1, second card"}
    assert used == used[:2] * 3


def test_a_promotion_draws_messages_as_soon_as_it_is_reached(make_bench: MakeBench) -> None:
    bench = make_bench(cheapest=True)
    bench.add("operator 1", tariff=tariff("operator 1", "3/day=30"))
    bench.add("operator 4", tariff=tariff("operator 4"))
    used = []
    for receiver in ("6281200000001", *(f"628710000000{number}" for number in range(3)), "6281200000002"):
        record = bench.enqueue(receiver)
        bench.end(record)
        used.append((record.egress, bench.worker("operator 1").account.price(receiver)))
    assert used == [
        ("operator 4", 350),
        ("operator 1", 50),
        ("operator 1", 50),
        ("operator 1", 30),
        ("operator 1", 30),
    ]
    assert bench.worker("operator 1").account.describe()["today"] == {"messages": 4, "segments": 4, "spent": 180}


def test_a_promotion_counts_those_that_wait_and_ends_with_the_day(make_bench: MakeBench) -> None:
    bench = make_bench(cheapest=True)
    promoted = Tariff(100, (), (Promotion("", 1, DAY, 10),))
    modem = bench.add("promoted", tariff=promoted)
    bench.add("plain", tariff=Tariff(50), prefixes=("62",))
    modem.gate.clear()
    first = bench.enqueue("6281200000001", only="promoted")
    second = bench.enqueue("6281200000002")
    assert second.egress == "promoted"
    modem.gate.set()
    bench.end(first, second)
    bench.now = lambda: second.created + 24 * 3600
    third = bench.enqueue("6281200000003")
    bench.end(third)
    assert third.egress == "plain"


def test_the_cheapest_does_not_go_before_its_quota_or_rate_lets_it(make_bench: MakeBench) -> None:
    bench = make_bench(cheapest=True)
    bench.add("cheap", tariff=Tariff(10), limits=Limits(daily_quota=2))
    bench.add("dear", tariff=Tariff(20), limits=Limits(rate_per_minute=1))
    bench.add("dearest", tariff=Tariff(30))
    records = [bench.enqueue(f"628120000000{number}") for number in range(4)]
    bench.end(*records)
    assert [record.egress for record in records] == ["cheap", "cheap", "dear", "dearest"]
