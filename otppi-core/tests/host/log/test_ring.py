"""What is kept of the log: the newest lines, warnings longer, within bounds; and how the operation tells it."""

import logging
import threading
import time

import pytest

from otppi.host.log.operations import OPERATIONS
from otppi.host.log.ring import LONGEST, LogLine, LogRing
from otppi.host.runtime.registry import COMMAND_LINE, Registry
from otppi.testing.waiting import PATIENCE


def add(ring: LogRing, *lines: str, level: int = logging.INFO, name: str = "otppi.host.modems.worker") -> None:
    for one in lines:
        ring.add(1_000.5, level, name, f"{name}: {one}")


def words(lines: list[LogLine]) -> list[str]:
    return [one.line.partition(": ")[2] for one in lines]


def test_the_newest_lines_stay_and_warnings_longer() -> None:
    ring = LogRing(newest=3, grave=2)
    add(ring, "first", "second", level=logging.ERROR)
    add(ring, "a", "b", "c", "d")
    assert words(ring.since(0)) == ["first", "second", "b", "c", "d"]
    add(ring, "third", level=logging.WARNING)
    assert words(ring.since(0)) == ["second", "c", "d", "third"], "one that is in both is told once"


def test_what_came_after_a_line() -> None:
    ring = LogRing()
    add(ring, "a", "b")
    seen = ring.last
    assert ring.since(seen) == []
    add(ring, "c")
    assert words(ring.since(seen)) == ["c"]
    assert words(ring.since(ring.last + 1_000)) == ["a", "b", "c"], "a number of another run, by a clock that was ahead"
    assert LogRing().last > 1_600_000_000_000, "those of the next run are greater"


def test_a_long_line_is_cut() -> None:
    ring = LogRing()
    ring.add(0, logging.INFO, "x", "x" * 100_000)
    (one,) = ring.since(0)
    assert len(one.line) < LONGEST + 10


@pytest.mark.parametrize(
    ("name", "room"),
    [
        ("otppi.host.modems.worker", "modems"),
        ("otppi.admin.live.hub", "admin"),
        ("otppi.host", "host"),
        ("otppi", "otppi"),
        ("otppi_ingress_rest.ingress", "otppi_ingress_rest"),
        ("pika.adapters", "pika"),
        ("root", "root"),
    ],
)
def test_whose_line_it_is(name: str, room: str) -> None:
    assert LogLine(1, 0.0, 20, name, "").room == room


def test_who_waits_is_told_at_once() -> None:
    ring, found = LogRing(), []
    seen = ring.last
    waiting = threading.Thread(
        target=lambda: found.extend(ring.wait(seen, lambda one: one.level >= logging.ERROR, PATIENCE))
    )
    begun = time.monotonic()
    waiting.start()
    add(ring, "nothing")
    add(ring, "broken", level=logging.ERROR)
    waiting.join(PATIENCE)
    assert words(found) == ["broken"]
    assert time.monotonic() - begun < PATIENCE
    assert ring.wait(ring.last, lambda one: True, 0.01) == []


@pytest.fixture
def registry() -> Registry:
    ring = LogRing()
    add(ring, "modem m0 is ready")
    add(ring, "modem m1 is Ready", level=logging.WARNING, name="otppi_modem_huawei.driver")
    add(ring, "it failed", level=logging.CRITICAL, name="pika")
    return Registry(OPERATIONS, [ring])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [0, 1, 2]),
        ({"level": "warning"}, [1, 2]),
        ({"level": "error"}, [2]),
        ({"room": "modems"}, [0]),
        ({"room": "otppi_modem_huawei"}, [1]),
        ({"words": "READY modem"}, [0, 1]),
        ({"words": "m0 failed"}, []),
        ({"limit": 1}, [2]),
        ({"wait": 0.01, "words": "nowhere"}, []),
    ],
)
def test_the_operation_tells_what_is_wanted(registry: Registry, wanted: dict[str, object], found: list[int]) -> None:
    everything = registry.call("log", {}, COMMAND_LINE)
    assert [one["level"] for one in everything] == ["info", "warning", "critical"]
    assert registry.call("log", wanted, COMMAND_LINE) == [everything[one] for one in found]
    last = everything[-1]["number"]
    assert registry.call("log", {"after": last}, COMMAND_LINE) == []
