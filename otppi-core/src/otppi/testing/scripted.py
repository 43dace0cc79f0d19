"""A modem without hardware or protocol whose every outcome a test decides, and how a test waits for something."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from otppi.api.egress import NO_HOOKS, SendHooks
from otppi.api.errors import ModemLost, Unconfirmed
from otppi.api.events import DeliveryReport, InboundPart, UssdAnswer
from otppi.api.message import OutgoingMessage
from otppi.api.modem import Modem, ModemIdentity, RecoveryStep

Step = Exception | Callable[[OutgoingMessage], None] | None
"""What becomes of one `send`: an error, something that the test does (it may raise), or success."""

_PATIENCE = 30.0


def until(condition: Callable[[], object], what: str = "", seconds: float = _PATIENCE) -> None:
    """Wait for a condition that has no event of its own.

    Raises:
        AssertionError: It did not hold in `seconds`.
    """
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what or condition}")
        pause.wait(0.002)


@dataclass(frozen=True, slots=True)
class SentText:
    """What went out, as the receiver's phone would show it."""

    modem: str
    destination: str
    text: str


class RecordedEvents:
    """Takes what a modem tells of its own accord, and keeps it for a test to look at.

    Attributes:
        holding: whether messages that come in are held; where not, the modem must keep them.
    """

    def __init__(self) -> None:
        self.holding = True
        self.reports: list[DeliveryReport] = []
        self.parts: list[InboundPart] = []
        self.answers: list[UssdAnswer] = []
        self.late: list[tuple[str, int]] = []

    def reported(self, report: DeliveryReport) -> None:
        """Keep a status report."""
        self.reports.append(report)

    def received(self, part: InboundPart) -> bool:
        """Keep a message."""
        self.parts.append(part)
        return self.holding

    def answered(self, answer: UssdAnswer) -> None:
        """Keep a USSD answer."""
        self.answers.append(answer)

    def accepted_late(self, message_id: str, reference: int) -> None:
        """Keep a late +CMGS."""
        self.late.append((message_id, reference))


@dataclass(slots=True)
class RecordedHooks:
    """What the gateway is told while a message is sent; a test may do something then."""

    before_dispatch: Callable[[], None] = lambda: None
    meanwhile: Callable[[], None] = lambda: None


class ScriptedModem(Modem):
    """Keeps the modem's contract honestly; what the script does not say succeeds at once.

    Attributes:
        script: what becomes of the next messages, in order.
        openings: what `open` raises the next times, None for success.
        outbox: what went out, in order; several modems may share one.
        attempts: every message that was asked for, whatever became of it.
        hooks: those of the message that is being sent, or was sent last, for what the script does.
        gate: `send` and `recover` wait while it is not set, as for a slow network.
        sickness: what `open` raises until `cure` was taken, if it is not None.
        steps: the steps that it has, and what each raises, None for success.
        recovered: the steps that it was asked to take.
    """

    def __init__(self, name: str = "m0", outbox: list[SentText] | None = None) -> None:
        self.name = name
        self.script: deque[Step] = deque()
        self.openings: deque[Exception | None] = deque()
        self.outbox: list[SentText] = [] if outbox is None else outbox
        self.attempts: list[OutgoingMessage] = []
        self.hooks: SendHooks = NO_HOOKS
        self.gate = threading.Event()
        self.gate.set()
        self.sending = threading.Event()
        self.opened = 0
        self.is_open = False
        self.sickness: Exception | None = None
        self.cure: RecoveryStep | None = None
        self.steps: Mapping[RecoveryStep, Exception | None] = {}
        self.recovered: list[RecoveryStep] = []
        self._woken = threading.Event()
        self._loss: Exception | None = None

    def lose(self, error: Exception | None = None) -> None:
        """Let the modem vanish while it is idle (any thread)."""
        self._loss = error or ModemLost("it was unplugged")
        self._woken.set()

    def open(self) -> None:
        """Open, or raise what `openings` says."""
        self.opened += 1
        error = self.openings.popleft() if self.openings else self.sickness
        if error is not None:
            raise error
        self.is_open = True

    def send(self, message: OutgoingMessage, hooks: SendHooks = NO_HOOKS) -> None:
        """Do what the script says."""
        if not self.is_open:
            raise ModemLost("it is not open")
        self.attempts.append(message)
        self.hooks = hooks
        self.sending.set()
        try:
            if not self.gate.wait(_PATIENCE):
                raise AssertionError("the test left the gate closed")
            step = self.script.popleft() if self.script else None
            if isinstance(step, Unconfirmed):
                self.hooks.before_dispatch()
            if isinstance(step, Exception):
                raise step
            (step or self.succeed)(message)
        finally:
            self.sending.clear()

    def after_dispatch(self, step: Callable[[OutgoingMessage], None]) -> Callable[[OutgoingMessage], None]:
        """Make a step of what happens once the network may have the message."""

        def dispatched(message: OutgoingMessage) -> None:
            self.hooks.before_dispatch()
            step(message)

        return dispatched

    def succeed(self, message: OutgoingMessage) -> None:
        """Let a message go out."""
        self.hooks.before_dispatch()
        message.progress.segments = 1
        message.progress.references.append(len(self.outbox) % 256)
        self.outbox.append(SentText(self.name, message.destination, message.text))

    def idle(self, timeout: float) -> None:
        """Wait for `wake` or `lose`."""
        self._woken.wait(timeout)
        self._woken.clear()
        if (loss := self._loss) is not None:
            self._loss = None
            raise loss

    def recover(self, step: RecoveryStep) -> bool:
        """Take a step, where it has it."""
        if self.is_open:
            raise AssertionError("a modem that is open is not recovered")
        self.recovered.append(step)
        if not self.gate.wait(_PATIENCE):
            raise AssertionError("the test left the gate closed")
        if step not in self.steps:
            return False
        if (error := self.steps[step]) is not None:
            raise error
        if step is self.cure:
            self.sickness = None
        return True

    def wake(self) -> None:
        """End `idle`."""
        self._woken.set()

    def close(self) -> None:
        """Close."""
        self.is_open = False

    def identity(self) -> ModemIdentity:
        """Give a made-up identity."""
        return ModemIdentity(model="scripted")
