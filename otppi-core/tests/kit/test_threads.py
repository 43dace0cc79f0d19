"""Threads whose start does not hang where the new one dies before it can say that it runs, for want of memory."""

import threading

import pytest

from otppi.kit import threads
from otppi.kit.threads import PromptThread, prompt
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE


class Stillborn(PromptThread):
    """What the interpreter does where it finds no memory for the first frame of a thread: nothing."""

    def _bootstrap(self) -> None:
        del threading._limbo[self]  # type: ignore[attr-defined]  # else the fixtures take it for one that was left over


def test_a_thread_does_its_work_and_ends() -> None:
    done, go = threading.Event(), threading.Event()

    def work() -> None:
        done.set()
        go.wait(PATIENCE)

    thread = PromptThread(work, "a thread")
    thread.start()
    assert done.wait(PATIENCE)
    assert thread.lives
    assert not thread.end(0.01)
    go.set()
    assert thread.end(10)
    assert not thread.lives


def test_a_start_does_not_wait_for_one_that_never_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[int] = []
    thread = Stillborn(lambda: did.append(1), "a thread")
    thread.start()  # `threading.Thread` would wait here for ever
    assert thread.lives  # it may still begin
    monkeypatch.setattr(threads, "BEGIN_WITHIN", 0.0)
    until(lambda: not thread.lives)
    assert thread.end(10)
    thread.run()  # it begins all the same, much later: another one has its place
    assert did == []


def test_one_that_is_not_there_when_all_ends_never_comes() -> None:
    did: list[int] = []
    thread = Stillborn(lambda: did.append(1), "a thread")
    thread.start()
    assert thread.end(0.01)
    thread.run()
    assert did == []


def test_a_timer_goes_off() -> None:
    done = threading.Event()
    timer = prompt(threading.Timer(0.01, done.set))
    timer.start()
    assert done.wait(PATIENCE)
    timer.join()
