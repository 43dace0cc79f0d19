"""The worker threads: they grow by those that wait, refuse when all wait, and end."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from otppi.kit import threads
from otppi.kit.threads import PromptThread
from otppi.testing.waiting import PATIENCE, until
from otppi.web import workers
from otppi.web.workers import RUNNING, Workers


class Log:
    """Collects what was done and what was refused; jobs are functions."""

    def __init__(self, limit: int) -> None:
        self.refused: list[Any] = []
        self.pool: Workers[Any] = Workers(lambda job: job(), self.refused.append, limit, "a-server-worker")
        self.pool.start()
        self.gate = threading.Event()
        self.waiting = 0
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self.pool.waiting():
            with self._lock:
                self.waiting += 1
            self.gate.wait(PATIENCE)


@pytest.fixture
def pools() -> Iterator[Any]:
    made: list[Log] = []

    def make(limit: int) -> Log:
        made.append(Log(limit))
        return made[-1]

    yield make
    for log in made:
        log.gate.set()
        log.pool.stop(10)
        assert log.pool.threads == 0


def test_it_grows_by_those_that_wait_and_refuses_when_all_do(pools: Any) -> None:
    log = pools(20)
    for count in range(1, 21):
        log.pool.submit(log.wait)

        def all_wait(expected: int = count) -> bool:
            return bool(log.waiting == expected)

        until(all_wait)
    assert log.pool.waiting_threads == 20
    job = object()
    log.pool.submit(job)
    assert log.refused == [job]
    log.gate.set()
    until(lambda: log.pool.waiting_threads == 0)
    done = threading.Event()
    log.pool.submit(done.set)
    assert done.wait(PATIENCE)


def test_a_burst_of_short_jobs_needs_few_threads(pools: Any) -> None:
    log, done = pools(50), threading.Semaphore(0)
    for _ in range(500):
        log.pool.submit(done.release)
    for _ in range(500):
        assert done.acquire(timeout=PATIENCE)
    assert log.pool.threads <= RUNNING
    assert log.refused == []


def test_jobs_that_are_stuck_behind_the_last_waiting_thread_are_refused(pools: Any) -> None:
    log, hold = pools(2), threading.Event()

    def slow_then_wait() -> None:
        hold.wait(PATIENCE)
        log.wait()

    log.pool.submit(slow_then_wait)
    log.pool.submit(slow_then_wait)
    until(lambda: log.pool.threads == 2)
    stuck = object()
    log.pool.submit(stuck)
    hold.set()
    until(lambda: log.refused == [stuck])


def test_every_job_is_done_or_refused_whatever_happens(pools: Any) -> None:
    log, lock, outcomes = pools(5), threading.Lock(), []

    def job() -> None:
        with log.pool.waiting():
            pass
        with lock:
            outcomes.append(1)

    threads = [threading.Thread(target=lambda: [log.pool.submit(job) for _ in range(300)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(outcomes) + len(log.refused) == 1200)


def test_idle_threads_go_but_one(pools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.05)
    log = pools(9)
    for _ in range(8):
        log.pool.submit(log.wait)
    until(lambda: log.waiting == 8)
    log.gate.set()
    until(lambda: log.pool.threads == 1)
    done = threading.Event()
    log.pool.submit(done.set)
    assert done.wait(PATIENCE)


def test_a_job_that_fails_is_logged_and_its_thread_goes_on(pools: Any, caplog: pytest.LogCaptureFixture) -> None:
    log, done = pools(3), threading.Event()
    log.pool.submit(lambda: [][0])
    log.pool.submit(done.set)
    assert done.wait(PATIENCE)
    until(lambda: "could not be answered" in caplog.text)


def test_after_stop_jobs_are_refused(pools: Any) -> None:
    log = pools(3)
    log.pool.stop(10)
    log.pool.submit("late")
    assert log.refused == ["late"]


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Have pthread_create fail as it does where memory or the number of processes is short; gives who was refused."""
    refused: list[str] = []
    start = threading.Thread.start

    def fail(thread: threading.Thread) -> None:
        if thread.name.startswith("a-server"):
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", fail)
    yield refused
    monkeypatch.undo()


def test_threads_that_could_not_be_started_take_up_no_place(
    pools: Any, no_threads: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log, done = pools(50), threading.Semaphore(0)
    for _ in range(3 * RUNNING):
        log.pool.submit(done.release)
    assert len(no_threads) > 2 * RUNNING
    assert log.pool.threads == 0
    log.pool.tend()
    assert "threads could not be started" in caplog.text
    assert log.refused == []  # they wait: it may last a moment only
    monkeypatch.undo()
    log.pool.tend()
    for _ in range(3 * RUNNING):
        assert done.acquire(timeout=PATIENCE)
    assert log.pool.stalled() == ""


def _die(thread: threading.Thread) -> None:
    del threading._limbo[thread]  # type: ignore[attr-defined]  # else it would count as one that was left over


def test_threads_that_never_begin_take_up_no_place_for_long(pools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory is short a thread may die before it says that it runs: its start hung the gate's thread for good."""
    log, done = pools(50), threading.Semaphore(0)
    log.pool.submit(log.wait)
    until(lambda: log.waiting == 1)
    with monkeypatch.context() as patch:
        patch.setattr(PromptThread, "_bootstrap", _die)
        for _ in range(RUNNING):
            log.pool.submit(log.wait)
    with monkeypatch.context() as patch:
        patch.setattr(threads, "BEGIN_WITHIN", -1.0)
        log.pool.tend()
    for _ in range(RUNNING):
        log.pool.submit(done.release)
    log.gate.set()
    for _ in range(RUNNING):
        assert done.acquire(timeout=PATIENCE)
    until(lambda: log.waiting == 1 + RUNNING)


def test_whoever_waits_goes_on_waiting_where_no_thread_takes_the_place(
    pools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, refused = pools(50), []

    def fail(thread: threading.Thread) -> None:
        refused.append(thread.name)
        raise RuntimeError("can't start new thread")

    log.pool.submit(log.wait)
    until(lambda: log.waiting == 1)
    monkeypatch.setattr(threading.Thread, "start", fail)
    for _ in range(5):  # more than there can be threads
        log.pool.submit(log.wait)
    until(lambda: log.pool.waiting_threads == log.pool.threads)
    assert refused
    log.gate.set()
    until(lambda: log.waiting == 6 and log.pool.waiting_threads == 0)
    assert log.refused == []


def test_jobs_that_nobody_begins_are_refused_in_time(
    pools: Any, no_threads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 0.0)
    log = pools(9)
    log.pool.submit("early")
    log.pool.submit("late")
    log.pool.tend()
    assert log.refused == ["early", "late"]
    assert log.pool.stalled() == ""  # no thread is stuck: there is none


def test_threads_that_are_stuck_are_told(pools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 0.0)
    monkeypatch.setattr(workers, "STALLED_AFTER", 0.05)
    log = pools(1)
    begun = threading.Event()

    def stick() -> None:
        begun.set()
        log.gate.wait(PATIENCE)

    log.pool.submit(stick)
    assert begun.wait(PATIENCE)  # else it is refused as one that nobody begins

    def looks_stuck() -> bool:
        log.pool.submit("more")
        log.pool.tend()
        return "answered nothing" in log.pool.stalled()

    until(looks_stuck)
    log.gate.set()
    done = threading.Event()
    log.pool.submit(done.set)
    assert done.wait(PATIENCE)
    until(lambda: log.pool.stalled() == "")


def test_nobody_waits_behind_jobs_that_are_slow_and_do_not_say_so(pools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 9, E22: remembered credentials never wait behind anything slow on the workers."""
    monkeypatch.setattr(workers, "SLOW", 0.01)
    log, began = pools(9), threading.Semaphore(0)

    def slow() -> None:
        began.release()
        log.gate.wait(PATIENCE)

    for _ in range(RUNNING):
        log.pool.submit(slow)
    for _ in range(RUNNING):
        assert began.acquire(timeout=PATIENCE)
    done = threading.Event()
    log.pool.submit(done.set)
    until(lambda: log.pool.tend() or done.is_set())
    assert log.refused == []
