"""Owns what outlives a power cycle of the simulated modem: SIM lock, SMSC number, stored messages."""

from dataclasses import dataclass
from enum import Enum

from otppi.simulator.answers import RefusedError
from otppi.simulator.profile import ModemProfile

PIN_TRIES = 3
PUK_TRIES = 10


class Lock(Enum):
    """What AT+CPIN? says (3GPP TS 27.007 8.3)."""

    READY = "READY"
    PIN = "SIM PIN"
    PUK = "SIM PUK"


class StoredStatus(Enum):
    """The `<stat>` of a stored message in PDU mode (3GPP TS 27.005 3.1)."""

    UNREAD = 0
    READ = 1
    UNSENT = 2
    SENT = 3


@dataclass(slots=True)
class StoredSms:
    """A message in memory: the PDU as hex with its SMSC octets, and the length of its TPDU in octets."""

    pdu: str
    length: int
    status: StoredStatus = StoredStatus.UNREAD


class MessageMemory:
    """One message memory ("SM", "ME"): numbered places, of which the lowest free one is used next."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.messages: dict[int, StoredSms] = {}

    @property
    def full(self) -> bool:
        """Whether no place is free."""
        return len(self.messages) >= self.capacity

    def store(self, sms: StoredSms, *, gaps: bool = False) -> int | None:
        """Store a message and return its place, or None if the memory is full; with `gaps` some are left out at first.

        The places that are no multiples of three come last then.
        """
        if self.full:
            return None
        free = (index for index in range(1, self.capacity + 1) if index not in self.messages)
        place = min(free, key=lambda index: (gaps and index % 3 > 0, index))
        self.messages[place] = sms
        return place


class Sim:
    """SIM card and message memories of one modem."""

    def __init__(self, profile: ModemProfile) -> None:
        self._profile = profile
        self.smsc = profile.smsc
        self.asks_for_pin = profile.pin is not None
        self._pin = profile.pin or profile.idle_pin
        self.pin_tries = PIN_TRIES
        self.puk_tries = PUK_TRIES
        self.memories = {name: MessageMemory(capacity) for name, capacity in profile.memories.items()}
        self._busy_until = 0.0
        self._busy_code = 14
        self._verified = False

    @property
    def lock(self) -> Lock:
        """What the SIM waits for."""
        if not self.pin_tries:
            return Lock.PUK
        return Lock.PIN if self.asks_for_pin and not self._verified else Lock.READY

    def power_on(self) -> None:
        """Ask for the PIN again."""
        self._verified = False

    def lock_up(self, pin: str | None, tries: int = PIN_TRIES) -> None:
        """Ask for this PIN from now on, with so many tries left; without tries for the PUK; None = for nothing."""
        self._pin = pin or self._profile.idle_pin
        self.asks_for_pin, self.pin_tries, self._verified = pin is not None, tries, False

    def hold(self, until: float, code: int = 14) -> None:
        """Be busy until that time: SIM busy (14) or initialising (515)."""
        self._busy_until, self._busy_code = until, code

    def require(self, now: float) -> None:
        """Raise the RefusedError with which a command that needs the SIM is answered, if it is not ready."""
        if now < self._busy_until:
            raise RefusedError(self._busy_code)
        if not self.puk_tries:
            raise RefusedError(13)
        if self.lock is not Lock.READY:
            raise RefusedError(11 if self.lock is Lock.PIN else 12)

    def enter(self, code: str, new_pin: str | None, now: float) -> None:
        """Take a PIN, or a PUK and a new PIN (3GPP TS 27.007 8.3).

        Raises:
            RefusedError: 16: it is wrong; 12: the PUK is due, with a new PIN; 13: the PUK was wrong too often.
        """
        match self.lock:
            case Lock.READY:
                raise RefusedError(4)
            case Lock.PIN:
                self._try_pin(code)
            case Lock.PUK:
                if new_pin is None:
                    raise RefusedError(12)
                self._try_puk(code, new_pin)
        self._verified = True
        self.hold(now + self._profile.sim_ready_delay)

    def set_lock(self, locked: bool, pin: str, now: float) -> None:
        """Ask for the PIN after each power-on, or no more (3GPP TS 27.007 7.4).

        Raises:
            RefusedError: the SIM is not ready, or 16: the PIN is wrong.
        """
        self.require(now)
        self._try_pin(pin)
        self.asks_for_pin = self._verified = locked

    def change_pin(self, old: str, new: str, now: float) -> None:
        """Take another PIN (3GPP TS 27.007 7.5); a SIM does so only while it asks for one (ETSI TS 102 221 11.1.10).

        Raises:
            RefusedError: the SIM is not ready; 3: it does not ask for a PIN; 50: the new one is none; 16: the old one
                is wrong.
        """
        self.require(now)
        if not self.asks_for_pin:
            raise RefusedError(3)
        _check_pin(new)
        self._try_pin(old)
        self._pin = new

    def _try_pin(self, pin: str) -> None:
        if pin != self._pin:
            self.pin_tries -= 1
            raise RefusedError(16)
        self.pin_tries = PIN_TRIES

    def _try_puk(self, puk: str, new_pin: str) -> None:
        if not self.puk_tries:
            raise RefusedError(13)
        _check_pin(new_pin)
        if puk != self._profile.puk:
            self.puk_tries -= 1
            raise RefusedError(16)
        self._pin, self.pin_tries, self.puk_tries = new_pin, PIN_TRIES, PUK_TRIES


def _check_pin(pin: str) -> None:
    if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 8):
        raise RefusedError(50)
