"""Cases: what becomes of messages when the gateway is killed, the network does not answer, or the port goes away."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.benchmark.case import Effort, median, progress
from tests.benchmark.client import Client, Message, Response, messages, poll_request
from tests.benchmark.gateway import Gateway, gateway, running
from tests.benchmark.peer import Dialogue, Peer, peer
from tests.benchmark.processes import BenchmarkError, wait_until
from tests.benchmark.rows import Budget, Row

_NONE = Budget(0, at_most=True)
_NETWORK_TIME = 1.5
_QUEUED = 5
_UNREPORTED: dict[str, Any] = {"delivery_reports": False}
"""Without status reports, which would turn `unconfirmed` into `delivered` before it is counted."""


def killed(effort: Effort) -> Sequence[Row]:
    """Kill the gateway between Ctrl-Z and +CMGS, with messages queued behind, and start it again."""
    lost = twice = unconfirmed = failed = 0
    rounds = effort.pick(4, 1)
    for _ in range(rounds):
        told, arrived = _kill_once()
        lost += sum(not state_ok(told[receiver], arrived[receiver]) for receiver in told)
        twice += sum(times > 1 for times in arrived.values())
        states = Counter(told.values())
        unconfirmed, failed = unconfirmed + states["unconfirmed"], failed + states["failed"]
    note = f"{failed} of {_QUEUED * rounds} that were queued told as failed"
    return [
        Row("kill -9 after Ctrl-Z, restart: lost", lost, budget=_NONE, note=note),
        Row("kill -9 after Ctrl-Z, restart: twice", twice, budget=_NONE),
        Row("kill -9 …: told as unconfirmed", unconfirmed, floor=rounds, ratio=unconfirmed / rounds,
            budget=Budget(1.0, of_ratio=True)),
    ]  # fmt: skip


def state_ok(told: str, arrived: int) -> bool:
    """Whether what the sender was told of a message is true."""
    once = arrived == 1
    return {"sent": once, "delivered": once, "failed": not arrived, "expired": not arrived, "unconfirmed": True}.get(
        told, False
    )


def _kill_once() -> tuple[dict[str, str], Counter[str]]:
    """Return what each sender is told after the restart, and how often each message arrived."""
    many = messages(1, 1 + _QUEUED)
    with peer(1, network_time=_NETWORK_TIME) as modems, gateway(modems.ports, **_UNREPORTED) as one:
        one.start()
        with one.client() as client:
            ids = {message.receiver: client.ask(message.request(0)).data["message_id"] for message in many}
            wait_until(lambda: _state(client, ids[many[0].receiver]) == "sending", "sending", 5, step=0.005)
        time.sleep(_NETWORK_TIME / 10)  # the prompt and the PDU take some milliseconds; the log will tell
        killed_at = time.monotonic()
        one.kill()
        one.start()
        with one.client() as client:
            last = Message(99)
            state = client.ask(last.request()).state
            told = {receiver: _state(client, message_id) for receiver, message_id in ids.items()}
        done = [dialogue for dialogue in modems.wait_for(2) if dialogue.accepted]
    if not done[0].ctrl_z < killed_at < done[0].answered:
        raise BenchmarkError("the gateway was not killed between Ctrl-Z and +CMGS")
    return told | {last.receiver: state}, _arrived(done)


def _state(client: Client, message_id: str) -> str:
    return client.ask(poll_request(message_id)).state


def _arrived(done: Sequence[Dialogue]) -> Counter[str]:
    return Counter(dialogue.destination for dialogue in done)


def no_answer(effort: Effort) -> Sequence[Row]:
    """Have the network take one message and never answer, and another one that it loses."""
    outcomes = [_unanswered(fault) for fault in ("result-lost-sent", "result-lost-unsent")[: effort.pick(2, 1)]]
    gaps = [gap for gap, _, _ in outcomes]
    progress(f"the next goes out after {', '.join(f'{gap:.2f}' for gap in gaps)} s")
    twice = sum(times > 1 for _, _, arrived in outcomes for times in arrived.values())
    untold = sum(state != "unconfirmed" for _, state, _ in outcomes)
    return [
        Row("no +CMGS to one message: twice", twice, budget=_NONE),
        Row("no +CMGS …: not told as unconfirmed", untold, budget=_NONE),
        Row("no +CMGS …: the next goes out after", max(gaps), "s", budget=Budget(1.0, at_most=True)),
    ]


def _unanswered(fault: str) -> tuple[float, str, Counter[str]]:
    """Return the seconds from time-out to next message, what the sender was told, and what went out how often."""
    timeout = 2.0
    with peer(1) as modems, running(modems.ports, result_timeout=timeout, **_UNREPORTED) as one, one.client() as client:
        modems.control("inject", fault=fault, at=1)
        ids = [client.ask(message.request(0)).data["message_id"] for message in messages(1, 3)]
        wait_until(lambda: _state(client, ids[-1]) == "sent", "the message after it", timeout + 20)
        done = modems.dialogues()
        return done[1].first_byte - done[0].ctrl_z - timeout, _state(client, ids[0]), _arrived(done)


def unplugged(effort: Effort) -> Sequence[Row]:
    """Take the port away for five seconds while messages come in all the time."""
    backs, lost, twice, unconfirmed = [], 0, 0, 0
    for number in range(effort.pick(3, 1)):
        back, told, arrived = _unplug_once(1000 * (number + 1), effort.pick(5, 2))
        backs.append(back)
        lost += sum(told[receiver] == "failed" or not state_ok(told[receiver], arrived[receiver]) for receiver in told)
        twice += sum(times > 1 for times in arrived.values())
        unconfirmed += sum(state == "unconfirmed" for state in told.values())
    progress(f"sending again after {', '.join(f'{one:.2f}' for one in backs)} s")
    note = f"median {median(backs):.2f} s"
    return [
        Row("port gone for 5 s: sending again after", max(backs), "s", budget=Budget(3.0, at_most=True), note=note),
        Row("port gone for 5 s: lost", lost, budget=_NONE, note=f"{unconfirmed} told as unconfirmed"),
        Row("port gone for 5 s: twice", twice, budget=_NONE),
    ]


def _unplug_once(first: int, after: int) -> tuple[float, dict[str, str], Counter[str]]:
    """Return the seconds from being back to sending, what each sender was told, and how often each message arrived."""
    away = 5.0
    with peer(1) as modems, running(modems.ports) as one:
        stream = _Stream(one, first)
        stream.start()
        modems.wait_for(10)
        modems.control("unplug", seconds=away)
        back = time.monotonic() + away
        wait_until(lambda: _last(modems).answered > back, "sending again", away + 30)
        time.sleep(after / 10)
        stream.end()
        done = [dialogue for dialogue in modems.dialogues() if dialogue.accepted]
    again = min(dialogue.first_byte for dialogue in done if dialogue.first_byte > back)
    return again - back, stream.told, _arrived(done)


def _last(modems: Peer) -> Dialogue:
    return modems.dialogues()[-1]


class _Stream:
    """Senders that post a message twenty times a second, each waiting for its answer."""

    _PERIOD = 0.05
    _WAIT = 30.0

    def __init__(self, one: Gateway, first: int) -> None:
        self.told: dict[str, str] = {}
        self._gateway = one
        self._first = first
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Post no more, and wait for the outstanding answers."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        senders = []
        number = self._first
        while not self._ended.wait(self._PERIOD):
            sender = threading.Thread(target=self._send, args=(Message(number),))
            sender.start()
            senders.append(sender)
            number += 1
        for sender in senders:
            sender.join()

    def _send(self, message: Message) -> None:
        self.told[message.receiver] = ""  # until there is an answer; it stays so where the gateway hangs up
        with self._gateway.client() as client:
            response: Response = client.ask(message.request(self._WAIT))
        self.told[message.receiver] = response.state
