"""A connection that is kept: pauses, what people are told, and stopping at any moment."""

import logging
import threading
import time
from collections.abc import Callable

import pytest

from otppi.kit.net import link as link_module
from otppi.kit.net.link import Link, LinkLost
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE


def make(**options: float) -> Link:
    return Link("ingress-x", "localhost:1", **{"first": 0.001, "cap": 0.002, **options})


def keep(link: Link, session: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=link.keep, args=(session,))
    thread.start()
    return thread


def test_it_is_tried_again_until_it_works_and_then_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    link, sessions = make(), []
    seen = list[dict[str, object]]()

    def session() -> None:
        sessions.append(1)
        if len(sessions) < 4:
            raise LinkLost("nobody listens")
        seen.append(link.describe())
        link.connected("taking")
        seen.append(link.describe())
        link.stop()

    keep(link, session).join()
    before, after = seen
    assert (before["connected"], before["attempts"], before["last_problem"]) == (False, 3, "nobody listens")
    assert before["detail"] == "waiting to connect again"
    assert (after["connected"], after["attempts"], after["last_problem"], after["detail"]) == (True, 0, None, "taking")
    assert link.describe()["connected"] is False
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2, "a reason is logged once, however often it is tried"
    assert lines[0].startswith("ingress-x: no connection to localhost:1: nobody listens; tried again in ")
    assert lines[1] == "ingress-x: connected to localhost:1"


def test_another_reason_is_logged_and_so_is_the_same_one_after_a_success(caplog: pytest.LogCaptureFixture) -> None:
    link, steps = make(), iter(["one", "one", "two", "", "two", "stop"])

    def session() -> None:
        step = next(steps)
        if step == "stop":
            link.stop()
        elif not step:
            link.connected()
        else:
            raise LinkLost(step)

    keep(link, session).join()
    reasons = [record.getMessage().split(": ")[2].split(";")[0] for record in caplog.records if record.levelno > 20]
    assert reasons == ["one", "two", "two"]


def test_a_reason_that_stays_is_repeated_now_and_then(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(link_module, "_SAID_AGAIN", -1.0)
    link, sessions = make(), []

    def session() -> None:
        sessions.append(1)
        if len(sessions) == 3:
            link.stop()
        raise LinkLost("gone")

    keep(link, session).join()
    assert len(caplog.records) == 2


def test_stop_ends_the_pause_at_once() -> None:
    link = make(first=1000, cap=1000)

    def session() -> None:
        raise LinkLost("gone")

    thread = keep(link, session)
    until(lambda: link.describe()["detail"] == "waiting to connect again")
    assert not link.stopping
    link.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert link.stopping


def test_what_is_lost_while_it_stops_is_no_problem(caplog: pytest.LogCaptureFixture) -> None:
    link = make()

    def session() -> None:
        link.stop()
        raise LinkLost("closed")

    keep(link, session).join()
    assert caplog.records == []
    assert link.describe()["last_problem"] is None


def test_a_session_that_returns_is_called_again_at_once() -> None:
    link, sessions = make(first=1000), []

    def session() -> None:
        sessions.append(1)
        if len(sessions) == 3:
            link.stop()

    thread = keep(link, session)
    thread.join(PATIENCE)
    assert len(sessions) == 3


def test_another_error_is_for_the_supervisor_and_the_link_is_not_connected() -> None:
    link = make()

    def session() -> None:
        link.connected()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        link.keep(session)
    assert link.describe()["connected"] is False


def test_pauses_grow_and_shrink_again_after_a_connection_that_held(monkeypatch: pytest.MonkeyPatch) -> None:
    link, pauses = make(first=1, cap=8), list[float]()
    monkeypatch.setattr(link._stopping, "wait", pauses.append)
    steady = iter([False, False, False, True, False])

    def session() -> None:
        try:
            held = next(steady)
        except StopIteration:
            link.stop()
            return
        link.connected()
        monkeypatch.setattr(link_module, "_STEADY", -1.0 if held else 1000.0)
        raise LinkLost("gone")

    link.keep(session)
    assert pauses[0] < 1.3 < pauses[1] < 2.5 < pauses[2]
    assert pauses[3] < 1.3 < pauses[4] < 2.5


def test_what_it_does_now_is_said_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    link = make()
    monkeypatch.setattr(time, "time", lambda: 1_000.0)
    link.say("no modem may send")
    assert (link.describe()["detail"], link.describe()["since"]) == ("no modem may send", 1000)
    monkeypatch.setattr(time, "time", lambda: 2_000.0)
    link.say("no modem may send")
    assert link.describe()["since"] == 1000, "since when it has been so"


def test_a_thread_that_does_not_come_when_it_is_called_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    link, rung = make(), list[str]()
    wake = link.calling(lambda: rung.append("rung"))
    now = 1_000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    wake()
    now += 1_000
    assert link.stalled() == "", "nobody is to come while there is no connection"
    link.connected()
    assert link.stalled() == "", "it may come now"
    now += 61
    wake()
    assert link.stalled() == "its connection's thread has done nothing for 61 s"
    link.came()
    assert link.stalled() == ""
    now += 1_000
    assert link.stalled() == "", "nobody has called since"
    assert rung == ["rung", "rung"]
