"""Cases: memory at rest, and the time from the start of the program to the first SMS."""

import time
from collections.abc import Sequence

from tests.benchmark.case import Effort, median, progress
from tests.benchmark.client import Client, Message, messages, queue
from tests.benchmark.gateway import gateway, running
from tests.benchmark.peer import peer
from tests.benchmark.processes import PATIENCE, BenchmarkError
from tests.benchmark.rows import Budget, Row
from tests.benchmark.usage import Memory, memory

_RETRY = 0.005
_TO_REST = 1.5
"""Seconds after the last message in which the process comes to rest."""


def footprint(effort: Effort) -> Sequence[Row]:
    """Measure the memory with 1 and with 16 modems, each after some messages were sent."""
    _first_sms(0)  # compiles the modules, where no case before has: that takes memory, too
    rows = []
    for count, limit, what in ((1, 36.0, "REST + 1 modem"), (16, 40.0, "all plugins + 16 modems")):
        used = _at_rest(count, effort.pick(50, 10) * count)
        note = f"PSS beside other Python programs {used.pss:.1f}, RSS {used.rss:.1f}"
        budget = Budget(limit, at_most=True)
        rows.append(Row(f"memory, idle, {what}", used.alone, "MB", budget=budget, note=note, details={"pss": used.pss}))
    return rows


def _at_rest(count: int, sent: int) -> Memory:
    with peer(count) as modems, running(modems.ports) as one:
        with one.client() as client:
            queue(client, messages(1, sent))
        modems.wait_for(sent)
        time.sleep(_TO_REST)
        return memory(one.pid)


def start_up(effort: Effort) -> Sequence[Row]:
    """Measure from exec to the first byte of AT+CMGS; the client tries until the port answers."""
    _first_sms(0)  # compiles the modules, where no case before has
    times = [_first_sms(number) for number in range(effort.pick(7, 3))]
    progress(f"starts: {', '.join(f'{one:.2f}' for one in times)} s")
    return [
        Row("start → first SMS out", median(times), "s", budget=Budget(1.5, at_most=True), details={"starts": times})
    ]


def _first_sms(number: int) -> float:
    with peer(1) as modems, gateway(modems.ports) as one:
        started = one.start(wait=False)
        request, deadline = Message(number).request(), started + PATIENCE
        while time.monotonic() < deadline:
            one.check()
            try:
                with Client(one.port) as client:
                    client.ask(request)
                    break
            except OSError:
                time.sleep(_RETRY)
        else:
            raise BenchmarkError(f"the gateway took no request in {PATIENCE:g} s")
        return modems.wait_for(1)[0].first_byte - started
