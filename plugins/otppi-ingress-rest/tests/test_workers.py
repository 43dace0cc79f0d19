"""The worker threads: they grow by those that wait, refuse when all wait, and end."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from otppi_ingress_rest import workers
from otppi_ingress_rest.workers import RUNNING, Workers


class Log:
    """Collects what was done and what was refused; jobs are functions."""

    def __init__(self, limit: int) -> None:
        self.refused: list[Any] = []
        self.pool: Workers[Any] = Workers(lambda job: job(), self.refused.append, limit)
        self.pool.start()
        self.gate = threading.Event()
        self.waiting = 0
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self.pool.waiting():
            with self._lock:
                self.waiting += 1
            self.gate.wait(10)


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


def test_it_grows_by_those_that_wait_and_refuses_when_all_do(pools: Any, http: Any) -> None:
    log = pools(20)
    for count in range(1, 21):
        log.pool.submit(log.wait)
        http.eventually(lambda expected=count: log.waiting == expected)
    assert log.pool.waiting_threads == 20
    job = object()
    log.pool.submit(job)
    assert log.refused == [job]
    log.gate.set()
    http.eventually(lambda: log.pool.waiting_threads == 0)
    done = threading.Event()
    log.pool.submit(done.set)
    assert done.wait(10)


def test_a_burst_of_short_jobs_needs_few_threads(pools: Any) -> None:
    log, done = pools(50), threading.Semaphore(0)
    for _ in range(500):
        log.pool.submit(done.release)
    for _ in range(500):
        assert done.acquire(timeout=10)
    assert log.pool.threads <= RUNNING
    assert log.refused == []


def test_jobs_that_are_stuck_behind_the_last_waiting_thread_are_refused(pools: Any, http: Any) -> None:
    log, hold = pools(2), threading.Event()

    def slow_then_wait() -> None:
        hold.wait(10)
        log.wait()

    log.pool.submit(slow_then_wait)
    log.pool.submit(slow_then_wait)
    http.eventually(lambda: log.pool.threads == 2)
    stuck = object()
    log.pool.submit(stuck)
    hold.set()
    http.eventually(lambda: log.refused == [stuck])


def test_every_job_is_done_or_refused_whatever_happens(pools: Any, http: Any) -> None:
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
    http.eventually(lambda: len(outcomes) + len(log.refused) == 1200)


def test_idle_threads_go_but_one(pools: Any, http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.05)
    log = pools(9)
    for _ in range(8):
        log.pool.submit(log.wait)
    http.eventually(lambda: log.waiting == 8)
    log.gate.set()
    http.eventually(lambda: log.pool.threads == 1)
    done = threading.Event()
    log.pool.submit(done.set)
    assert done.wait(10)


def test_a_job_that_fails_is_logged_and_its_thread_goes_on(
    pools: Any, http: Any, caplog: pytest.LogCaptureFixture
) -> None:
    log, done = pools(3), threading.Event()
    log.pool.submit(lambda: [][0])
    log.pool.submit(done.set)
    assert done.wait(10)
    http.eventually(lambda: "could not be answered" in caplog.text)


def test_after_stop_jobs_are_refused(pools: Any) -> None:
    log = pools(3)
    log.pool.stop(10)
    log.pool.submit("late")
    assert log.refused == ["late"]
