"""Supervised threads: started again, seen, and ended."""

import sys
import threading

import pytest

from otppi.host import supervisor
from otppi.host.supervisor import Supervised, ThreadState
from otppi.kit.reconnect import Backoff
from otppi.testing.scripted import until


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
        self.stopped.wait(10)


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
    assert thread.join(5)
    assert thread.supervision.state is ThreadState.STOPPED
    assert thread.supervision.failures == 3


def test_stop_ends_the_wait_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuickBackoff, "delay", lambda _: 60.0)
    body = Body(1, ValueError("a bug"))
    thread = Supervised("a thread", body.run, body.stopped.set)
    thread.start()
    until(lambda: thread.supervision.state is ThreadState.WAITING)
    thread.stop()
    assert thread.join(5)
    assert body.runs == 1


def test_one_that_was_never_started_can_be_stopped() -> None:
    thread = Supervised("a thread", sys.exit, sys.exit)
    thread.stop()
    assert thread.join(0)


def test_join_tells_of_one_that_does_not_end() -> None:
    body = Body()
    thread = Supervised("a thread", body.run, lambda: None)
    thread.start()
    thread.stop()
    assert not thread.join(0.01)
    body.stopped.set()
    assert thread.join(5)
