"""A modem and a mail account whose every outcome a test decides."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from otppi.api.egress import NO_HOOKS, Egress, SendHooks
from otppi.api.errors import Lost, ModemLost, Unconfirmed
from otppi.api.events import DeliveryReport, InboundPart, UssdAnswer
from otppi.api.mail import MailAccount
from otppi.api.message import OutgoingMessage
from otppi.api.modem import Modem, ModemIdentity, RecoveryStep
from otppi.testing.waiting import PATIENCE
from otppi.testing.waiting import until as until  # where it was before

Step = Exception | Callable[[OutgoingMessage], None] | None
"""What becomes of one `send`: an error, something that the test does (it may raise), or success."""


@dataclass(frozen=True, slots=True)
class SentText:
    """What went out, as the receiver would see it; `modem` names the egress."""

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


class ScriptedEgress(Egress):
    """Keeps the contract of an egress honestly; what the script does not say succeeds at once.

    Attributes:
        script: what becomes of the next messages, in order.
        openings: what `open` raises the next times, None for success.
        outbox: what went out, in order; several egresses may share one.
        attempts: every message that was asked for, whatever became of it.
        hooks: those of the message that is being sent, or was sent last, for what the script does.
        gate: `send` waits while it is not set, as for a slow network.
        sickness: what `open` raises all the time, if it is not None.
    """

    def __init__(self, name: str, outbox: list[SentText] | None = None) -> None:
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
        self._woken = threading.Event()
        self._loss: Exception | None = None

    def lose(self, error: Exception | None = None) -> None:
        """Let it vanish while it is idle (any thread)."""
        self._loss = error or self.loss("it was unplugged")
        self._woken.set()

    def loss(self, cause: str) -> Lost:
        """Make the error of one that is gone."""
        return Lost(cause)

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
            raise self.loss("it is not open")
        self.attempts.append(message)
        self.hooks = hooks
        self.sending.set()
        try:
            if not self.gate.wait(PATIENCE):
                raise AssertionError("the test left the gate closed")
            step = self.next_step(message)
            if isinstance(step, Unconfirmed):
                self.hooks.before_dispatch()
            if isinstance(step, Exception):
                raise step
            (step or self.succeed)(message)
        finally:
            self.sending.clear()

    def next_step(self, message: OutgoingMessage) -> Step:  # noqa: ARG002 - others look at the message
        """Return what becomes of a message."""
        return self.script.popleft() if self.script else None

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
        self.outbox.append(SentText(self.name, message.destination, message.text))

    def idle(self, timeout: float) -> None:
        """Wait for `wake` or `lose`."""
        self._woken.wait(timeout)
        self._woken.clear()
        if (loss := self._loss) is not None:
            self._loss = None
            raise loss

    def wake(self) -> None:
        """End `idle`."""
        self._woken.set()

    def close(self) -> None:
        """Close."""
        self.is_open = False


class ScriptedModem(ScriptedEgress, Modem):
    """A modem; see `ScriptedEgress`.

    Attributes:
        gate: `recover` waits for it too.
        sickness: what `open` raises until `cure` was taken, if it is not None.
        steps: the steps that it has, and what each raises, None for success.
        recovered: the steps that it was asked to take.
    """

    def __init__(self, name: str = "m0", outbox: list[SentText] | None = None) -> None:
        super().__init__(name, outbox)
        self.cure: RecoveryStep | None = None
        self.steps: Mapping[RecoveryStep, Exception | None] = {}
        self.recovered: list[RecoveryStep] = []

    def loss(self, cause: str) -> ModemLost:
        """Make the error of a modem that is gone."""
        return ModemLost(cause)

    def succeed(self, message: OutgoingMessage) -> None:
        """Let a message go out."""
        reference = len(self.outbox) % 256
        super().succeed(message)
        message.progress.references.append(reference)

    def recover(self, step: RecoveryStep) -> bool:
        """Take a step, where it has it."""
        if self.is_open:
            raise AssertionError("a modem that is open is not recovered")
        self.recovered.append(step)
        if not self.gate.wait(PATIENCE):
            raise AssertionError("the test left the gate closed")
        if step not in self.steps:
            return False
        if (error := self.steps[step]) is not None:
            raise error
        if step is self.cure:
            self.sickness = None
        return True

    def identity(self) -> ModemIdentity:
        """Return a made-up identity."""
        return ModemIdentity(model="scripted")


class ScriptedMailAccount(ScriptedEgress, MailAccount):
    """A mail account without a server; see `ScriptedEgress`.

    Attributes:
        receivers: what becomes of the next messages to one receiver, before the script is asked.
        subjects: those of what went out.
    """

    def __init__(self, name: str = "office", outbox: list[SentText] | None = None) -> None:
        super().__init__(name, outbox)
        self.receivers: dict[str, deque[Step]] = {}
        self.subjects: list[str] = []

    def next_step(self, message: OutgoingMessage) -> Step:
        """Return what becomes of a message."""
        steps = self.receivers.get(message.destination)
        return steps.popleft() if steps else super().next_step(message)

    def succeed(self, message: OutgoingMessage) -> None:
        """Let a message go out."""
        super().succeed(message)
        self.subjects.append(message.subject)

    def check(self) -> str:
        """Return that all is well."""
        return "there is no server"
