"""The senders: messages at a steady pace, each followed until its state is final, and what really arrived of them."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmark.client import Client, Message, poll_request
from tests.benchmark.gateway import Gateway
from tests.benchmark.peer import Peer

FINAL = frozenset({"sent", "delivered", "undelivered", "failed", "expired", "unconfirmed"})
_LATER = 3.0
"""Seconds after the final state in which it is asked for once more: a status report may have come."""


@dataclass(slots=True)
class Sent:
    """One message: what its sender was told."""

    receiver: str
    message_id: str
    state: str = ""
    final_at: float = 0.0


class Traffic:
    """Posts messages, polls their states, and collects what arrived, on two threads, until `end`."""

    def __init__(self, gateway: Gateway, peer: Peer, pace: float) -> None:
        self.arrived = Counter[str]()
        self.states = Counter[str]()
        self.untrue: list[str] = []
        self.refused = 0
        self.posted = 0
        self._gateway = gateway
        self._peer = peer
        self._pace = pace
        self._pending: deque[Sent] = deque()
        self._told: dict[str, str] = {}
        self._seen = 0
        self._ending = threading.Event()
        self._failure: BaseException | None = None
        self._threads = [threading.Thread(target=self._guarded, args=(body,)) for body in (self._post, self._follow)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Post no more, follow what was posted to its end, and compare what was told with what arrived."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        if self._failure is not None:
            raise self._failure
        self._collect()
        for receiver, state in self._told.items():
            self.states[state] += 1
            if not _true(state, self.arrived[receiver]):
                self.untrue.append(f"{receiver}: told {state}, arrived {self.arrived[receiver]} times")
        self.untrue += [f"{receiver}: refused, and arrived" for receiver in self.arrived if receiver not in self._told]

    @property
    def pending(self) -> int:
        """Messages whose end is not known yet."""
        return len(self._pending)

    def _guarded(self, body: Callable[[], None]) -> None:
        try:
            body()
        except BaseException as error:  # noqa: BLE001 - raised again by `end`
            self._failure = error
            self._ending.set()

    def _post(self) -> None:
        number = 0
        with self._gateway.client() as client:
            while not self._ending.wait(1 / self._pace):
                number += 1
                message = Message(number)
                response = client.ask(message.request(0) if number % 7 else _long(message).request(0))
                self.posted += 1
                if response.data.get("message_id"):
                    self._pending.append(Sent(message.receiver, response.data["message_id"]))
                else:
                    self.refused += 1

    def _follow(self) -> None:
        with self._gateway.client() as client:
            while not self._ending.wait(0.5):
                self._collect()
                self._poll(client)
            while self._pending:
                time.sleep(0.5)
                self._collect()
                self._poll(client)

    def _poll(self, client: Client) -> None:
        for _ in range(len(self._pending)):
            one = self._pending.popleft()
            now = time.monotonic()
            if one.final_at and now - one.final_at < _LATER:
                self._pending.append(one)
                continue
            response = client.ask(poll_request(one.message_id))
            one.state = response.state
            if one.state in FINAL and one.final_at:
                self._told[one.receiver] = one.state
                continue
            if one.state in FINAL:
                one.final_at = now
            elif response.status == 404:
                raise AssertionError(f"the gateway forgot {one.message_id}")
            self._pending.append(one)

    def _collect(self) -> None:
        for message in self._peer.control("arrived", since=self._seen)["arrived"]:
            self._seen = message["number"]
            self.arrived[message["destination"]] += 1


@dataclass(frozen=True, slots=True)
class _Long(Message):
    @property
    def text(self) -> str:
        """A text of three parts."""
        return f"A longer message, number {self.number:08}. " * 10


def _long(message: Message) -> Message:
    return _Long(message.number)


def _true(state: str, arrived: int) -> bool:
    """Whether what the sender was told is the truth."""
    if state in ("sent", "delivered", "undelivered"):
        return arrived == 1
    return arrived <= 1 if state == "unconfirmed" else arrived == 0
