"""One message that comes in, from its first part to the last: what of it is there, and how it reads."""

import hashlib
import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from otppi.api.events import InboundPart
from otppi.api.ingress import ReceivedMessage

_SAME_MESSAGE = 3600.0
"""Parts whose SMSC times are further apart are of two messages: a sender's references come again (modems.md 15)."""


@dataclass(slots=True)
class Assembly:
    """A message with the parts that came; one of a single part is whole from the start.

    `parts` holds text and SMSC time by number; `damaged` are those of them that came with a flaw; `since` is when the
    first came, by the monotonic clock; `shown` is whether it is to be seen, whole or not.
    """

    modem: str
    originator: str
    reference: int | None
    total: int
    binary: bool
    arrived: float
    message_id: str = field(default_factory=lambda: os.urandom(8).hex())
    since: float = field(default_factory=time.monotonic)
    parts: dict[int, tuple[str, float]] = field(default_factory=dict, repr=False)
    damaged: set[int] = field(default_factory=set)
    shown: bool = False
    read: bool = False

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of the parts that have not come."""
        if len(self.parts) == self.total:
            return ()
        return tuple(number for number in range(1, self.total + 1) if number not in self.parts)

    def add(self, part: InboundPart) -> None:
        """Take a part."""
        self.parts[part.number] = (part.text, part.sent)
        (self.damaged.add if part.damaged else self.damaged.discard)(part.number)

    def distance(self, part: InboundPart) -> float | None:
        """Return how far in time a part is from this message, in seconds; None where it cannot be of it.

        Where the SMSC's time is missing, when it came has to do.
        """
        better = part.number in self.damaged and not part.damaged
        if (part.number in self.parts and not better) or part.binary is not self.binary:
            return None
        known = self._sent
        since = time.monotonic() - self.since
        away = min(abs(part.sent - sent) for sent in known) if part.sent and known else since
        return away if away <= _SAME_MESSAGE else None

    @property
    def _sent(self) -> tuple[float, ...]:
        """The SMSC's times that are known."""
        return tuple(sent for _, sent in self.parts.values() if sent)

    def message(self) -> ReceivedMessage:
        """Return the message as it is now, its missing parts marked in the text."""
        pieces = [
            self._piece(number) if number in self.parts else f"[part {number} of {self.total} is missing]"
            for number in range(1, self.total + 1)
        ]
        # Halves of a character that the sender cut in two find each other here.
        text = "".join(pieces).encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")
        return ReceivedMessage(
            message_id=self.message_id,
            modem=self.modem,
            originator=self.originator,
            text=text,
            sent=min(self._sent, default=self.arrived),
            arrived=self.arrived,
            segments=self.total,
            missing=self.missing,
            binary=self.binary,
            read=self.read,
            damaged=bool(self.damaged),
        )

    def _piece(self, number: int) -> str:
        """Return the text of a part, with a mark where its end may be missing; octets have no place for one."""
        text = self.parts[number][0]
        if number not in self.damaged or self.binary:
            return text
        what = "it" if self.total == 1 else f"part {number}"
        return f"{text}[{what} came damaged: its end may be missing]"

    # -- on the card ------------------------------------------------------------------------------------------------

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON values; a text may hold half a character, which only JSON's escapes can write."""
        return {
            "id": self.message_id,
            "modem": self.modem,
            "originator": self.originator,
            "reference": self.reference,
            "total": self.total,
            "binary": self.binary,
            "arrived": self.arrived,
            "shown": self.shown,
            "read": self.read,
            "damaged": sorted(self.damaged),
            "parts": [[number, json.dumps(text), sent] for number, (text, sent) in self.parts.items()],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Assembly":
        """Take what `as_json` gave.

        Raises:
            KeyError, TypeError or ValueError: It is not of that form.
        """
        if not _is_whole(kept):
            raise ValueError("it is not of that form")
        return cls(
            modem=kept["modem"],
            originator=kept["originator"],
            reference=kept["reference"],
            total=kept["total"],
            binary=kept["binary"],
            arrived=kept["arrived"],
            message_id=kept["id"],
            since=time.monotonic() - max(0.0, time.time() - kept["arrived"]),
            parts={number: (json.loads(text), sent) for number, text, sent in kept["parts"]},
            damaged=set(kept.get("damaged", ())),
            shown=kept["shown"],
            read=kept["read"],
        )

    def digests(self) -> list[bytes]:
        """Name its parts as `digest` does."""
        return [
            digest(
                self.modem,
                InboundPart(self.originator, text, sent, self.reference, number, self.total, binary=self.binary),
            )
            for number, (text, sent) in self.parts.items()
        ]


def _is_whole(kept: Mapping[str, Any]) -> bool:
    """Whether all that was read from the card can be what was written: a damaged one must not fail later."""
    parts = [(number, json.loads(text), sent) for number, text, sent in kept["parts"]]
    return (
        all(isinstance(kept[key], str) for key in ("id", "modem", "originator"))
        and isinstance(kept["reference"], int | None)
        and kept["total"] in range(1, 256)
        and math.isfinite(kept["arrived"])
        and bool(parts)
        and set(kept.get("damaged", ())) <= {number for number, _, _ in parts}
        and all(
            number in range(1, 256) and isinstance(text, str) and math.isfinite(sent) for number, text, sent in parts
        )
    )


def digest(modem: str, part: InboundPart) -> bytes:
    """Name a part, so that one that comes twice is known: a modem could not delete it, or the network repeats it.

    Without the SMSC's time two messages with one text look the same; `InboundPart.offer` tells them apart.
    """
    when = part.sent or part.offer
    told = (modem, part.originator, when, part.reference, part.number, part.total, part.text)
    return hashlib.blake2b(json.dumps(told).encode(), digest_size=16).digest()
