"""Case: how long it takes from a request to the first byte of its AT+CMGS, while nothing else is going on."""

import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.benchmark.case import Effort, percentile, progress
from tests.benchmark.client import Client, messages
from tests.benchmark.gateway import running
from tests.benchmark.peer import Peer, peer
from tests.benchmark.processes import Program, listens, scratch, wait_until
from tests.benchmark.rows import Budget, Row

from otppi.testing.ports import free_port

_PAUSES = (0.005, 0.045)
"""Seconds between two requests, at random, so that no timer of the gateway is met in step."""
_WARM = 10


def latency(effort: Effort) -> Sequence[Row]:
    """Measure p50 and p99 over one kept-alive connection, and those of the bare gateway on the same peer."""
    count = effort.pick(500, 60)
    with peer(2) as modems:
        with _bare(modems) as client:
            bare = delays(modems, client, 1_000, count)
        progress(f"bare: {1000 * percentile(bare, 50):.2f} ms")
        with running(modems.ports[1:]) as gateway, gateway.client() as client:
            ours = delays(modems, client, 10_000, count)
    rows = []
    for percent, limit in ((50, 3.0), (99, 10.0)):
        measured, floor = 1000 * percentile(ours, percent), 1000 * percentile(bare, percent)
        what = f"request in → first byte of AT+CMGS, p{percent}"
        note = "floor: 80 lines of Python" if percent == 50 else f"longest {1000 * max(ours):.1f} ms of {count}"
        rows.append(Row(what, measured, "ms", floor, measured / floor, Budget(limit, at_most=True), note))
    return rows


@contextmanager
def _bare(modems: Peer) -> Iterator[Client]:
    """Run the bare gateway on the first modem, and connect to it."""
    port = free_port()
    with scratch() as folder:
        command = [sys.executable, "-m", "tests.benchmark.bare_gateway", str(port), str(modems.ports[0])]
        program = Program(command, folder / "said")
        try:
            wait_until(lambda: listens(port), "the start of the bare gateway", 10)
            with Client(port) as client:
                yield client
        finally:
            program.end()


def delays(modems: Peer, client: Client, first: int, count: int) -> list[float]:
    """Send one message after the other, with pauses; give the seconds to the first byte of each."""
    for message in messages(first, _WARM):
        client.ask(message.request())
    before = len(modems.dialogues())
    pauses = random.Random(1)
    sent = {}
    for message in messages(first + _WARM, count):
        time.sleep(pauses.uniform(*_PAUSES))
        request = message.request()
        sent[message.receiver] = time.monotonic()
        client.ask(request)
    done = modems.wait_for(before + count)
    return [one.first_byte - sent[one.destination] for one in done if one.destination in sent]
