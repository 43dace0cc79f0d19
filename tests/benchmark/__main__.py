"""Runs the benchmark: measures every budget of the specification's section 10, and the floor in the same run.

`python -m tests.benchmark [--quick] [--only NAME] [--json FILE]`, from the root of the repository.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmark import (
    brokers,
    card,
    fleet,
    footprint,
    latency,
    pages,
    recovery,
    report,
    rest,
    scaling,
    throughput,
    watchers,
)
from tests.benchmark.case import Case, Effort
from tests.benchmark.processes import BenchmarkError
from tests.benchmark.rows import Row, table, write_json

CASES = (
    Case("full-speed", "one modem, queue never empty, and its CPU time", throughput.full_speed),
    Case("slow-network", "use of one modem with 2.5 s of network time", throughput.slow_network),
    Case("latency", "from the request to the first byte of AT+CMGS", latency.latency),
    Case("fleet", "1, 4, 16 and 64 modems", fleet.fleet),
    Case("memory", "memory at rest", footprint.footprint),
    Case("start-up", "from the start to the first SMS", footprint.start_up),
    Case("rest", "requests per second", rest.rest),
    Case("pages", "what the server needs for each page of the administration", pages.pages),
    Case("login-flood", "messages while passwords of the pages are guessed", pages.login_flood),
    Case("watchers", "messages while pages of the monitor are open", watchers.watchers),
    Case("report", "pages of a month of a million messages", report.report),
    Case("card", "bytes written per SMS", card.card),
    Case("brokers", "messages per second from each broker", brokers.brokers),
    Case("scaling", "three gateways on one queue", scaling.scaling),
    Case("killed", "kill -9 and restart", recovery.killed),
    Case("no-answer", "a message that the network never answers", recovery.no_answer),
    Case("unplugged", "the port goes away and comes back", recovery.unplugged),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases that were asked for; 1 where one could not be measured."""
    options = _parser().parse_args(arguments)
    wanted = [case for case in CASES if not options.only or case.name in options.only]
    begin = time.monotonic()
    rows: list[Row] = []
    for case in wanted:
        print(f"{case.name}: {case.title}", file=sys.stderr, flush=True)
        try:
            rows += case.measure(Effort(quick=options.quick))
        except (BenchmarkError, OSError) as error:
            print(f"  not measured: {error}", file=sys.stderr, flush=True)
            rows.append(Row(f"{case.name}: {case.title}", None, note=f"not measured: {str(error).splitlines()[-1]}"))
    print(table(rows))
    seconds = time.monotonic() - begin
    write_json(options.json, _environment(seconds, quick=options.quick), rows)
    missed, failures = sum(row.met is False for row in rows), sum(row.measured is None for row in rows)
    print(f"{missed} budgets missed, {failures} not measured, {seconds:.0f} s; {options.json}", file=sys.stderr)
    return 1 if failures else 0


def _parser() -> argparse.ArgumentParser:
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and messages")
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=f"only {', '.join(names)}")
    parser.add_argument(
        "--json", type=Path, default=Path("build/benchmark.json"), metavar="FILE", help="where to write it"
    )
    return parser


def _environment(seconds: float, *, quick: bool) -> dict[str, Any]:
    """Describe the run and the machine."""
    return {
        "quick": quick,
        "seconds": round(seconds, 1),
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_at_the_end": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
