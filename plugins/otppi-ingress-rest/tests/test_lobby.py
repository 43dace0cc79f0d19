"""Strangers wait in the lobby, in their order, and known senders go past them."""

import threading
from typing import Any

import pytest

from otppi_ingress_rest.lobby import STRANGERS, Lobby

Job = tuple[str, int]


class Inside:
    """What was given to the workers; refuses all where it is told to."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.refuses = False
        self.lobby: Lobby[Job] = Lobby(lambda job: job[0] == "known", self.take)

    def take(self, job: Job) -> None:
        self.jobs.append(job)
        if self.refuses:
            self.lobby.leave(job)


@pytest.fixture
def inside() -> Inside:
    return Inside()


def test_known_senders_go_past_the_strangers_who_go_in_their_order(inside: Inside) -> None:
    strangers = [("stranger", number) for number in range(10)]
    for job in strangers:
        inside.lobby.submit(job)
    inside.lobby.submit(("known", 1))
    assert inside.jobs == [*strangers[:STRANGERS], ("known", 1)]
    inside.lobby.leave(("known", 1))
    assert len(inside.jobs) == STRANGERS + 1
    for number, job in enumerate(strangers, 1):
        inside.lobby.leave(job)
        inside.lobby.leave(job)
        assert inside.jobs[STRANGERS + 1 :] == strangers[STRANGERS : STRANGERS + number]


def test_thousands_that_are_refused_at_once_need_no_depth(inside: Inside) -> None:
    for number in range(5_000):
        inside.lobby.submit(("stranger", number))
    inside.refuses = True
    for number in range(STRANGERS):
        inside.lobby.leave(("stranger", number))
    assert [number for _, number in inside.jobs] == list(range(5_000))


def test_nobody_is_left_in_the_lobby_whichever_thread_comes_first() -> None:
    lock, seen = threading.Lock(), []

    def done(job: Job) -> None:
        with lock:
            seen.append(job)
        lobby.leave(job)

    lobby: Lobby[Job] = Lobby(lambda _: False, lambda job: threading.Thread(target=done, args=(job,)).start())

    def submit_all(own: str) -> None:
        for number in range(200):
            lobby.submit((own, number))

    threads = [threading.Thread(target=submit_all, args=(own,)) for own in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(10_000):
        if len(seen) == 800:
            break
        threading.Event().wait(0.001)
    assert len(set(seen)) == 800


def test_a_known_sender_is_answered_while_strangers_keep_all_the_threads_they_may_have(served: Any, http: Any) -> None:
    """Issue 9, E22: remembered credentials never wait behind anything slow on the workers."""
    gate, began = threading.Event(), threading.Semaphore(0)

    def slow_health() -> dict[str, Any]:
        began.release()
        assert gate.wait(10)
        return {"status": "ok"}

    served.gateway.health = slow_health
    wires = [served.connect(http.get("/api/health")) for _ in range(20)]
    for _ in range(STRANGERS):
        assert began.acquire(timeout=10)
    try:
        assert [served.ask(http.post(http.SMS))[0] for _ in range(5)] == [200] * 5
        assert not began.acquire(blocking=False)
    finally:
        gate.set()
    assert {wire.response()[0] for wire in wires} == {200}
