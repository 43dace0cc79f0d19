"""Owns what the simulated network accepted: every part that arrived, and the messages put together from them."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from otppi.wire.segment import join
from otppi.wire.tpdu import SmsSubmit, UserData


@dataclass(frozen=True, slots=True)
class ArrivedPart:
    """One SMS-SUBMIT as the SMSC got it.

    Attributes:
        modem: name of the modem that sent it.
        destination: the receiver's digits, without `+`.
        submit: the decoded TPDU, with everything that the sender asked for.
        message_reference: the TP-MR under which the modem confirmed it.
        monotonic: `time.monotonic()` at the arrival, in seconds.
        wall: Unix time of the arrival, in seconds.
    """

    modem: str
    destination: str
    submit: SmsSubmit = field(repr=False)
    message_reference: int
    monotonic: float
    wall: float

    @property
    def text(self) -> str:
        """The text of this part alone."""
        return self.submit.user_data.text


@dataclass(frozen=True, slots=True)
class ArrivedMessage:
    """A whole message as the phone shows it.

    Attributes:
        number: counts the messages of this network from 1, so that a watcher can ask for what is newer.
        modem: name of the modem that sent it.
        destination: the receiver's digits, without `+`.
        text: the text, put together from all parts.
        parts: how many SMS it took.
        monotonic: `time.monotonic()` at the arrival of the last part, in seconds.
        wall: Unix time of the same, in seconds.
        flash: whether it is shown at once and not kept (3GPP TS 23.038 class 0).
    """

    number: int
    modem: str
    destination: str
    text: str = field(repr=False)
    parts: int
    monotonic: float
    wall: float
    flash: bool


_Key = tuple[str, str, int, int, bool]


class SimulatedNetwork:
    """The SMSC and all phones behind it, in RAM only. Every method may be called from any thread.

    Args:
        keep: how many parts, whole messages and unfinished messages are remembered; the counts go on without bound.
        listener: called with every whole message, on the thread of the modem that sent it; it must be quick.
    """

    def __init__(self, keep: int = 1_000, listener: Callable[[ArrivedMessage], None] | None = None) -> None:
        self._keep = keep
        self._listener = listener
        self._parts: deque[ArrivedPart] = deque(maxlen=keep)
        self._messages: deque[ArrivedMessage] = deque(maxlen=keep)
        self._unfinished: OrderedDict[_Key, dict[int, ArrivedPart]] = OrderedDict()
        self._part_count = 0
        self._message_count = 0
        self._changed = threading.Condition()

    @property
    def parts(self) -> tuple[ArrivedPart, ...]:
        """The newest parts, oldest first."""
        with self._changed:
            return tuple(self._parts)

    @property
    def messages(self) -> tuple[ArrivedMessage, ...]:
        """The newest whole messages, oldest first."""
        with self._changed:
            return tuple(self._messages)

    @property
    def part_count(self) -> int:
        """How many parts arrived since the beginning."""
        return self._part_count

    @property
    def message_count(self) -> int:
        """How many whole messages arrived since the beginning."""
        return self._message_count

    def accept(self, modem: str, submit: SmsSubmit, message_reference: int) -> None:
        """Take one SMS-SUBMIT in, and the message whose last part it is."""
        part = ArrivedPart(modem, submit.destination.digits, submit, message_reference, time.monotonic(), time.time())
        with self._changed:
            self._part_count += 1
            self._parts.append(part)
            message = self._put_together(part)
            if message:
                self._messages.append(message)
            self._changed.notify_all()
        if message and self._listener:
            self._listener(message)

    def since(self, number: int, timeout: float = 0.0) -> tuple[ArrivedMessage, ...]:
        """Return the remembered messages after the `number`-th; where there is none, wait `timeout` seconds for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._message_count > number, timeout)
            return tuple(message for message in self._messages if message.number > number)

    def wait_for(self, count: int, timeout: float = 120.0) -> tuple[ArrivedMessage, ...]:
        """Wait until `count` whole messages have arrived since the beginning, and return those remembered.

        Raises:
            TimeoutError: `timeout` seconds went by with fewer.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._message_count >= count, timeout):
                raise TimeoutError(f"{self._message_count} of {count} messages arrived in {timeout} s")
            return tuple(self._messages)

    def clear(self) -> None:
        """Forget everything, and count from zero again."""
        with self._changed:
            self._parts.clear()
            self._messages.clear()
            self._unfinished.clear()
            self._part_count = self._message_count = 0

    def _put_together(self, part: ArrivedPart) -> ArrivedMessage | None:
        parts = self._complete(part)
        if parts is None:
            return None
        self._message_count += 1
        text = join(parts) if len(parts) > 1 else part.text
        flash = part.submit.user_data.dcs.message_class == 0
        return ArrivedMessage(
            self._message_count, part.modem, part.destination, text, len(parts), part.monotonic, part.wall, flash
        )

    def _complete(self, part: ArrivedPart) -> list[UserData] | None:
        """Return the user data of all parts of this part's message, or None while some are missing."""
        concatenation = part.submit.user_data.concatenation
        if concatenation is None:
            return [part.submit.user_data]
        key = (part.modem, part.destination, concatenation.reference, concatenation.total, concatenation.wide)
        parts = self._unfinished.setdefault(key, {})
        parts[concatenation.number] = part
        if len(parts) < concatenation.total:
            while len(self._unfinished) > self._keep:
                self._unfinished.popitem(last=False)
            return None
        del self._unfinished[key]
        return [parts[number].submit.user_data for number in sorted(parts)]
