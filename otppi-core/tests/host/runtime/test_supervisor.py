"""Supervised threads: started again, seen, and ended."""

import sys
import threading

import pytest

from otppi.host.runtime import supervisor
from otppi.host.runtime.supervisor import Supervised, ThreadState, Watch, end_all
from otppi.kit.net.back_off import Backoff
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE


class QuickBackoff(Backoff):
    """Waits hardly."""

    def delay(self) -> float:
        return super().delay() * 0.001


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "Backoff", QuickBackoff)


class Body:
    """Fails as often as it is told to, then runs until it is stopped."""

    def __init__(self, failures: int = 0, error: BaseException | None = None) -> None:
        self.stopped = threading.Event()
        self.runs = 0
        self._failures = failures
        self._error = error

    def run(self) -> None:
        self.runs += 1
        if self.runs <= self._failures:
            if self._error is None:
                return
            raise self._error
        self.stopped.wait(PATIENCE)


@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit(3), None], ids=["raises", "exits", "returns"])
def test_a_body_that_ends_is_started_again_and_seen(
    error: BaseException | None, caplog: pytest.LogCaptureFixture
) -> None:
    body = Body(3, error)
    thread = Supervised("a thread", body.run, body.stopped.set)
    assert thread.supervision.state is ThreadState.STOPPED
    thread.start()
    until(lambda: body.runs == 4 and thread.supervision.state is ThreadState.RUNNING)
    # A strange error's own sentence might quote a message.
    wanted = "it ended without being told to" if error is None else type(error).__name__
    assert (thread.supervision.failures, thread.supervision.last_error) == (3, wanted)
    assert caplog.text.count("a thread failed; it will be started again in ") == 3
    thread.stop()
    assert thread.join(PATIENCE)
    assert thread.supervision.state is ThreadState.STOPPED
    assert thread.supervision.failures == 3


def test_stop_ends_the_wait_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuickBackoff, "delay", lambda _: 60.0)
    body = Body(1, ValueError("a bug"))
    thread = Supervised("a thread", body.run, body.stopped.set)
    thread.start()
    until(lambda: thread.supervision.state is ThreadState.WAITING)
    thread.stop()
    assert thread.join(PATIENCE)
    assert body.runs == 1


def test_one_that_was_never_started_can_be_stopped() -> None:
    thread = Supervised("a thread", sys.exit, sys.exit)
    thread.stop()
    assert thread.join(0)


def test_join_tells_of_one_that_does_not_end() -> None:
    body = Body()
    thread = Supervised("a thread", body.run, lambda: None)
    thread.start()
    until(lambda: body.runs == 1)
    thread.stop()
    assert not thread.join(0.01)
    body.stopped.set()
    assert thread.join(PATIENCE)


def _cannot_start(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_one_that_cannot_be_started_is_told_and_started_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    body = Body()
    thread = Supervised("a thread", body.run, body.stopped.set)
    thread.revive()  # nobody has started it: it is left alone
    assert body.runs == 0
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _cannot_start)
        assert not thread.start()
        thread.revive()
    assert thread.supervision.state is ThreadState.WAITING
    assert "no thread can be started" in (thread.supervision.last_error or "")
    assert caplog.text.count("a thread cannot be started now: can't start new thread") == 1
    assert thread.join(0)
    thread.revive()
    until(lambda: body.runs == 1 and thread.supervision.state is ThreadState.RUNNING)
    thread.revive()  # it lives: nothing is done
    thread.stop()
    assert thread.join(PATIENCE)
    thread.revive()  # it was stopped: it stays so
    assert body.runs == 1


def test_one_that_could_not_be_started_and_is_stopped_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    body = Body()
    thread = Supervised("a thread", body.run, body.stopped.set)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _cannot_start)
        thread.start()
    thread.stop()
    thread.revive()
    assert thread.join(PATIENCE)
    assert body.runs == 0


class _Dying(BaseException):
    """What no handler of a thread expects."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_died_is_started_again_by_the_watch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "WATCH_EVERY", 0.01)
    body = Body(1, _Dying())
    thread = Supervised("a thread", body.run, body.stopped.set)
    thread.start()
    until(lambda: body.runs == 1)
    looks: list[int] = []
    watch = Watch(lambda: [thread], [lambda: looks.append(1)])
    watching = Supervised("watch", watch.run, watch.stop)
    watching.start()
    until(lambda: body.runs == 2 and len(looks) > 2)
    end_all([watching, thread], 5)
    assert "a thread died; it is started again" in caplog.text
