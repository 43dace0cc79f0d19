"""Owns the simulated modem's side of the AT line: bytes in, bytes out with the times at which they are due."""

import heapq
import math
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial
from itertools import count

from otppi.simulator import inbox
from otppi.simulator.answers import render
from otppi.simulator.commands import execute
from otppi.simulator.data import DataLink
from otppi.simulator.fault_table import FAULTS
from otppi.simulator.faults import Cure, FaultBoard, Injection, Moment, Stage
from otppi.simulator.log import Recorder
from otppi.simulator.network import SimulatedNetwork
from otppi.simulator.profile import ModemProfile
from otppi.simulator.sending import Sender
from otppi.simulator.session import MAX_INPUT, Session
from otppi.simulator.sim import MessageMemory, Sim
from otppi.wire.udh import Ports

CTRL_Z = b"\x1a"
ESC = b"\x1b"
_IGNORED = ESC + CTRL_Z + b"\0"
_JUST_AFTER = 0.01
_GARBAGE = b"\xfc\x80\xe0"

Action = Callable[[float], None]


class ModemPeer:
    """A GSM modem seen from its serial line (ITU-T V.250, 3GPP TS 27.005 in PDU mode, 27.007), without any I/O.

    Give it what was written to the line with `receive`, write to the line what `advance` returns, and call `advance`
    again when `next_due` is reached. It is not thread-safe. All times are seconds of one monotonic clock.

    Args:
        profile: who the modem is and how long it takes.
        network: where its messages arrive; a network of its own by default.
        recorder: told of every sending dialogue, for measurements.

    Attributes:
        session, sim: what the modem forgets with its power, and what it does not.
        network: where its messages arrive.
        faults: the faults at work; see `inject` and `heal`.
        sender: the AT+CMGS dialogue.
        data: its data calls.
        waiting: what the network could not bring yet.
        retry_planned: whether the network will try again of its own accord.
        baud_rate: the only speed of the line that it understands, in bit/s; None = any.
        line_speed: the speed of the line as the other end has set it; None = not known.
        usb_product: which set of USB ports it shows (SIMCom).
        plugged: whether it has power and a line.
        covered: whether the network reaches it.
        power_cycle: counts how often the power was cut; a restart of its own is not counted.
        extra_delay: by how much a fault delays the next answer.
    """

    def __init__(
        self,
        profile: ModemProfile | None = None,
        network: SimulatedNetwork | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.profile: ModemProfile = profile or ModemProfile()
        self.network: SimulatedNetwork = network or SimulatedNetwork()
        self.sim = Sim(self.profile)
        self.plugged = False
        self.covered = True
        self.faults = FaultBoard(self)
        self.sender = Sender(self, recorder)
        self.data = DataLink(self)
        self.waiting: deque[inbox.Arrival] = deque()
        self.retry_planned = False
        self.baud_rate = self.profile.baud_rate
        self.line_speed: int | None = None
        self.usb_product = 9001
        self._outbox: list[tuple[float, int, int | None, bytes | Action]] = []
        self._order = count()
        self.power_cycle = 0
        self._run = 0
        self.plug(0.0)

    @property
    def next_due(self) -> float:
        """When `advance` has something to do next; infinity if never."""
        return self._outbox[0][0] if self._outbox else math.inf

    @property
    def registered(self) -> bool:
        """Whether the network knows the modem."""
        return self.covered and self.session.radio

    @property
    def memory(self) -> MessageMemory:
        """The message memory that is read."""
        return self.sim.memories[self.session.memories[0]]

    @property
    def memory_received(self) -> MessageMemory:
        """The message memory for what comes in."""
        return self.sim.memories[self.session.memories[2]]

    @property
    def engaged(self) -> bool:
        """Whether it is in a dialogue: what it says now is an answer, not of its own accord."""
        return self._busy or self.sender.editing or self.data.online

    @property
    def understands(self) -> bool:
        """Whether the line has a speed at which the modem understands and is understood."""
        return None in (self.baud_rate, self.line_speed) or self.baud_rate == self.line_speed

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes that were written to the modem's line."""
        if not self.plugged or now < self.session.deaf_until:
            return
        if not self.understands:
            self.emit(_GARBAGE, now)
            return
        if self.data.online:
            self.data.heard(data, now)
            return
        if self.session.boot_noise:
            self.emit(self.session.boot_noise, now)
            self.session.boot_noise = b""
        data = self.sender.heard(data[: self.session.input_limit], now)
        if not self._input.strip():
            self._input.clear()
            self._line_started = now
        self._input += data[: MAX_INPUT - len(self._input)]
        self._feed(now)

    def advance(self, now: float) -> bytes:
        """Do what is due and return the bytes to write to the line."""
        out = bytearray()
        while self._outbox and self._outbox[0][0] <= now:
            _, _, run, item = heapq.heappop(self._outbox)
            if run not in (None, self._run):
                continue
            if isinstance(item, bytes):
                out += item
            else:
                item(now)
        return bytes(out) if self.understands else _GARBAGE * (len(out) > 0)

    def inject(
        self,
        name: str,
        now: float = 0.0,
        *,
        at: int | None = None,
        times: int | None = None,
        command: str = "",
        code: int | None = None,
        seconds: float | None = None,
    ) -> None:
        """Put a fault of `FAULTS` to work.

        Args:
            name: the fault's name.
            now: the time.
            at: the occasion on which it strikes first, counted from 1 now: the n-th SMS for faults of sending, the
                n-th command line or answer for the others.
            times: on how many occasions; by default one if `at` is given, else as the fault's row says.
            command: only occasions of commands that begin so count, such as "+CSQ" or "+CMGS".
            code: the error code, for faults that tell one.
            seconds: the fault's time parameter.

        Raises:
            KeyError: there is no such fault.
        """
        fault = FAULTS[name]
        if times is None:
            times = fault.times if at is None else 1
        code = fault.code if code is None else code
        seconds = fault.seconds if seconds is None else seconds
        self.faults.add(Injection(fault, code, seconds, at or 1, times, command), now)

    def heal(self, name: str | None = None) -> None:
        """End the fault of that name, or all faults."""
        self.faults.remove(name)

    def deliver(self, originator: str, text: str, now: float = 0.0, *, flash: bool = False) -> None:
        """Let an SMS come in, in parts if it is long.

        Args:
            originator: a number, or an alphanumeric originator.
            text: its text.
            now: the time.
            flash: class 0: for showing at once, not for storing.
        """
        inbox.deliver(self, originator, text, now, flash=flash)

    def deliver_parts(
        self,
        originator: str,
        text: str,
        now: float = 0.0,
        *,
        reference: int = 0,
        wide: bool = False,
        order: Sequence[int] | None = None,
        missing: Collection[int] = (),
    ) -> None:
        """Let the parts of a long SMS come in out of order, twice, or not all.

        Args:
            originator: a number, or an alphanumeric originator.
            text: the whole text.
            now: the time.
            reference: what the parts have in common.
            wide: the reference has 16 bits instead of 8.
            order: the numbers of the parts, from 1, in the order in which they come; a number may stand there twice.
            missing: the numbers of parts that never come.

        Raises:
            ValueError: the text has no part of that number.
        """
        inbox.deliver_parts(self, originator, text, now, reference=reference, wide=wide, order=order, missing=missing)

    def deliver_binary(self, originator: str, payload: bytes, now: float = 0.0, *, ports: Ports | None = None) -> None:
        """Let an SMS of 8 bit data come in, for an application port where `ports` are given."""
        inbox.deliver_binary(self, originator, payload, now, ports)

    def plug(self, now: float) -> None:
        """Power the modem on: its settings are those of its stored profile."""
        self._boot(now, now)

    def restart(self, now: float, boot_time: float = 0.0) -> None:
        """Start anew without a word from its computer, as after a brown-out on a UART: the port stays.

        Args:
            now: the time.
            boot_time: seconds in which nothing is heard and nothing is said.
        """
        inbox.power_off(self)
        self._run += 1
        self._boot(now, now + boot_time)

    def _boot(self, now: float, ready: float) -> None:
        profile = self.profile
        self.session = Session(profile.echo, next(iter(profile.memories)), text_mode=profile.text_mode)
        self.session.deaf_until = ready
        self.sim.power_on()
        self.sender.abort()
        self.data.reset()
        self._input = bytearray()
        self._line_started = now
        self._busy = False
        self._line_free = now
        self.extra_delay = 0.0
        self.plugged = True
        self.faults.power_on(now)
        self.emit(render(self.profile.boot_urcs), ready)
        if self.profile.chatter_interval:
            self.at(now + self.profile.chatter_interval, self._chatter)

    def unplug(self, now: float, replug_after: float | None = None) -> None:
        """Take the modem off its line and power; what it was about to say is lost."""
        self.plugged = False
        self.sender.abort()
        inbox.power_off(self)
        self.power_cycle += 1
        self._run += 1
        if replug_after is not None:
            self.at(now + replug_after, self.plug, survives=True)

    def set_coverage(self, covered: bool, now: float) -> None:
        """Let the modem find or lose its network."""
        self.covered = covered
        self.tell_registration(now)

    def tell_registration(self, now: float) -> None:
        """Say whether the modem is registered, where that was asked for (3GPP TS 27.007 7.2); a call may end."""
        if not self.registered:
            self.data.lose_carrier(now)
        for name, n in self.session.registration_urc.items():
            if n:
                self.emit(render([f"{name}: {int(self.registered)}"]), now)

    def set_radio(self, on: bool, now: float) -> None:
        """Switch the radio; after an off and on the network is searched anew."""
        if on and not self.session.radio:
            self.faults.cure(Cure.RADIO)
        changed = self.session.radio is not on
        self.session.radio = on
        if changed:
            self.tell_registration(now)

    def at(self, due: float, action: Action, *, survives: bool = False) -> None:
        """Do something later; a power cycle forgets it unless it `survives`."""
        self._push(due, action, survives)

    def after_answer(self, action: Action, now: float) -> None:
        """Do something just after the answer to the command that is obeyed now."""
        self.at(now + self.profile.command_time + self.extra_delay + _JUST_AFTER, action)

    def emit(self, data: bytes, due: float) -> None:
        """Write bytes to the line at that time, as fast as the line is."""
        if not self.session.byte_time:
            self._push(due, data)
            return
        due = max(due, self._line_free)
        self._line_free = due + len(data) * self.session.byte_time
        for index in range(len(data)):
            self._push(due + index * self.session.byte_time, data[index : index + 1])

    def reply(self, data: bytes, now: float, delay: float | None = None, line: str = "") -> None:
        """Answer after the usual time for a command, or after `delay`; until then the modem does nothing else."""
        delay = self.profile.command_time if delay is None else delay
        self.work(now + delay + self.take_extra_delay(), partial(self._finish, data, line))

    def take_extra_delay(self) -> float:
        """Return by how much a fault delays what comes next; it does so once."""
        delay, self.extra_delay = self.extra_delay, 0.0
        return delay

    def work(self, until: float, action: Action) -> None:
        """Do nothing else until that time, then the action, which ends with `reply`."""
        self._busy = True
        self._push(until, action)

    def _finish(self, data: bytes, line: str, now: float) -> None:
        moment = Moment(self, now, line, reply=data)
        self.faults.strike(Stage.REPLY, moment)
        self.emit(moment.reply, now)
        self._busy = False
        self._feed(now)

    def _chatter(self, now: float) -> None:
        if self.session.chatty and not self.data.online:
            self.emit(render(self.profile.chatter), now)
        self.at(now + self.profile.chatter_interval, self._chatter)

    def _push(self, due: float, item: bytes | Action, survives: bool = False) -> None:
        heapq.heappush(self._outbox, (due, next(self._order), None if survives else self._run, item))

    def _feed(self, now: float) -> None:
        """Go on reading what has come in, until it is used up or something keeps the modem busy."""
        while self.plugged and self._input and not self._busy:
            if not (self._edit(now) if self.sender.editing else self._command(now)):
                return

    def _command(self, now: float) -> bool:
        raw, end, rest = self._input.partition(b"\r")
        if not end:
            return False
        self._input = rest
        if self.session.echo:
            self.emit(bytes(raw + end), now)
        line = raw.translate(None, _IGNORED).decode("latin-1").strip()
        begin = line.upper().find("AT")
        if begin >= 0 and self.session.lines_to_lose:
            self.session.lines_to_lose -= 1
        elif begin >= 0:
            self._obey(line[begin:], now)
        self._line_started = now
        return True

    def _obey(self, line: str, now: float) -> None:
        if self.faults.strike(Stage.LINE, Moment(self, now, line)):
            return
        before, cmgs, length = line.upper().rpartition("+CMGS=")
        if not cmgs or length == "?":
            self.reply(execute(self, line, now), now, line=line)
            return
        # Commands of one line are obeyed in their order, up to the first that is refused (3GPP TS 27.007 4.2).
        joined = before != "AT"
        answer = render(["ERROR"]) if joined and self.session.joins_refused else execute(self, before.rstrip(";"), now)
        if answer != render(["OK"]):
            self.reply(answer, now, line=line)
        else:
            self._input.clear()
            self.sender.start(f"AT+CMGS={length}", self._line_started, now)

    def _edit(self, now: float) -> bool:
        """Take the PDU up to Ctrl-Z, or to ESC, which cancels it (3GPP TS 27.005 4.3)."""
        ends = [index for index in (self._input.find(CTRL_Z), self._input.find(ESC)) if index >= 0]
        if not ends:
            return False
        end = min(ends)
        payload, terminator = bytes(self._input[:end]), self._input[end : end + 1]
        del self._input[: end + 1]
        if self.session.echo:
            self.emit(payload, now)
        if terminator == CTRL_Z:
            self.sender.submit(payload, now)
        else:
            self.sender.cancel(now)
        return True
