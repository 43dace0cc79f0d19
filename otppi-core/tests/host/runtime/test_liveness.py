"""Whether the gateway lives: a lock that is held, a watch that hangs, a thread that cannot be had again."""

import threading
from collections.abc import Iterator

import pytest

from otppi.api.services import Service
from otppi.host.host import Host
from otppi.host.runtime import supervisor
from otppi.host.runtime.events import EventBus
from otppi.host.runtime.liveness import Liveness
from otppi.host.runtime.services import Services
from otppi.host.runtime.supervisor import ThreadState
from otppi.testing.scripted import until


class Working(Service):
    """Has a thread, and a look that can be made to hang."""

    name = "working"

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.hangs = threading.Event()
        self.goes_on = threading.Event()
        self.fails = False

    def run(self) -> None:
        if self.fails:
            raise ConnectionError("the broker is away")
        self.stopped.wait()

    def stop(self) -> None:
        self.stopped.set()

    def look(self) -> None:
        if self.hangs.is_set():
            self.goes_on.wait()


def cannot_start(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@pytest.fixture
def working(monkeypatch: pytest.MonkeyPatch) -> Working:
    monkeypatch.setattr(supervisor, "WATCH_EVERY", 0.01)
    return Working()


@pytest.fixture
def services(working: Working, no_leaks: None) -> Iterator[Services]:
    made = Services([working], EventBus())
    yield made
    working.goes_on.set()
    made.stop()
    until(lambda: not {one.name for one in threading.enumerate()} & {"watch", "working"})


def alive(_seconds: float) -> bool:
    return True


def test_one_that_works_lives(services: Services, working: Working) -> None:
    services.start()
    assert Liveness(services, alive).failing(0.1) == ""


def test_a_watch_that_hangs_is_no_life(services: Services, working: Working) -> None:
    services.start()
    liveness = Liveness(services, alive, watched_within=0.2)
    working.hangs.set()
    until(lambda: liveness.failing(0.1).startswith("nobody has looked after the threads for"))
    working.hangs.clear()
    working.goes_on.set()
    until(lambda: liveness.failing(0.1) == "")


def test_a_thread_that_cannot_be_had_again_is_no_life(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        services.start()
        (thread,) = services.threads()
        thread_of = thread._thread
        assert thread_of is not None
        patch.setattr(type(thread_of), "start", cannot_start)
        patch.setattr(type(thread_of), "lives", property(lambda one: one is not thread_of and one.is_alive()))
        liveness = Liveness(services, alive, revived_within=0.2)
        assert liveness.failing(0.1) == "", "it may be had again"
        until(lambda: liveness.failing(0.1) == "working died, and cannot be started again")
        assert services.dead() == ["working"]
    until(lambda: liveness.failing(0.1) == "" and not services.dead())


def test_a_thread_that_waits_to_try_again_lives(services: Services, working: Working) -> None:
    working.fails = True
    services.start()
    (thread,) = services.threads()
    until(lambda: thread.supervision.state is ThreadState.WAITING)
    assert services.dead() == []
    working.fails = False


def test_one_that_was_stopped_is_not_dead(services: Services, working: Working) -> None:
    services.start()
    services.stop()
    assert services.dead() == []


def test_a_lock_of_the_message_path_that_is_held_is_no_life(host: Host) -> None:
    liveness = Liveness(host.services, host.dispatch.takes)
    assert liveness.failing(0.1) == ""
    with host.dispatch._lock:
        assert liveness.failing(0.1) == "no message could be taken in for 0.1 s"
    assert liveness.failing(0.1) == ""
