"""What happens to the modems meanwhile: faults that come and go at random, and messages that come in."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmark.peer import Peer

FAULTS: Sequence[str] = (
    "blank-lines",
    "bare-lf",
    "boot-garbage",
    "cms-error",
    "csca-empty",
    "echo-on-mid-session",
    "error-at-prompt",
    "error-but-editing",
    "first-at-ignored",
    "late-reply",
    "no-prompt",
    "noise",
    "notifications-lost",
    "ok-in-text",
    "part-refused",
    "registration-lost",
    "registration-stuck",
    "report-before-result",
    "report-twice",
    "result-late",
    "result-lost-sent",
    "result-lost-unsent",
    "silence",
    "sim-busy",
    "slow-line",
    "storage-full",
    "unplug-after-prompt",
    "unplug-after-submit-sent",
    "unplug-after-submit-unsent",
    "unplug-before-prompt",
    "urc-before-prompt",
    "urc-in-reply",
    "ussd-late",
)
"""Those that a modem recovers from, or that `heal` ends."""
_AWAY = 3.0
_HEALED_AFTER = (2.0, 20.0)
_TICK = 0.25
_INBOUND = 0.2
"""The share of the ticks at which a message comes in."""


@dataclass(frozen=True, slots=True)
class _Healing:
    due: float
    modem: int
    fault: str


class Weather:
    """A thread that plays with the modems of a peer until `end`, by a seed that can be given again."""

    def __init__(self, peer: Peer, modems: int, seed: int) -> None:
        self.struck = Counter[str]()
        self.came_in = 0
        self._peer = peer
        self._modems = modems
        self._random = random.Random(seed)
        self._healings: list[_Healing] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="weather")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Strike no more, heal everything, and plug in what is unplugged."""
        self._ended.set()
        self._thread.join()
        for modem in range(self._modems):
            self._peer.control("heal", modem=modem)
            self._peer.control("replug", modem=modem)

    def _run(self) -> None:
        while not self._ended.wait(_TICK):
            self._strike()
            self._heal()
            if self._random.random() < _INBOUND:
                modem = self._random.randrange(self._modems)
                text = "an incoming message " * self._random.choice((1, 1, 12))
                self._peer.control("deliver", modem=modem, originator="+62000111222", text=text)
                self.came_in += 1

    def _strike(self) -> None:
        fault, modem = self._random.choice(FAULTS), self._random.randrange(self._modems)
        options = {"seconds": _AWAY} if fault.startswith("unplug") else {}
        self._peer.control("inject", modem=modem, fault=fault, **options)
        self.struck[fault] += 1
        self._healings.append(_Healing(time.monotonic() + self._random.uniform(*_HEALED_AFTER), modem, fault))

    def _heal(self) -> None:
        now = time.monotonic()
        due = [one for one in self._healings if one.due <= now]
        self._healings = [one for one in self._healings if one.due > now]
        for one in due:
            self._peer.control("heal", modem=one.modem, fault=one.fault)
