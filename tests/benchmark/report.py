"""Case: the report of a month of a million messages: its pages, the memory that they take, and its export."""

import time
from collections.abc import Sequence
from typing import Final

from tests.benchmark import visitor
from tests.benchmark.case import Effort, median, progress
from tests.benchmark.gateway import Gateway, gateway
from tests.benchmark.peer import peer
from tests.benchmark.processes import BenchmarkError
from tests.benchmark.rows import Budget, Row
from tests.benchmark.usage import cpu_seconds, memory

from otppi.host.durable.report_folder import ReportFolder
from otppi.testing.ports import free_port
from otppi.testing.reports import make_report

_BEGINS: Final = time.mktime((2026, 10, 1, 0, 0, 0, 0, 0, -1))
_ENDS: Final = time.mktime((2026, 11, 1, 0, 0, 0, 0, 0, -1)) - 1
_SPAN: Final = "since=2026-10-01&until=2026-10-31"
_PAGES: Final = {
    "newest": "/messages/report",
    "a filter that finds nothing": "/messages/report?message_id=nothing",
    "a state": "/messages/report?state=expired",
    "a receiver's end": "/messages/report?receiver=7",
    "a day": "/messages/report?day=2026-10-12",
    "in the middle": "/messages/report?place=2026-10:90000000",
    "sums by day": f"/messages/report/sums?{_SPAN}",
    "sums by modem": f"/messages/report/sums?{_SPAN}&by=modem",
    "sums by prefix": f"/messages/report/sums?{_SPAN}&by=prefix",
    "sums by user": f"/messages/report/sums?{_SPAN}&by=user",
    "sums of a user by state": f"/messages/report/sums?{_SPAN}&by=state&user=ingress-rest%2Fshop7",
}


def report(effort: Effort) -> Sequence[Row]:
    """Measure each kind of page, then an export, of 16 modems, 20 prefixes and 50 users."""
    count, rounds, port = effort.pick(1_000_000, 50_000), effort.pick(15, 3), free_port()
    with peer(1) as modems, gateway(modems.ports, sections=visitor.sections(port)) as one:
        path = make_report(one.data / "report", "2026-10", count, _BEGINS, _ENDS)
        begun = time.process_time()
        ReportFolder(path.parent).make_sums()
        made = time.process_time() - begun
        one.start()
        one.wait_pages()
        somebody = visitor.logged_in(port)
        for _ in range(2):  # what any page needs of a gateway that was just started
            _ask(somebody, "/monitor")
        before = memory(one.pid).alone
        took, used = {}, {}
        for name, page in _PAGES.items():
            begun = cpu_seconds(one.pid)
            took[name] = median([_ask(somebody, page) for _ in range(rounds)])
            used[name] = (cpu_seconds(one.pid) - begun) / rounds
        pages = memory(one.pid).alone - before
        seconds, octets, most = _exported(one, somebody)
        somebody.close()
        sums = path.with_suffix(".sums").stat().st_size
    for name, took_one in took.items():
        progress(f"{name}: {1000 * took_one:.1f} ms, {1000 * used[name]:.1f} ms of the processor")
    slowest = max(took, key=lambda name: took[name])
    note = (
        f"{slowest}; {1000 * used[slowest]:.0f} ms of the processor; {count} messages, "
        f"sums made anew in {made:.0f} s of the processor, {sums / 1024:.0f} kB"
    )
    details = {name: 1000 * took_one for name, took_one in took.items()}
    return [
        Row("report of a month: slowest page on the server", 1000 * took[slowest], "ms",
            budget=Budget(50.0, at_most=True), note=note, details=details),
        Row("report of a month: memory after its pages", pages, "MB", budget=Budget(8.0, at_most=True)),
        Row("report of a month: most memory while it is exported", most - before, "MB",
            budget=Budget(8.0, at_most=True), note=f"{octets / 1e6:.0f} MB in {seconds:.0f} s"),
    ]  # fmt: skip


def _ask(somebody: visitor.Visitor, path: str) -> float:
    seen = somebody.ask("GET", path)
    if seen.status != 200:
        raise BenchmarkError(f"{path} was answered with {seen.status}")
    return seen.seconds


def _exported(one: Gateway, somebody: visitor.Visitor) -> tuple[float, int, float]:
    """Take an export; return its seconds, its octets, and the most memory that was seen meanwhile."""
    begun, octets, most = time.monotonic(), 0, 0.0
    looked = begun
    for part in somebody.download("/messages/report/export?month=2026-10"):
        octets += len(part)
        if time.monotonic() - looked > 0.5:
            most, looked = max(most, memory(one.pid).alone), time.monotonic()
    return time.monotonic() - begun, octets, max(most, memory(one.pid).alone)
