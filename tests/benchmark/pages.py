"""Cases: what the server needs for each page of the administration; messages while somebody guesses passwords."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.benchmark import visitor
from tests.benchmark.case import Effort, median, percentile, progress
from tests.benchmark.client import messages, queue
from tests.benchmark.gateway import Gateway, running
from tests.benchmark.latency import delays
from tests.benchmark.peer import Peer, peer
from tests.benchmark.processes import BenchmarkError, Program, scratch
from tests.benchmark.rows import Budget, Row
from tests.benchmark.usage import cpu_seconds

from otppi.testing.ports import free_port

_MODEMS, _SENT = 4, 60
"""Enough that the monitor's table of messages is full."""
_FLOOD = 4
"""Connections that passwords are guessed over."""


def pages(effort: Effort) -> Sequence[Row]:
    """Measure each page that links lead to, as an administrator sees it, next to a file that is only served."""
    port, rounds = free_port(), effort.pick(15, 3)
    with peer(_MODEMS) as modems, running(modems.ports, sections=visitor.sections(port)) as gateway:
        with gateway.client() as client:
            queue(client, messages(1, _SENT))
        modems.wait_for(_SENT)
        one = visitor.logged_in(port)
        found = visitor.pages_of(one)
        took = {path: _took(gateway, one, path, rounds) for path in found}
        floor, _ = _took(gateway, one, _file_of(one), rounds)
        one.close()
    slowest = max(took, key=lambda path: took[path][0])
    seconds, used = took[slowest]
    most = max(cpu for _seconds, cpu in took.values())
    note = f"{slowest}; {1000 * used:.1f} ms of the processor, of no page more than {1000 * most:.1f}; floor: a file"
    told = {path: {"ms": 1000 * wall, "cpu_ms": 1000 * cpu} for path, (wall, cpu) in took.items()}
    return [
        Row(f"slowest of {len(found)} pages on the server", 1000 * seconds, "ms", 1000 * floor, None,
            Budget(20.0, at_most=True), note, told),
    ]  # fmt: skip


def _took(gateway: Gateway, one: visitor.Visitor, path: str, rounds: int) -> tuple[float, float]:
    """Return the median of the seconds that a page takes, and the seconds of the processor."""
    before = cpu_seconds(gateway.pid)
    seen = [one.ask("GET", path) for _ in range(rounds)]
    used = (cpu_seconds(gateway.pid) - before) / rounds
    if wrong := next((page.status for page in seen if page.status >= 400), None):
        raise BenchmarkError(f"{path} was answered with {wrong}")
    return median([page.seconds for page in seen]), used


def _file_of(one: visitor.Visitor) -> str:
    """Return where the pages' style is."""
    return one.ask("GET", "/").text.partition('rel="stylesheet" href="')[2].partition('"')[0]


def login_flood(effort: Effort) -> Sequence[Row]:
    """Measure messages while passwords are guessed and while they are not, in turns."""
    count, rounds, port = effort.pick(300, 40), effort.pick(5, 2), free_port()
    with peer(1) as modems, running(modems.ports, sections=visitor.sections(port)) as gateway:
        pairs = [_pair(modems, gateway, port, turn * count, count) for turn in range(rounds)]
    quiet, flooded = median([one for one, _ in pairs]), median([other for _, other in pairs])
    ratio = median([other / one for one, other in pairs])
    return [
        Row(
            f"request in → first byte of AT+CMGS, p50, while {_FLOOD} connections guess passwords of the pages",
            1000 * flooded,
            "ms",
            1000 * quiet,
            ratio,
            Budget(3.0, at_most=True),
            "floor: nobody guesses",
        )
    ]


def _pair(modems: Peer, gateway: Gateway, port: int, first: int, count: int) -> tuple[float, float]:
    """Return the p50 while nobody guesses, and while somebody does."""
    with gateway.client() as client:
        quiet = percentile(delays(modems, client, 10_000 + 20 * first, count), 50)
        with _guessed(port):
            before = cpu_seconds(gateway.pid)
            flooded = percentile(delays(modems, client, 20_000 + 20 * first + 5 * count, count), 50)
            used = cpu_seconds(gateway.pid) - before
    progress(f"quiet {1000 * quiet:.2f} ms, guessed {1000 * flooded:.2f} ms, {used:.1f} s of the processor")
    return quiet, flooded


@contextmanager
def _guessed(port: int) -> Iterator[None]:
    with scratch() as folder:
        command = [sys.executable, "-m", "tests.benchmark.login_flood", str(port), str(_FLOOD)]
        program = Program(command, folder / "said")
        try:
            yield
            if program.ended:
                raise BenchmarkError(f"the flood ended: {program.last_words()}")
        finally:
            program.kill()
