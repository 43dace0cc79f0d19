"""Owns what outlives a power cycle of the simulated modem: SIM lock, SMSC number, stored messages."""

from dataclasses import dataclass
from enum import Enum

from otppi.testing.modem.answers import RefusedError
from otppi.testing.modem.profile import ModemProfile

_PIN_TRIES = 3
_PUK_TRIES = 10


class Lock(Enum):
    """What AT+CPIN? says (3GPP TS 27.007 8.3)."""

    READY = "READY"
    PIN = "SIM PIN"
    PUK = "SIM PUK"


class Status(Enum):
    """The `<stat>` of a stored message in PDU mode (3GPP TS 27.005 3.1)."""

    UNREAD = 0
    READ = 1


@dataclass(slots=True)
class StoredSms:
    """A message in memory: the PDU as hex with its SMSC octets, and the length of its TPDU in octets."""

    pdu: str
    length: int
    status: Status = Status.UNREAD


class MessageMemory:
    """One message memory ("SM", "ME"): numbered places, the lowest free one is used next."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.messages: dict[int, StoredSms] = {}

    @property
    def full(self) -> bool:
        """Whether no place is free."""
        return len(self.messages) >= self.capacity

    def store(self, sms: StoredSms) -> int | None:
        """Store a message and return its place, or None if the memory is full."""
        if self.full:
            return None
        place = next(index for index in range(1, self.capacity + 1) if index not in self.messages)
        self.messages[place] = sms
        return place


class Sim:
    """SIM card and message memories of one modem."""

    def __init__(self, profile: ModemProfile) -> None:
        self._profile = profile
        self.smsc = profile.smsc
        self.pin = profile.pin
        self.pin_tries = _PIN_TRIES
        self.puk_tries = _PUK_TRIES
        self.memories = {name: MessageMemory(capacity) for name, capacity in profile.memories.items()}
        self._busy_until = 0.0
        self._busy_code = 14
        self._verified = False

    @property
    def lock(self) -> Lock:
        """What the SIM waits for."""
        if self._verified or self.pin is None:
            return Lock.READY
        return Lock.PIN if self.pin_tries else Lock.PUK

    def power_on(self) -> None:
        """Ask for the PIN again."""
        self._verified = False

    def lock_up(self, pin: str | None, tries: int = _PIN_TRIES) -> None:
        """Ask for this PIN from now on, with so many tries left; without tries for the PUK; None = for nothing."""
        self.pin, self.pin_tries, self._verified = pin, tries, False

    def hold(self, until: float, code: int = 14) -> None:
        """Be busy until that time: SIM busy (14) or initialising (515)."""
        self._busy_until, self._busy_code = until, code

    def require(self, now: float) -> None:
        """Raise the RefusedError with which a command that needs the SIM is answered, if it is not ready."""
        if now < self._busy_until:
            raise RefusedError(self._busy_code)
        if self.lock is not Lock.READY:
            raise RefusedError(11 if self.lock is Lock.PIN else 12)

    def enter(self, code: str, new_pin: str | None, now: float) -> None:
        """Take a PIN, or a PUK and a new PIN (3GPP TS 27.007 8.3).

        Raises:
            RefusedError: 16 if it is wrong, 12 if the PUK is due and no new PIN stands beside it.
        """
        match self.lock:
            case Lock.READY:
                raise RefusedError(4)
            case Lock.PIN:
                self.pin_tries -= 1
                if code != self.pin:
                    raise RefusedError(16)
            case Lock.PUK:
                if new_pin is None:
                    raise RefusedError(12)
                if code != self._profile.puk or not self.puk_tries:
                    self.puk_tries = max(0, self.puk_tries - 1)
                    raise RefusedError(16)
                self.pin = new_pin
        self.pin_tries, self.puk_tries, self._verified = _PIN_TRIES, _PUK_TRIES, True
        self.hold(now + self._profile.sim_ready_delay)
