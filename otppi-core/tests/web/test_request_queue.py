"""Strangers' requests wait, in their order, and those of known senders go past them."""

import threading

import pytest

from otppi.testing.waiting import until
from otppi.web.request_queue import STRANGERS, RequestQueue

Job = tuple[str, int]


class Inside:
    """What was given to the workers; refuses all where it is told to."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.refuses = False
        self.queue: RequestQueue[Job] = RequestQueue(lambda job: job[0] == "known", self.take)

    def take(self, job: Job) -> None:
        self.jobs.append(job)
        if self.refuses:
            self.queue.done(job)


@pytest.fixture
def inside() -> Inside:
    return Inside()


def test_known_senders_go_past_the_strangers_who_go_in_their_order(inside: Inside) -> None:
    strangers = [("stranger", number) for number in range(10)]
    for job in strangers:
        inside.queue.submit(job)
    inside.queue.submit(("known", 1))
    assert inside.jobs == [*strangers[:STRANGERS], ("known", 1)]
    inside.queue.done(("known", 1))
    assert len(inside.jobs) == STRANGERS + 1
    for number, job in enumerate(strangers, 1):
        inside.queue.done(job)
        inside.queue.done(job)
        assert inside.jobs[STRANGERS + 1 :] == strangers[STRANGERS : STRANGERS + number]


def test_thousands_that_are_refused_at_once_need_no_depth(inside: Inside) -> None:
    for number in range(5_000):
        inside.queue.submit(("stranger", number))
    inside.refuses = True
    for number in range(STRANGERS):
        inside.queue.done(("stranger", number))
    assert [number for _, number in inside.jobs] == list(range(5_000))


def test_nobody_is_left_in_the_queue_whichever_thread_comes_first() -> None:
    lock, seen = threading.Lock(), []

    def done(job: Job) -> None:
        with lock:
            seen.append(job)
        queue.done(job)

    queue: RequestQueue[Job] = RequestQueue(
        lambda _: False, lambda job: threading.Thread(target=done, args=(job,)).start()
    )

    def submit_all(own: str) -> None:
        for number in range(200):
            queue.submit((own, number))

    threads = [threading.Thread(target=submit_all, args=(own,)) for own in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(seen) == 800)
    assert len(set(seen)) == 800
