"""The contract of a modem finds what it is for: each of its checks fails for a modem that breaks that promise."""

import gc
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from otppi.api.egress import NO_HOOKS, SendHooks
from otppi.api.errors import ModemBlocked, ModemLost, NotSent, Unconfirmed
from otppi.api.message import OutgoingMessage
from otppi.api.modem import Modem, ModemIdentity, ModemType, RecoveryStep
from otppi.testing import egress as egress_suite
from otppi.testing import leaks
from otppi.testing import modem_type as modem_suite
from otppi.testing.modem_type import MODEM_CHECKS, ModemBench
from otppi.testing.waiting import until

FAILURES = (AssertionError, pytest.fail.Exception, NotImplementedError)
"""What a check raises: the second is pytest's own, where an error that has to come does not."""


@dataclass
class OtherEnd:
    """A modem and its network, as far as they outlive what drives them."""

    texts: list[str] = field(default_factory=list)
    tries: int = 3
    locked: bool = False
    gone: bool = False
    refuses: bool = False
    loses_result: bool = False
    descriptors: list[int] = field(default_factory=list)


class Pretended(Modem):
    """Keeps the contract with nothing behind it; subclasses break one promise each."""

    def __init__(self, other_end: OtherEnd) -> None:
        self.other_end = other_end
        self.is_open = False
        self._woken = threading.Event()

    def open(self) -> None:
        if self.other_end.gone:
            raise ModemLost("it is gone")
        if self.other_end.locked:
            raise ModemBlocked("the SIM card wants a PIN")
        self.is_open = True

    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:
        if not self.is_open or self.other_end.gone:
            raise ModemLost("it is not open")
        if self.other_end.refuses:
            self.other_end.refuses = False
            self.refused(message)
        hooks.before_dispatch()
        self.hand_over(message)
        if self.other_end.loses_result:
            self.other_end.loses_result = False
            self.has_no_result(message)
        message.progress.segments = 1

    def hand_over(self, message: OutgoingMessage) -> None:
        self.other_end.texts.append(message.text)

    def refused(self, message: OutgoingMessage) -> None:
        raise NotSent("the network is out of order")

    def has_no_result(self, message: OutgoingMessage) -> None:
        raise Unconfirmed("the modem did not say what became of it")

    def idle(self, timeout: float) -> None:
        self._woken.wait(timeout)
        self._woken.clear()
        if self.other_end.gone:
            raise ModemLost("it is gone")

    def wake(self) -> None:
        self._woken.set()

    def close(self) -> None:
        self.is_open = False

    def identity(self) -> ModemIdentity:
        return ModemIdentity(imei="356938035643809")


class ToldTooLate(Pretended):
    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:
        super().send(message)
        hooks.before_dispatch()


class Uncounted(Pretended):
    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:
        super().send(message, hooks)
        message.progress.segments = 0


class OnlyForAGateway(Pretended):
    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:
        if hooks is not NO_HOOKS:
            super().send(message, hooks)


class SendsWhatWasPrepared(Pretended):
    prepared: OutgoingMessage | None = None

    def prepare(self, message: OutgoingMessage) -> None:
        self.prepared = message

    def hand_over(self, message: OutgoingMessage) -> None:
        super().hand_over(self.prepared or message)


class OfOneScript(Pretended):
    def hand_over(self, message: OutgoingMessage) -> None:
        self.other_end.texts.append(message.text.encode("ascii", "replace").decode())


class DeafToWaking(Pretended):
    def wake(self) -> None:
        pass

    def idle(self, timeout: float) -> None:
        super().idle(min(timeout, 1.0))


class Oversleeping(Pretended):
    def idle(self, timeout: float) -> None:
        super().idle(1.0)


class OpenedOnce(Pretended):
    closed = False

    def close(self) -> None:
        super().close()
        self.closed = True

    def hand_over(self, message: OutgoingMessage) -> None:
        if not self.closed:
            super().hand_over(message)


class SendsWhileItIsClosed(Pretended):
    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:
        self.is_open = True
        super().send(message, hooks)


class TellsBeforeItLooks(Pretended):
    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:
        if not self.is_open:
            hooks.before_dispatch()
        super().send(message, hooks)


class NeverLost(Pretended):
    def idle(self, timeout: float) -> None:
        with suppress(ModemLost):
            super().idle(timeout)

    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:
        with suppress(ModemLost):
            super().send(message, hooks)


class OpensWhatIsGone(Pretended):
    def open(self) -> None:
        with suppress(ModemLost):
            super().open()


class Talkative(Pretended):
    def hand_over(self, message: OutgoingMessage) -> None:
        logging.getLogger(__name__).debug("sends %s", message.text)
        super().hand_over(message)


class Grasping(Pretended):
    def __init__(self, other_end: OtherEnd) -> None:
        super().__init__(other_end)
        other_end.descriptors.append(os.open("/dev/null", os.O_RDONLY))


class Leaking(Pretended):
    def open(self) -> None:
        super().open()
        self.other_end.descriptors.append(os.open("/dev/null", os.O_RDONLY))


class Nameless(Pretended):
    def identity(self) -> ModemIdentity:
        return ModemIdentity()


class Forgetful(Pretended):
    def identity(self) -> ModemIdentity:
        return super().identity() if self.is_open else ModemIdentity()


class TriesAnyPin(Pretended):
    def open(self) -> None:
        self.other_end.tries -= self.other_end.locked
        super().open()


class IgnoresTheLock(Pretended):
    def open(self) -> None:
        self.is_open = True


class CallsItSent(Pretended):
    def has_no_result(self, message: OutgoingMessage) -> None:
        pass


class SendsItAgain(Pretended):
    def has_no_result(self, message: OutgoingMessage) -> None:
        self.hand_over(message)
        super().has_no_result(message)


class DoesNotKnowOfARefusal(Pretended):
    def refused(self, message: OutgoingMessage) -> None:
        raise Unconfirmed("something was refused")


class SendsWhatWasRefused(Pretended):
    def refused(self, message: OutgoingMessage) -> None:
        self.hand_over(message)
        super().refused(message)


class NamesTheReceiver(Pretended):
    def refused(self, message: OutgoingMessage) -> None:
        raise NotSent(f"nothing goes to {message.destination} now")


class Vague(Pretended):
    def recover(self, step: RecoveryStep) -> bool:
        return None  # type: ignore[return-value] # the promise that it breaks


class LostByItsCure(Pretended):
    def recover(self, step: RecoveryStep) -> bool:
        self.other_end.gone = True
        return True


class Unwritten(Pretended):
    def cancel_ussd(self) -> None:
        raise NotImplementedError


class MuteAfterwards(Pretended):
    def clear_memory(self) -> int:
        self.hand_over = lambda message: None  # type: ignore[method-assign] # from now on
        return 0


class PretendedBench(ModemBench):
    def __init__(self, kind: type[Pretended] = Pretended, **declared: Any) -> None:
        self._kind = kind
        self._declared = declared
        self.other_end = OtherEnd()

    @property
    def modem_type(self) -> ModemType:
        good = ModemType("pretended", "Pretended modem", "There is none.", lambda context: self.make())
        return replace(good, **self._declared)

    def make(self) -> Modem:
        return self._kind(self.other_end)

    def texts(self) -> list[str]:
        return list(self.other_end.texts)

    def lose(self) -> None:
        self.other_end.gone = True

    def block(self) -> None:
        self.other_end.locked = True

    def tries(self) -> int:
        return self.other_end.tries

    def lose_result(self) -> None:
        self.other_end.loses_result = True

    def refuse(self) -> None:
        self.other_end.refuses = True


BROKEN: list[tuple[str, Callable[[], PretendedBench]]] = [
    ("sends", lambda: PretendedBench(ToldTooLate)),
    ("sends", lambda: PretendedBench(Uncounted)),
    ("sends_without_anybody_who_is_told", lambda: PretendedBench(OnlyForAGateway)),
    ("sends_one_after_the_other", lambda: PretendedBench(SendsWhatWasPrepared)),
    ("writes_any_character", lambda: PretendedBench(OfOneScript)),
    ("is_woken", lambda: PretendedBench(DeafToWaking)),
    ("waits_no_longer_than_it_may", lambda: PretendedBench(Oversleeping)),
    ("closes_twice_and_opens_again", lambda: PretendedBench(OpenedOnce)),
    ("is_lost_where_it_is_not_open", lambda: PretendedBench(SendsWhileItIsClosed)),
    ("is_lost_where_it_is_not_open", lambda: PretendedBench(TellsBeforeItLooks)),
    ("is_lost_when_its_other_end_is", lambda: PretendedBench(NeverLost)),
    ("is_lost_when_its_other_end_is", lambda: PretendedBench(OpensWhatIsGone)),
    ("keeps_secrets", lambda: PretendedBench(Talkative)),
    ("is_declared", lambda: PretendedBench(key="Pretended")),
    ("is_declared", lambda: PretendedBench(title="")),
    ("is_declared", lambda: PretendedBench(help="no sentence")),
    ("is_made_without_touching_anything", lambda: PretendedBench(Grasping)),
    ("leaves_nothing_behind", lambda: PretendedBench(Leaking)),
    ("says_who_it_is", lambda: PretendedBench(Nameless)),
    ("says_who_it_is", lambda: PretendedBench(Forgetful)),
    ("says_who_it_is", lambda: PretendedBench(recognises=lambda identity: False)),
    ("waits_for_a_person", lambda: PretendedBench(TriesAnyPin)),
    ("waits_for_a_person", lambda: PretendedBench(IgnoresTheLock)),
    ("says_that_it_does_not_know", lambda: PretendedBench(CallsItSent)),
    ("says_that_it_does_not_know", lambda: PretendedBench(SendsItAgain)),
    ("says_that_it_does_not_know", lambda: PretendedBench(ToldTooLate)),
    ("says_that_nothing_went_out", lambda: PretendedBench(DoesNotKnowOfARefusal)),
    ("says_that_nothing_went_out", lambda: PretendedBench(SendsWhatWasRefused)),
    ("keeps_what_it_sent_and_who_got_it", lambda: PretendedBench(NamesTheReceiver)),
    ("takes_each_step_or_has_none", lambda: PretendedBench(Vague)),
    ("takes_each_step_or_has_none", lambda: PretendedBench(LostByItsCure)),
    ("says_what_it_cannot_do", lambda: PretendedBench(Unwritten)),
    ("says_what_it_cannot_do", lambda: PretendedBench(MuteAfterwards)),
]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for what never comes for a short time only."""
    for suite in (egress_suite, modem_suite, leaks):
        monkeypatch.setattr(suite, "until", lambda condition, what="": until(condition, what, 0.5))
    monkeypatch.setattr(egress_suite, "_SOON", 0.2)


@pytest.fixture
def broken(request: pytest.FixtureRequest) -> Iterator[PretendedBench]:
    """The bench of a modem that breaks a promise; what it left open is closed."""
    bench: PretendedBench = request.param()
    gc.collect()  # what tests before this one have left for it would be closed meanwhile, and hide what is left open
    yield bench
    for descriptor in bench.other_end.descriptors:
        os.close(descriptor)


@pytest.mark.parametrize("check", MODEM_CHECKS, ids=lambda check: check.__name__)
def test_a_good_modem_passes(check: Callable[[Any], None]) -> None:
    check(PretendedBench())


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("name", "broken"), BROKEN, indirect=["broken"])
def test_a_broken_modem_is_found(name: str, broken: PretendedBench) -> None:
    (check,) = (check for check in MODEM_CHECKS if check.__name__ == name)
    with pytest.raises(FAILURES):
        check(broken)


def test_each_check_is_shown_to_fail() -> None:
    assert {name for name, _ in BROKEN} == {check.__name__ for check in MODEM_CHECKS}
