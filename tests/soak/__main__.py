"""Runs the soak: `python -m tests.soak [--minutes 20] [--modems 64] [--pace 50] [--seed N] [--json FILE]`.

Exit code 1 where a message came to no end or an untrue one, or where memory, threads or descriptors grew.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmark.gateway import Gateway, running
from tests.benchmark.peer import peer
from tests.benchmark.processes import BenchmarkError, wait_until
from tests.soak.health import MOST_GROWTH, Sample, Watch, growth, sample
from tests.soak.traffic import Traffic
from tests.soak.weather import Weather

_KNOWN = 20_000
"""Messages that the gateway remembers: until there were so many its memory grows on purpose."""
_MODEM: dict[str, Any] = {"result_timeout": 3.0, "prompt_timeout": 1.0}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; give the exit code."""
    options = _parser().parse_args(arguments)
    print(f"{options.modems} modems, {options.minutes:g} minutes, seed {options.seed}", file=sys.stderr)
    result = soak(options.minutes * 60, options.modems, options.pace, options.seed)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for key, value in result.items():
        if key not in ("samples", "faults"):
            print(f"{key:<24} {value}")
    return 1 if result["problems"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="wall time (default: 20)")
    parser.add_argument("--modems", type=int, default=64, help="how many modems (default: 64)")
    parser.add_argument("--pace", type=float, default=50.0, help="messages per second (default: 50)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30), help="of the faults")
    parser.add_argument("--json", type=Path, default=Path("build/soak.json"), help="where to write the result")
    return parser


def soak(seconds: float, modems: int, pace: float, seed: int) -> dict[str, Any]:
    """Run traffic and faults for so long; give what was seen, with a list of all that was wrong."""
    with peer(modems, network_time=0.1) as rack, running(rack.ports, **_MODEM) as gateway:
        before = sample(gateway.pid)
        weather, traffic = Weather(rack, modems, seed), Traffic(gateway, rack, pace)
        watch = Watch(gateway.pid)
        for part in (watch, weather, traffic):
            part.start()
        _wait(seconds, gateway, traffic)
        weather.end()
        traffic.end()
        watch.end()
        after = _at_rest(gateway, before)
        problems = _problems(traffic, watch.samples, before, after)
        return {
            "seed": seed,
            "posted": traffic.posted,
            "refused": traffic.refused,
            "states": dict(traffic.states),
            "arrived": traffic.arrived.total(),
            "came_in": weather.came_in,
            "faults_struck": weather.struck.total(),
            "before": asdict(before),
            "after": asdict(after),
            "most": asdict(_most(watch.samples)) if watch.samples else {},
            "memory_growth": round(growth(watch.samples), 3),
            "problems": problems,
            "faults": dict(weather.struck),
            "samples": [asdict(one) for one in watch.samples],
        }


def _wait(seconds: float, gateway: Gateway, traffic: Traffic) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        gateway.check()
        print(f"  {left:.0f} s left, {traffic.posted} posted, {traffic.pending} not final", file=sys.stderr, flush=True)
        time.sleep(min(left, 10.0))


def _at_rest(gateway: Gateway, before: Sample) -> Sample:
    """Wait until threads and descriptors are those of the beginning again, and say how it is then."""
    with suppress(BenchmarkError):  # what is too much then stands in the result
        wait_until(lambda: not _more(before, sample(gateway.pid)), "coming to rest", 30, step=0.5)
    return sample(gateway.pid)


def _more(before: Sample, after: Sample) -> list[str]:
    return [
        f"{name}: {getattr(before, name)} before, {getattr(after, name)} after"
        for name in ("threads", "descriptors")
        if getattr(after, name) > getattr(before, name)
    ]


def _most(samples: Sequence[Sample]) -> Sample:
    return Sample(
        max(one.memory for one in samples),
        max(one.threads for one in samples),
        max(one.descriptors for one in samples),
    )


def _problems(traffic: Traffic, samples: Sequence[Sample], before: Sample, after: Sample) -> list[str]:
    problems = [*traffic.untrue, *_more(before, after)]
    if traffic.posted > 2 * _KNOWN and (grown := growth(samples)) > MOST_GROWTH:
        problems.append(f"memory grew by {100 * (grown - 1):.1f} % in the second half")
    if not traffic.states.get("delivered"):
        problems.append("no message was delivered")
    return problems


if __name__ == "__main__":
    sys.exit(main())
