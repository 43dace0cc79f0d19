"""Owns the simulated modem as its commands see it: its state, its power, and what it will write when."""

import heapq
import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count

from otppi.simulator.answers import render
from otppi.simulator.arrival import Arrival
from otppi.simulator.call import PacketData
from otppi.simulator.dialogue import Dialogue
from otppi.simulator.network import SimulatedNetwork
from otppi.simulator.profile import ModemProfile
from otppi.simulator.session import Session
from otppi.simulator.sim import MessageMemory, Sim
from otppi.simulator.stages import Hooks, Moment, Stage

_JUST_AFTER = 0.01
_GARBAGE = b"\xfc\x80\xe0"

Action = Callable[[float], None]


class SimulatedDevice(ABC):
    """The state of one modem and its time, without what reads its line. All times are seconds of one monotonic clock.

    Args:
        profile: who the modem is and how long it takes.
        network: where its messages arrive; a network of its own by default.

    Attributes:
        session, sim: what the modem forgets with its power, and what it does not.
        network: where its messages arrive.
        hooks: what is called at its stages.
        dialogue: the AT+CMGS dialogue whose PDU is waited for.
        data: its packet data.
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

    def __init__(self, profile: ModemProfile | None = None, network: SimulatedNetwork | None = None) -> None:
        self.profile: ModemProfile = profile or ModemProfile()
        self.network: SimulatedNetwork = network or SimulatedNetwork()
        self.sim = Sim(self.profile)
        self.hooks = Hooks()
        self.dialogue: Dialogue | None = None
        self.data = PacketData()
        self.waiting: deque[Arrival] = deque()
        self.retry_planned = False
        self.baud_rate = self.profile.baud_rate
        self.line_speed: int | None = None
        self.usb_product = 9001
        self.plugged = False
        self.covered = True
        self.power_cycle = 0
        self.extra_delay = 0.0
        self._line_free = 0.0
        self._outbox: list[tuple[float, int, int | None, bytes | Action]] = []
        self._order = count()
        self._run = 0
        self.plug(0.0)

    @abstractmethod
    def go_on(self, now: float) -> None:
        """Go on reading what has come in, until it is used up or something keeps the modem busy."""

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
        return self._busy or self.dialogue is not None or self.data.online

    @property
    def understands(self) -> bool:
        """Whether the line has a speed at which the modem understands and is understood."""
        return None in (self.baud_rate, self.line_speed) or self.baud_rate == self.line_speed

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

    def plug(self, now: float) -> None:
        """Power the modem on: its settings are those of its stored profile."""
        self._boot(now, now)

    def restart(self, now: float, boot_time: float = 0.0) -> None:
        """Start anew without a word from its computer, as after a brown-out on a UART: the port stays.

        Args:
            now: the time.
            boot_time: seconds in which nothing is heard and nothing is said.
        """
        self._give_back()
        self._run += 1
        self._boot(now, now + boot_time)

    def unplug(self, now: float, replug_after: float | None = None) -> None:
        """Take the modem off its line and power; what it was about to say is lost."""
        self.plugged = False
        self.dialogue = None
        self._give_back()
        self.power_cycle += 1
        self._run += 1
        if replug_after is not None:
            self.at(now + replug_after, self.plug, survives=True)

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

    def garble(self, now: float) -> None:
        """Say what is heard of something that came at another speed."""
        self.emit(_GARBAGE, now)

    def reply(self, data: bytes, now: float, delay: float | None = None, line: str = "") -> None:
        """Answer after the usual time for a command, or after `delay`; until then the modem does nothing else."""
        delay = self.profile.command_time if delay is None else delay
        self.occupy(now + delay + self.take_extra_delay(), partial(self._finish, data, line))

    def take_extra_delay(self) -> float:
        """Return by how much a fault delays what comes next; it does so once."""
        delay, self.extra_delay = self.extra_delay, 0.0
        return delay

    def occupy(self, until: float, action: Action) -> None:
        """Do nothing else until that time, then the action, which ends with `reply`."""
        self._busy = True
        self._push(until, action)

    def _boot(self, now: float, ready: float) -> None:
        profile = self.profile
        self.session = Session(profile.echo, next(iter(profile.memories)), text_mode=profile.text_mode)
        self.session.deaf_until = ready
        self.sim.power_on()
        self.dialogue = None
        self.data.reset()
        self._input = bytearray()
        self._line_started = now
        self._busy = False
        self._line_free = now
        self.extra_delay = 0.0
        self.plugged = True
        self.hooks.powered_on(now)
        self.emit(render(self.profile.boot_urcs), ready)
        if self.profile.chatter_interval:
            self.at(now + self.profile.chatter_interval, self._chatter)

    def _give_back(self) -> None:
        """Leave to the network what was never acknowledged."""
        arrival, self.session.unacknowledged = self.session.unacknowledged, None
        if arrival and self.session.cnma_time:
            self.waiting.appendleft(arrival)

    def _finish(self, data: bytes, line: str, now: float) -> None:
        moment = Moment(now, line, reply=data)
        self.hooks.strike(Stage.REPLY, moment)
        self.emit(moment.reply, now)
        self._busy = False
        self.go_on(now)

    def _chatter(self, now: float) -> None:
        if self.session.chatty and not self.data.online:
            self.emit(render(self.profile.chatter), now)
        self.at(now + self.profile.chatter_interval, self._chatter)

    def _push(self, due: float, item: bytes | Action, survives: bool = False) -> None:
        heapq.heappush(self._outbox, (due, next(self._order), None if survives else self._run, item))
