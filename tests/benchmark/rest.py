"""Case: how many requests per second the REST API takes, next to bare CherryPy and bare cheroot."""

import sys
from collections.abc import Sequence

from tests.benchmark import load
from tests.benchmark.case import Effort, median, progress
from tests.benchmark.gateway import running
from tests.benchmark.peer import peer
from tests.benchmark.processes import Program, listens, scratch, wait_until
from tests.benchmark.rows import Budget, Row
from tests.benchmark.usage import cpu_seconds

from otppi.testing.ports import free_port

_ROOM = 90_000
"""Messages that the queue takes, less a margin."""


def rest(effort: Effort) -> Sequence[Row]:
    """Measure requests per second with authentication and `wait=0`; the modem sends one SMS in 2.5 s meanwhile."""
    rounds, seconds = effort.pick(3, 1), effort.pick(4, 2)
    bare: dict[str, list[float]] = {"cheroot": [], "cherrypy": []}
    ours: list[load.Load] = []
    costs: list[float] = []
    with peer(1, network_time=2.5) as modems:
        for turn in range(rounds):
            for kind, rates in bare.items():
                rates.append(_bare(kind, seconds).rate)
            with running(modems.ports) as gateway:
                load.run(gateway.port, 1, 1)
                cpu = cpu_seconds(gateway.pid)
                ours.append(load.run(gateway.port, seconds, _ROOM * (turn + 1)))
                costs.append((cpu_seconds(gateway.pid) - cpu) / ours[-1].requests)
            progress(
                f"{ours[-1].rate:.0f} requests/s ({1000 * costs[-1]:.2f} ms of CPU each), {ours[-1].errors} errors"
            )
    rate, cherrypy, cheroot = median([one.rate for one in ours]), median(bare["cherrypy"]), median(bare["cheroot"])
    details = {"rounds": [one.rate for one in ours], "cherrypy": bare["cherrypy"], "cheroot": bare["cheroot"]}
    errors, p99, cost = sum(one.errors for one in ours), median([one.p99 for one in ours]), median(costs)
    note = f"{1000 * cost:.2f} ms of CPU each, p99 {1000 * p99:.0f} ms, {errors} errors, {load.generator()}"
    return [
        Row(
            "REST, authentication, wait=0 (floor: CherryPy)",
            rate,
            "req/s",
            cherrypy,
            rate / cherrypy,
            Budget(3.0, of_ratio=True),
            note,
            details,
        ),
        Row("  bare CherryPy saying hello", cherrypy, "req/s"),
        Row("  bare cheroot saying hello", cheroot, "req/s"),
    ]


def _bare(kind: str, seconds: int) -> load.Load:
    port = free_port()
    with scratch() as folder:
        program = Program([sys.executable, "-m", "tests.benchmark.bare_server", kind, str(port)], folder / "said")
        try:
            wait_until(lambda: listens(port), f"the start of {kind}", 10)
            return load.run(port, seconds, 1)
        finally:
            program.end()
