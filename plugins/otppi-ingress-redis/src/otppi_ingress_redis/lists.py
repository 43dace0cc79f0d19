"""Commands from a list, moved into a processing list of this gateway's own until they are done."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Any

from otppi.kit.broker.outbox import Action, Delivery
from otppi.kit.broker.verdict import Verdict
from otppi_ingress_redis.line import Command, Line, checked
from otppi_ingress_redis.settings import LEFT
from otppi_ingress_redis.source import AT_ONCE, BLOCK, Question, Source, exchanged
from otppi_ingress_redis.text import _


class ListSource(Source):
    """A list. What is in the processing list is this gateway's alone, so it is in hand also while the server is away.

    Args:
        values: Section `ingress-redis`.
        consumer: This gateway's name, in that of the processing list.
        timeout: The longest wait for the server to answer, in seconds.
    """

    def __init__(self, values: Mapping[str, Any], consumer: str, timeout: float) -> None:
        super().__init__(values)
        self._processing = f"{self._key}:processing:{consumer}"
        self.own_keys.add(self._processing)
        left = values["take_from"] == LEFT
        self._end = "LEFT" if left else "RIGHT"
        self._push, self._push_back = ("RPUSH", "LPUSH") if left else ("LPUSH", "RPUSH")
        self._newest = (-self._most, -1) if left else (0, self._most - 1)
        self._patience = BLOCK + timeout
        self._held = Counter[bytes]()
        self._left_over = deque[bytes]()
        self._more = False

    @property
    def held(self) -> int:
        """How many commands were moved and not settled."""
        return self._held.total()

    def describe(self) -> dict[str, Any]:
        """Return where its own are."""
        return {"processing_list": self._processing}

    def open(self, line: Line) -> None:
        """Find what was moved and is not in hand: of an earlier run, or by a reply that never came."""
        present = Counter[bytes](line.ask("LRANGE", self._processing, 0, -1))
        self._left_over = deque((present - self._held).elements())
        self._more = True

    def backlog(self, line: Line, room: int) -> Iterator[Delivery]:
        """Yield what is left over, then move what waits already, many at once."""
        while self._left_over and room > 0:
            room -= 1
            yield self._delivery(self._left_over.popleft(), again=True)
        while self._more and room > 0:
            move = ("LMOVE", self._key, self._processing, self._end, "LEFT")
            replies = line.exchange([move] * min(room, AT_ONCE))
            moved = [body for reply in replies if (body := checked(reply, "LMOVE")) is not None]
            self._more = len(moved) == len(replies)
            room -= len(moved)
            for body in moved:
                yield self._delivery(body)

    def question(self, room: int) -> Question | None:
        """Ask for the next one."""
        if room <= 0 or self._left_over or self._more:
            return None
        return Question(("BLMOVE", self._key, self._processing, self._end, "LEFT", BLOCK), self._patience)

    def reply_received(self, reply: Any) -> tuple[list[Delivery], bool]:
        """Read it; there may be more."""
        if checked(reply, "BLMOVE") is None:
            return [], True
        self._more = True
        return [self._delivery(reply)], True

    def _delivery(self, body: bytes, *, again: bool = False) -> Delivery:
        self._held[body] += 1
        return Delivery(body=body, tag=body, redelivered=again)

    def settle(self, line: Line, actions: list[Action]) -> None:
        """Take out of the processing list: for good, or into the dead letters, or back to where it came from."""
        with exchanged(line, _("settling a command")) as commands:
            for action in actions:
                if action.delivery is None:
                    continue
                body = action.delivery.tag
                out: Command = ("LREM", self._processing, -1, body)
                if action.verdict is Verdict.NEVER and self._dead_letter:
                    dead = self._bounded(self._dead_letter, body)
                    commands += [("MULTI",), *dead, out, ("EXEC",)]
                elif action.verdict is Verdict.AGAIN:
                    commands += [("MULTI",), (self._push_back, self._key, body), out, ("EXEC",)]
                else:
                    commands.append(out)
        self._held -= Counter(action.delivery.tag for action in actions if action.delivery is not None)

    def publish(self, topic: str, payload: bytes) -> list[Command]:
        """Add to a list, at the end that senders add commands at."""
        return self._bounded(topic, payload)

    def _bounded(self, key: str, body: bytes) -> list[Command]:
        return [(self._push, key, body), ("LTRIM", key, *self._newest)]

    def forget(self) -> None:
        """Forget what is in hand; it is found again in the processing list."""
        self._held.clear()
