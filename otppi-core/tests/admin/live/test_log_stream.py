"""The log as it comes: what pages are told of it, and that one which never reads is let go."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from otppi.admin.live.hub import WatcherLimits
from otppi.admin.live.log import THREAD, LogHub
from otppi.host.log.ring import LogRing
from otppi.testing.waiting import until
from otppi.web.stream import BEHIND

from .conftest import Watching


def add(ring: LogRing, *lines: str, level: int = logging.INFO) -> None:
    for one in lines:
        ring.add(1_000.5, level, "otppi.host.modems.worker", f"otppi.host.modems.worker: {one}")


class Logged:
    """A server with the hub of a log."""

    def __init__(self) -> None:
        self.ring = LogRing()
        self.served: list[Watching] = []

    def __call__(self, **limits: Any) -> Watching:
        self.served.append(Watching(LogHub(self.ring, WatcherLimits(**{"watchers": 8, "per_session": 2} | limits))))
        return self.served[-1]


@pytest.fixture
def logged() -> Iterator[Logged]:
    before = set(threading.enumerate())
    one = Logged()
    yield one
    for served in one.served:
        served.stop()
    until(lambda: set(threading.enumerate()) <= before, "the threads of the test end")


def words(told: Any) -> list[str]:
    return [one["text"].partition(": ")[2] for one in told.data.get("lines", ())]


def test_a_page_is_told_what_came_since_it_was_made_and_then_what_comes(logged: Logged) -> None:
    add(logged.ring, "before")
    made = logged.ring.last
    add(logged.ring, "meanwhile")
    browser = logged().watch(last_event_id=str(made))
    first = browser.until("lines")
    assert (words(first), first.event_id, first.retry) == (["meanwhile"], str(logged.ring.last), "3000")
    (line,) = first.data["lines"]
    assert (line["level"], line["look"], line["room"]) == ("info", "off", "modems")
    add(logged.ring, "a", "b")
    told = browser.until("lines")
    while words(told)[-1:] != ["b"]:
        told = browser.until("lines")
    assert told.event_id == str(logged.ring.last)
    back = logged.served[0].watch(last_event_id=str(made + 1))
    assert words(back.until("lines")) == ["a", "b"]


@pytest.mark.parametrize("strange", ["", "x", "-1", "9" * 30, "1 OR 1"])
def test_who_says_nothing_of_what_was_seen_is_told_what_comes(logged: Logged, strange: str) -> None:
    add(logged.ring, "before")
    browser = logged().watch(last_event_id=strange)
    first = browser.told()
    assert first is not None
    add(logged.ring, "after")
    assert "after" in words(browser.until("lines", lambda data: "after" in str(data)))


def test_a_flood_is_told_in_few_events_and_says_what_it_leaves_out(logged: Logged) -> None:
    browser = logged().watch(last_event_id=str(logged.ring.last))
    browser.until("ping")
    add(logged.ring, *(f"{number} {'x' * 300}" for number in range(1_000)))
    told = [browser.until("lines")]
    while not words(told[-1])[-1].startswith("999 "):
        told.append(browser.until("lines"))
    assert len(told) <= 3
    assert sum(len(words(one)) + one.data["left_out"] for one in told) == 1_000
    assert max(one.data["left_out"] for one in told) > 100
    assert len(browser.received) < 2 * BEHIND


def test_a_page_that_never_reads_is_let_go_while_others_go_on(logged: Logged) -> None:
    served = logged()
    lazy = served.watch("lazy", receive_buffer=4096)
    good = served.watch("good", str(logged.ring.last))
    good.until("ping")
    until(lambda: served.hub.watchers == 2)
    count = 0
    while served.hub.watchers == 2:
        count += 1
        add(logged.ring, *(f"{count} {'x' * 400}" for _ in range(200)))
        newest = f": {count} "
        while newest not in good.until("lines").data["lines"][-1]["text"]:
            pass
    add(logged.ring, "the last one")
    good.until("lines", lambda data: "the last one" in data["lines"][-1]["text"])
    assert served.hub.watchers == 1
    lazy.close()


def test_nothing_lives_while_nobody_watches(logged: Logged) -> None:
    served = logged(per_session=1)
    one = served.watch("a")
    one.until("ping")
    assert served.watch("a").status()[0] == 503
    assert [thread.name for thread in threading.enumerate()].count(THREAD) == 1
    one.close()
    until(lambda: THREAD not in {thread.name for thread in threading.enumerate()})


def test_what_is_in_a_line_cannot_end_the_event(logged: Logged) -> None:
    browser = logged().watch(last_event_id=str(logged.ring.last))
    browser.until("ping")
    add(logged.ring, "\n\nevent: snapshot\ndata: {}\n\n\u2028\u202e")
    (line,) = browser.until("lines").data["lines"]
    assert "\n" in line["text"] or "\u240a" in line["text"]
    assert "\u202e" not in line["text"]
