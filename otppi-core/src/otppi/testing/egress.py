"""What every egress has to do, whatever it sends by: a plugin's tests call it with egresses of their own.

Each check takes a `Bench`: what makes an egress of the type, which is not open, and what stands at its other end. A
test calls them all: `for check in CHECKS: check(bench)`, or one by one with `pytest.mark.parametrize`.
"""
# ruff: noqa: S101 - these are tests

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from otppi.api.egress import Channel, Egress
from otppi.api.errors import Lost, SendError
from otppi.api.message import OutgoingMessage
from otppi.testing.logs import all_log_lines
from otppi.testing.scripted import until

_RECEIVERS = {Channel.SMS: "6281200000001", Channel.MAIL: "somebody@example.com"}
_SOON = 5.0
"""Seconds in which what must not wait has to be done, on a busy machine as well."""


class EgressBench(ABC):
    """One type of egress with what stands at its other end. Subclass it in a plugin's tests."""

    @abstractmethod
    def make(self) -> Egress:
        """Make an egress that is not open."""

    @abstractmethod
    def texts(self) -> list[str]:
        """Return what arrived at the other end so far, in order."""

    def lose(self) -> None:
        """Let the other end vanish: the port, the server."""
        pytest.skip("this one cannot vanish")

    def secrets(self) -> list[str]:
        """Return what must be in no log, beside the texts: passwords, PINs."""
        return []


class NotedHooks:
    """Notes in which order it is told what."""

    def __init__(self, bench: EgressBench) -> None:
        self._bench = bench
        self.before: list[int] = []
        self.threads: set[int] = set()

    def before_dispatch(self) -> None:
        """Note how much had arrived."""
        self.before.append(len(self._bench.texts()))
        self.threads.add(threading.get_ident())

    def meanwhile(self) -> None:
        """Note the thread."""
        self.threads.add(threading.get_ident())


@contextmanager
def opened(bench: EgressBench) -> Iterator[Egress]:
    """Open an egress, and close it in any case."""
    egress = bench.make()
    try:
        egress.open()
        yield egress
    finally:
        egress.close()


def message_for(egress: Egress, text: str = "made-up text", number: int = 0) -> OutgoingMessage:
    """Make a message that goes by the egress' channel."""
    return OutgoingMessage(f"{number:016x}", _RECEIVERS[egress.channel], text, 600.0)


def sends(bench: EgressBench) -> None:
    """Expect that it sends, tells before it hands over, and fills in how many parts went out."""
    with opened(bench) as egress:
        message, hooks = message_for(egress), NotedHooks(bench)
        egress.send(message, hooks)
        until(lambda: bench.texts() == ["made-up text"], "it has arrived")
        assert message.progress.segments == 1
        assert hooks.before == [0], "it is told once, before the message can have arrived"
        assert hooks.threads == {threading.get_ident()}


def sends_without_anybody_who_is_told(bench: EgressBench) -> None:
    """Expect that the hooks are optional."""
    with opened(bench) as egress:
        egress.send(message_for(egress))
        until(lambda: bench.texts() == ["made-up text"])


def sends_one_after_the_other(bench: EgressBench) -> None:
    """Expect that it sends in order, idle in between or not, and that what was prepared may be another message."""
    with opened(bench) as egress:
        for number in range(4):
            prepared = number + number % 2  # every other one is not the message that comes next
            egress.prepare(message_for(egress, f"text {prepared}", prepared))
            egress.send(message_for(egress, f"text {number}", number))
            if number % 2:
                egress.idle(0.01)
        until(lambda: bench.texts() == [f"text {number}" for number in range(4)])


def writes_any_character(bench: EgressBench) -> None:
    """Expect that a text of any script arrives as it was."""
    text = "Kode é ß 一 😀 €[]"
    with opened(bench) as egress:
        egress.send(message_for(egress, text))
        until(lambda: bench.texts() == [text])


def is_woken(bench: EgressBench) -> None:
    """`wake` ends `idle`, the running one and, called before, the next one; any thread may call it."""
    with opened(bench) as egress:
        egress.idle(0.01)  # what is due after opening it
        began = time.monotonic()
        egress.wake()
        egress.idle(60.0)
        waker = threading.Timer(0.05, egress.wake)
        waker.start()
        egress.idle(60.0)
        waker.join()
        assert time.monotonic() - began < 2 * _SOON


def waits_no_longer_than_it_may(bench: EgressBench) -> None:
    """`idle` comes back by itself."""
    with opened(bench) as egress:
        began = time.monotonic()
        egress.idle(0.05)
        assert time.monotonic() - began < _SOON


def closes_twice_and_opens_again(bench: EgressBench) -> None:
    """Close it at any time, also one that was never open: that is safe, and it can be opened again."""
    egress = bench.make()
    egress.close()
    egress.open()
    egress.close()
    egress.close()
    egress.open()
    try:
        egress.send(message_for(egress))
        until(lambda: bench.texts() == ["made-up text"])
    finally:
        egress.close()


def is_lost_where_it_is_not_open(bench: EgressBench) -> None:
    """Send by one that is closed: it says that nothing went out, and tells nobody that it might have."""
    egress, hooks = bench.make(), NotedHooks(bench)
    with pytest.raises(Lost):
        egress.send(message_for(egress), hooks)
    assert (hooks.before, bench.texts()) == ([], [])


def is_lost_when_its_other_end_is(bench: EgressBench) -> None:
    """Expect that it finds out by itself or with the next message, which does not go out; it cannot be opened then."""
    with opened(bench) as egress:
        bench.lose()

        def gone() -> bool:
            try:
                egress.idle(0.05)
                egress.send(message_for(egress))
            except Lost:
                return True
            return False

        until(gone, "it says that it is lost")
        egress.close()
        with pytest.raises(Lost) as caught:
            egress.open()
        assert str(caught.value), "people are told why"
        assert bench.texts() == []


def keeps_secrets(bench: EgressBench) -> None:
    """Neither a text nor a password is in any log line, object that is shown, or error."""
    text = "made-up secret 918273"
    with all_log_lines() as noted:
        with opened(bench) as egress:
            message = message_for(egress, text)
            egress.send(message)
            noted += [repr(message), repr(egress), *egress.warnings()]
        try:
            egress.send(message)
        except SendError as error:
            noted += [str(error), repr(error)]
    for secret in (text, *bench.secrets()):
        assert not [line for line in noted if secret in line]


CHECKS: tuple[Callable[[EgressBench], None], ...] = (
    sends,
    sends_without_anybody_who_is_told,
    sends_one_after_the_other,
    writes_any_character,
    is_woken,
    waits_no_longer_than_it_may,
    closes_twice_and_opens_again,
    is_lost_where_it_is_not_open,
    is_lost_when_its_other_end_is,
    keeps_secrets,
)
