"""Commands from a stream, by a consumer group: acknowledged when final, taken over from gateways that are gone."""

import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any

from redis.exceptions import ResponseError

from otppi.kit.broker.outbox import Action, Delivery
from otppi.kit.broker.verdict import Verdict
from otppi_ingress_redis.line import Command, Line, checked, code
from otppi_ingress_redis.source import AT_ONCE, BLOCK, Question, Source, exchanged, pairs

logger = logging.getLogger(__name__)

_CLAIM_EVERY = 1.0
_OTHERS_FIRST = 3.0
"""Seconds after which what was given back is claimed by the gateway that gave it back, if no other has done so."""
_GIVEN_BACK = 86_400_000
"""Milliseconds: an entry that is given back looks as if nobody had cared for it for a day, so that any gateway of the
group may claim it at once. Redis 7 knows no other way of giving back."""
_OLDEST, _NEWEST = 1_262_304_000, 4_102_444_800
"""An entry's id begins with the time when it was added, unless its sender chose another; these are 2010 and 2100."""
_GONE = frozenset({"NOGROUP", "UNBLOCKED"})


class StreamSource(Source):
    """A stream. An entry belongs to whoever read it last; what is in hand is told so regularly (XCLAIM to itself).

    Args:
        values: Section `ingress-redis`.
        consumer: This gateway's name in the group.
        timeout: The longest wait for the server to answer, in seconds.
    """

    def __init__(self, values: Mapping[str, Any], consumer: str, timeout: float) -> None:
        super().__init__(values)
        self._group: str = values["group"]
        self._consumer = consumer
        self._field: bytes = values["field"].encode()
        self._claim_after: float = values["claim_after"]
        self._delete: bool = values["delete_done"]
        self._patience = BLOCK + timeout
        self._held: set[bytes] = set()
        self._renewed = time.monotonic()
        self._own_from: bytes | None = b"0"
        """Up to which entry those that were read before are read again; None when all are."""
        self._claim_at = 0.0
        self._cursor: bytes = b"0-0"
        self._gone = False
        self._claimed = 0
        self._vanished = 0

    @property
    def held(self) -> int:
        """How many entries were read and not settled."""
        return len(self._held)

    def describe(self) -> dict[str, Any]:
        """Return who it is in the group, what it took over, and how many entries were deleted before they were done."""
        return {
            "group": self._group,
            "consumer": self._consumer,
            "taken_over": self._claimed,
            "entries_vanished": self._vanished,
        }

    # -- reading ----------------------------------------------------------------------------------------------------

    def open(self, line: Line) -> None:
        """Make stream and group where they do not exist: from the first entry, so that what waits is not left out."""
        (reply,) = line.exchange([("XGROUP", "CREATE", self._key, self._group, "0", "MKSTREAM")])
        if isinstance(reply, ResponseError) and code(reply) != "BUSYGROUP":
            # A user who may not make groups can still use one that exists.
            checked(line.exchange([("XINFO", "CONSUMERS", self._key, self._group)])[0], f"XGROUP CREATE ({reply})")
        self._own_from, self._gone = b"0", False
        if not self._held:
            self._renewed = time.monotonic()

    def backlog(self, line: Line, room: int) -> Iterator[Delivery]:
        """Yield this gateway's own entries of before, then those that others left behind or gave back."""
        if self._gone:
            logger.warning("ingress-redis: stream %s or its group is gone; made anew", self._key)
            self.open(line)
        while self._own_from is not None and room > 0:
            entries = self._own(line, min(room, AT_ONCE))
            for entry in entries:
                room -= 1
                yield self._delivery(*entry, again=True)
        if self._own_from is None and room > 0 and time.monotonic() >= self._claim_at:
            yield from self._claim(line, min(room, AT_ONCE))

    def _own(self, line: Line, count: int) -> list[tuple[bytes, list[bytes]]]:
        """Read some of the entries that this gateway has read before and are not settled."""
        command = ("XREADGROUP", "GROUP", self._group, self._consumer, "COUNT", count, "STREAMS", self._key)
        reply = line.ask(*command, self._own_from or b"0")
        entries = reply[0][1] if reply else []
        self._own_from = entries[-1][0] if entries else None
        return self._alive(line, [(entry[0], entry[1]) for entry in entries if entry[0] not in self._held])

    def _claim(self, line: Line, count: int) -> Iterator[Delivery]:
        """Take over what nobody has cared for."""
        idle = int(self._claim_after * 1000)
        command = ("XAUTOCLAIM", self._key, self._group, self._consumer, idle, self._cursor, "COUNT", count)
        (reply,) = line.exchange([command])
        if isinstance(reply, ResponseError) and code(reply) in _GONE:
            self._gone = True
            return
        checked(reply, "XAUTOCLAIM")
        self._cursor = reply[0]
        if self._cursor == b"0-0":
            self._claim_at = time.monotonic() + _CLAIM_EVERY
        entries = [(entry[0], entry[1]) for entry in reply[1] if entry and entry[0] not in self._held]
        entries = self._alive(line, entries)
        counted = line.exchange([("XPENDING", self._key, self._group, entry[0], entry[0], 1) for entry in entries])
        for entry, pending in zip(entries, counted, strict=True):
            self._claimed += 1
            times = pending[0][3] if isinstance(pending, list) and pending else 1
            yield self._delivery(*entry, again=True, attempt=max(0, times - 1))

    def _alive(self, line: Line, entries: list[tuple[bytes, list[bytes] | None]]) -> list[tuple[bytes, list[bytes]]]:
        """Leave out entries that were deleted from the stream, such as by trimming, before they were done."""
        deleted = [entry_id for entry_id, fields in entries if fields is None]
        if deleted:
            self._vanished += len(deleted)
            logger.warning(
                "ingress-redis: %d entries were deleted from stream %s before they were done", len(deleted), self._key
            )
            line.ask("XACK", self._key, self._group, *deleted)
        return [(entry_id, fields) for entry_id, fields in entries if fields is not None]

    def question(self, room: int) -> Question | None:
        """Ask for new entries, once those of before are read."""
        if room <= 0 or self._own_from is not None or self._gone:
            return None
        command = ("XREADGROUP", "GROUP", self._group, self._consumer, "COUNT", min(room, AT_ONCE))
        block = int(BLOCK * 1000)
        return Question((*command, "BLOCK", block, "STREAMS", self._key, ">"), self._patience)

    def reply_received(self, reply: Any) -> tuple[list[Delivery], bool]:
        """Read new entries."""
        if isinstance(reply, ResponseError) and code(reply) in _GONE:
            self._gone = True
            return [], True
        checked(reply, "XREADGROUP")
        entries = reply[0][1] if reply else []
        return [self._delivery(entry[0], entry[1]) for entry in entries if entry[0] not in self._held], True

    def _delivery(self, entry_id: bytes, fields: list[bytes], *, again: bool = False, attempt: int = 0) -> Delivery:
        self._held.add(entry_id)
        added = int(entry_id.partition(b"-")[0]) // 1000
        return Delivery(
            body=pairs(fields).get(self._field, b""),
            tag=entry_id,
            redelivered=again,
            attempt=attempt,
            message_id=entry_id.decode(),
            date_time=added if _OLDEST < added < _NEWEST else None,
        )

    # -- settling ---------------------------------------------------------------------------------------------------

    def settle(self, line: Line, actions: list[Action]) -> None:
        """Acknowledge, after the copy for the dead letters was written; or give back."""
        with exchanged(line, "XADD to dead_letter") as commands:
            for action in actions:
                if action.verdict is Verdict.NEVER and self._dead_letter and action.delivery is not None:
                    more = ("entry", action.delivery.tag)
                    commands.append(self._add(self._dead_letter, action.delivery.body, *more))
        done = [one.delivery.tag for one in actions if one.delivery and one.verdict is not Verdict.AGAIN]
        again = [one.delivery.tag for one in actions if one.delivery and one.verdict is Verdict.AGAIN]
        commands = []
        if done:
            commands.append(("XACK", self._key, self._group, *done))
            if self._delete:
                commands.append(("XDEL", self._key, *done))
        if again:
            commands.append(self._claim_own(again, "IDLE", _GIVEN_BACK))
            self._claim_at = max(self._claim_at, time.monotonic() + _OTHERS_FIRST)
        self._told_server(line, commands)
        self._held.difference_update(done, again)

    def publish(self, topic: str, payload: bytes) -> list[Command]:
        """Add to a stream, in the same field that commands come in."""
        return [self._add(topic, payload)]

    def _add(self, key: str, body: bytes, *more: str | bytes) -> Command:
        return ("XADD", key, "MAXLEN", "~", self._most, "*", self._field, body, *more)

    def _claim_own(self, entries: list[bytes], *more: str | int) -> Command:
        return ("XCLAIM", self._key, self._group, self._consumer, 0, *entries, *more, "JUSTID")

    def _told_server(self, line: Line, commands: list[Command]) -> None:
        """Tell what became of entries; those of a group that is gone are of no interest to anybody."""
        for command, reply in zip(commands, line.exchange(commands), strict=True):
            if isinstance(reply, ResponseError) and code(reply) in _GONE:
                self._gone = True
            else:
                checked(reply, str(command[0]))

    # -- what is in hand --------------------------------------------------------------------------------------------

    def tend(self, line: Line, now: float) -> None:
        """Keep what is in hand from being claimed by others."""
        if now - self._renewed < self._claim_after / 8:
            return
        held = list(self._held)
        slices = [held[start : start + AT_ONCE] for start in range(0, len(held), AT_ONCE)]
        self._told_server(line, [self._claim_own(part) for part in slices])
        self._renewed = now

    def overdue(self, now: float) -> bool:
        """Whether half of the time is over after which others claim; the next look may come late."""
        return bool(self._held) and now - self._renewed > self._claim_after / 2

    def forget(self) -> None:
        """Forget what was read; what is still this gateway's own is read again."""
        self._held.clear()
        self._own_from = b"0"
