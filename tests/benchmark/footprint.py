"""Cases: memory at rest, and the time from the start of the program to the first SMS."""

import time
from collections.abc import Sequence

from tests.benchmark import visitor
from tests.benchmark.case import Effort, median, progress
from tests.benchmark.client import Client, Message, messages, queue
from tests.benchmark.gateway import Gateway, gateway, running
from tests.benchmark.peer import Peer, peer
from tests.benchmark.processes import PATIENCE, BenchmarkError
from tests.benchmark.rows import Budget, Row
from tests.benchmark.usage import Memory, cpu_seconds, memory

from otppi.testing.ports import free_port

_RETRY = 0.005
_TO_REST = 1.5
"""Seconds after the last message in which the process comes to rest."""
_TIDIED = 65
"""Seconds after the last page in which the gateway has given back what was left over: it does once a minute."""


def footprint(effort: Effort) -> Sequence[Row]:
    """Measure the memory with 1 and with 16 modems, each after some messages were sent."""
    _at_rest(1, 1, _TO_REST, pages=True)  # compiles the modules, where no case before has: that takes memory, too
    rows = []
    for count, limit, what, pages in (
        (1, 36.0, "REST + 1 modem", False),
        (16, 40.0, "all plugins + 16 modems", False),
        (1, 48.0, "REST + 1 modem + administration", True),
    ):
        used = _at_rest(count, effort.pick(50, 10) * count, effort.pick(_TIDIED, 2) if pages else _TO_REST, pages=pages)
        note = f"PSS beside other Python programs {used.pss:.1f}, RSS {used.rss:.1f}"
        budget = Budget(limit, at_most=True)
        rows.append(Row(f"memory, idle, {what}", used.alone, "MB", budget=budget, note=note, details={"pss": used.pss}))
    used, seen = _looked_at(effort.pick(50, 10), effort.pick(_TIDIED, 2))
    rows.append(Row(f"memory, idle, all {seen} pages were looked at", used.alone, "MB", details={"pss": used.pss}))
    return rows


def _looked_at(sent: int, rest: float) -> tuple[Memory, int]:
    """Return the memory with 1 modem after somebody has looked at each page, and how many there are."""
    port = free_port()
    with peer(1) as modems, running(modems.ports, sections=visitor.sections(port)) as one:
        _send(one, modems, sent)
        somebody = visitor.logged_in(port)
        seen = len(visitor.pages_of(somebody))
        somebody.close()
        time.sleep(rest)
        return memory(one.pid), seen


def _at_rest(count: int, sent: int, rest: float, *, pages: bool) -> Memory:
    sections = visitor.sections(free_port()) if pages else {"administration": {"enable": False}}
    with peer(count) as modems, running(modems.ports, sections=sections) as one:
        _send(one, modems, sent)
        time.sleep(rest)
        return memory(one.pid)


def _send(one: Gateway, modems: Peer, count: int) -> None:
    with one.client() as client:
        queue(client, messages(1, count))
    modems.wait_for(count)


def start_up(effort: Effort) -> Sequence[Row]:
    """Measure from exec to the first byte of AT+CMGS; the client tries until the port answers."""
    _first_sms(0)  # compiles the modules, where no case before has
    starts = [_first_sms(number) for number in range(effort.pick(7, 3))]
    times, used = [one for one, _ in starts], [cpu for _, cpu in starts]
    progress(f"starts: {', '.join(f'{one:.2f}' for one in times)} s")
    note = f"the administration enabled; {median(used):.2f} s of the processor"
    budget = Budget(1.5, at_most=True)
    return [Row("start → first SMS out", median(times), "s", budget=budget, note=note, details={"starts": times})]


def _first_sms(number: int) -> tuple[float, float]:
    """Return the seconds, and those of the processor until the message is accepted."""
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
        return modems.wait_for(1)[0].first_byte - started, cpu_seconds(one.pid)
