"""The codes that are known: those that may be verified, and for an hour what became of the others; on a RAM disk too.

Every change is in a sealed file before anybody is told of it, so that a crash makes no code invalid and gives nobody
fresh attempts. It has the codes' keyed hashes, and those of codes that can be verified no more are wiped.
"""

import heapq
import json
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum

from otppi.host.otp.limits import HOUR
from otppi.host.storage.sealed import SealedFile

logger = logging.getLogger(__name__)

MOST_CODES = 20_000


class CodeStatus(StrEnum):
    """Where a code stands."""

    OPEN = "open"
    """It may be verified."""
    VERIFIED = "verified"
    BLOCKED = "blocked"
    """Too many wrong ones were tried."""
    EXPIRED = "expired"
    REPLACED = "replaced"
    """A newer one was requested."""


@dataclass(slots=True)
class Code:
    """What is known of a code. The lock of `OneTimePasswords` guards every change.

    Attributes:
        message_id: The message that it went out with.
        place: The keyed name of sender and reference (`Hasher.place`).
        receiver: Its receiver.
        hash: The keyed hash of the code; empty where it can be verified no more.
        made, until: When it was made and until when it lives, by the monotonic clock, which runs on over a restart.
        wrong: How many wrong ones were tried.
        freed: Whether the resend interval does not hold a new one up: its message did not arrive.
        slot: Its slot in the file, where it is in one.
    """

    message_id: str
    place: bytes
    receiver: str = field(repr=False)
    hash: bytes = field(repr=False)
    made: float
    until: float
    wrong: int = 0
    status: CodeStatus = CodeStatus.OPEN
    freed: bool = False
    slot: int | None = None

    @property
    def gone(self) -> float:
        """When nothing of it is known any more: as long as it counts against limits, it is told as expired."""
        return max(self.until, self.made + HOUR)

    def to_bytes(self) -> bytes:
        """Write it for the file."""
        return json.dumps(
            [
                self.message_id,
                self.place.hex(),
                self.receiver,
                self.hash.hex(),
                self.made,
                self.until,
                self.wrong,
                self.status.value,
                self.freed,
            ],
            separators=(",", ":"),
        ).encode()


def _from_bytes(payload: bytes) -> Code:
    """Read what `to_bytes` wrote; raises ValueError or TypeError where another program did."""
    message_id, place, receiver, hash_, made, until, wrong, status, freed = json.loads(payload)
    return Code(
        str(message_id),
        bytes.fromhex(place),
        str(receiver),
        bytes.fromhex(hash_),
        float(made),
        float(until),
        int(wrong),
        CodeStatus(status),
        bool(freed),
    )


class CodeBook:
    """The codes, by message and by place and receiver. Not thread-safe: `OneTimePasswords` locks.

    Args:
        file: Where they survive a crash; None where they cannot.
    """

    def __init__(self, file: SealedFile | None = None) -> None:
        self._file = file
        self._codes: dict[str, Code] = {}
        self._at: dict[bytes, dict[str, Code]] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._due: list[tuple[float, str]] = []

    @property
    def open(self) -> int:
        """How many codes may be verified."""
        return len(self._codes) - len(self._ended)

    def by_message(self, message_id: str) -> Code | None:
        """Find the code that went out with a message."""
        return self._codes.get(message_id)

    def at(self, place: bytes) -> dict[str, Code]:
        """Return the newest code of each receiver at a place."""
        return self._at.get(place, {})

    def has_room(self) -> bool:
        """Whether one more code can be kept; what ended longest ago makes room for it."""
        while len(self._codes) >= MOST_CODES and self._ended:
            self.drop(self._codes[next(iter(self._ended))])
        return len(self._codes) < MOST_CODES

    def store(self, code: Code) -> None:
        """Keep a code, which is not the one to be verified before `activate`."""
        self._codes[code.message_id] = code
        self._save(code)

    def activate(self, code: Code) -> None:
        """Let a code be the one of its place and receiver; the one before is dead."""
        codes = self._at.setdefault(code.place, {})
        before, codes[code.receiver] = codes.get(code.receiver), code
        if before is not None and before.status is CodeStatus.OPEN:
            self.end(before, CodeStatus.REPLACED)
        heapq.heappush(self._due, (code.until, code.message_id))
        if len(self._due) > 2 * MOST_CODES:  # of those that were dropped before their time
            self._due = [entry for entry in self._due if entry[1] in self._codes]
            heapq.heapify(self._due)

    def end(self, code: Code, status: CodeStatus) -> None:
        """Let a code be verified no more: its hash is wiped."""
        code.status, code.hash = status, b""
        self._ended[code.message_id] = None
        self._save(code)

    def changed(self, code: Code) -> None:
        """Keep what changed of a code."""
        self._save(code)

    def drop(self, code: Code) -> None:
        """Forget a code."""
        self._codes.pop(code.message_id, None)
        self._ended.pop(code.message_id, None)
        codes = self._at.get(code.place, {})
        if codes.get(code.receiver) is code:
            del codes[code.receiver]
            if not codes:
                del self._at[code.place]
        self._erase(code.slot)
        code.slot = None

    def sweep(self, now: float) -> None:
        """Wipe what has expired, and forget what is long over."""
        while self._due and self._due[0][0] <= now:
            _, message_id = heapq.heappop(self._due)
            code = self._codes.get(message_id)
            if code is None:
                continue
            if code.status is CodeStatus.OPEN:
                self.end(code, CodeStatus.EXPIRED)
            if code.gone <= now:
                self.drop(code)
            else:
                heapq.heappush(self._due, (code.gone, message_id))

    def restore(self, now: float) -> list[Code]:
        """Take over what an earlier run left, oldest first, but for what it knew of an earlier life of the device."""
        found: dict[str, Code] = {}
        for slot, payload in self._left_over():
            try:
                code = _from_bytes(payload)
            except (ValueError, TypeError):
                logger.warning("a one-time password of another version of this program is forgotten")
                self._erase(slot)
                continue
            code.slot = slot
            known = found.setdefault(code.message_id, code)
            if known is not code:
                # A kill between writing anew and erasing the old leaves both: the one that knows more is true.
                found[code.message_id], older = (code, known) if _knows(code) > _knows(known) else (known, code)
                self._erase(older.slot)
        for code in found.values():
            if code.made > now or code.gone <= now:  # the monotonic clock began anew, or it is over
                self._erase(code.slot)
        codes = sorted((code for code in found.values() if code.made <= now < code.gone), key=lambda code: code.made)
        for code in codes:
            self._codes[code.message_id] = code
            if code.status is not CodeStatus.OPEN:
                self._ended[code.message_id] = None
        return codes

    def close(self) -> None:
        """Close the file, which stays for the next start."""
        if self._file is not None:
            self._file.close()

    def _left_over(self) -> list[tuple[int, bytes]]:
        try:
            return [] if self._file is None else self._file.entries()
        except OSError as error:
            logger.error("the one-time passwords of before cannot be read, they are void: %s", error)  # noqa: TRY400
            return []

    def _save(self, code: Code) -> None:
        """Write a code anew. A RAM disk that is full costs what a crash would need, not the codes: they go on.

        The old is erased in any case: after a crash it would give fresh attempts.
        """
        if self._file is None:
            return
        before, code.slot = code.slot, None
        try:
            code.slot = self._file.put(code.to_bytes())
        except OSError as error:
            logger.error("one-time passwords would not survive a crash: %s", error)  # noqa: TRY400 - that says it all
        self._erase(before)

    def _erase(self, slot: int | None) -> None:
        if self._file is None or slot is None:
            return
        try:
            self._file.erase(slot)
        except OSError as error:
            logger.error("what became of a one-time password cannot be written: %s", error)  # noqa: TRY400


def _knows(code: Code) -> tuple[bool, int, bool]:
    return code.status is not CodeStatus.OPEN, code.wrong, code.freed
