"""Load on an HTTP server, from a process of its own: by wrk where it is installed, else by a plain client in Python.

Run as a program (`python -m tests.benchmark.load PORT SECONDS PATH FIRST`) it is that client.
"""

import json
import selectors
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmark.client import AUTHORIZATION, HOST, PATH, Client, Message
from tests.benchmark.processes import ROOT, BenchmarkError

CONNECTIONS = 8
"""Fewer than cheroot keeps alive by default (10): it would hang up on the others, and be measured reconnecting."""
_SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """What a load came to; times in seconds. `errors` counts answers that were no success, too."""

    requests: int
    seconds: float
    p50: float
    p99: float
    errors: int

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def generator() -> str:
    """Name the program that makes the load."""
    return "wrk" if shutil.which("wrk") else "client in Python"


def run(port: int, seconds: int, first: int) -> Load:
    """Post messages, numbered from `first` on, over some connections for some seconds, as fast as they are taken.

    Raises:
        BenchmarkError: the load generator failed.
    """
    path = f"{PATH}?wait=0"
    if generator() == "wrk":
        options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(_SCRIPT), f"http://{HOST}:{port}"]
        command = ["wrk", *options, "--", path, AUTHORIZATION, str(first)]
    else:
        command = [sys.executable, "-m", "tests.benchmark.load", str(port), str(seconds), str(first)]
    ended = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=seconds + 30, stdin=subprocess.DEVNULL, cwd=ROOT
    )
    result = ended.stdout.partition("result ")[2]
    if not result:
        raise BenchmarkError(f"the load generator failed: {ended.stderr[-500:]}")
    return Load(**json.loads(result))


def main(port: int, seconds: float, first: int) -> None:
    """Be the client in Python: one outstanding request on each connection."""
    sent: dict[Client, float] = {}
    delays: list[float] = []
    errors = 0
    with selectors.DefaultSelector() as selector:
        begin = time.monotonic()
        for _ in range(CONNECTIONS):
            client = Client(port)
            selector.register(client.fileno(), selectors.EVENT_READ, client)
            first = _post(client, first, sent)
        while time.monotonic() - begin < seconds:
            for key, _ in selector.select(1.0):
                status = key.data.receive().status
                errors += status >= 300
                delays.append(time.monotonic() - sent[key.data])
                first = _post(key.data, first, sent)
        elapsed = time.monotonic() - begin
    delays.sort()
    p50, p99 = delays[len(delays) // 2], delays[len(delays) * 99 // 100]
    print("result", json.dumps({"requests": len(delays), "seconds": elapsed, "p50": p50, "p99": p99, "errors": errors}))


def _post(client: Client, number: int, sent: dict[Client, float]) -> int:
    sent[client] = time.monotonic()
    client.send(Message(number).request(0))
    return number + 1


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
