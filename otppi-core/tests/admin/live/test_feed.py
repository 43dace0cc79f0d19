"""The feed: subscribed while it is open, bounded, and nothing more on the thread of an event."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.admin.live.feed import EventFeed
from otppi.api.egress import EgressState
from otppi.api.events import (
    BalanceLow,
    EgressChanged,
    Event,
    MessageChanged,
    MessageEnded,
    MessageEvent,
    MessageSending,
    MessageTaken,
    ServiceChanged,
    SettingsChanged,
)
from otppi.host.runtime.events import EventBus
from otppi.testing.bench import DispatchBench

KINDS = (MessageTaken, MessageSending, MessageEnded, MessageChanged, EgressChanged, ServiceChanged, BalanceLow)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[DispatchBench]:
    with DispatchBench(tmp_path) as running:
        yield running


def test_a_feed_that_is_closed_has_no_event_made() -> None:
    bus = EventBus()
    feed = EventFeed(bus)
    assert [kind for kind in KINDS if bus.wants(kind)] == []
    feed.open()
    feed.open()
    assert [kind for kind in KINDS if bus.wants(kind)] == list(KINDS)
    bus.publish(BalanceLow("m0", 1.0, 2.0))
    feed.close()
    feed.close()
    assert [kind for kind in KINDS if bus.wants(kind)] == []
    assert feed.drain() == []


def test_it_holds_what_came_since_the_last_time_and_no_more_than_its_ring() -> None:
    bus = EventBus()
    feed = EventFeed(bus, kept=3)
    feed.open()
    bus.publish(SettingsChanged(("sms",)))
    events: list[Event] = [BalanceLow("m0", float(number), 9.0) for number in range(5)]
    for one in events:
        bus.publish(one)
    assert feed.drain() == events[2:]
    assert feed.drain() == []


def test_it_hears_of_a_message_and_of_its_modem(bench: DispatchBench) -> None:
    feed = EventFeed(bench.events)
    feed.open()
    bench.add("m0")
    bench.end(bench.enqueue())
    bench.threads["m0"].stop()
    bench.threads["m0"].join(60)
    events = feed.drain()
    states = [one.state for one in events if isinstance(one, EgressChanged)]
    assert states == [EgressState.READY, EgressState.STOPPED]
    assert {type(one) for one in events if isinstance(one, MessageEvent)} == {
        MessageTaken,
        MessageSending,
        MessageEnded,
    }
    feed.close()


def test_the_ring_is_filled_and_taken_by_different_threads() -> None:
    bus = EventBus()
    feed = EventFeed(bus, kept=100_000)
    feed.open()

    def publish() -> None:
        for number in range(2_000):
            bus.publish(BalanceLow("m0", float(number), 9.0))

    threads = [threading.Thread(target=publish) for _ in range(3)]
    for thread in threads:
        thread.start()
    taken = 0
    while any(thread.is_alive() for thread in threads):
        taken += len(feed.drain())
    for thread in threads:
        thread.join()
    assert taken + len(feed.drain()) == 6_000
