"""Case: what pages of the monitor cost the messages, and the gateway: ten of them, and as many as there may be."""

import select
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmark import visitor
from tests.benchmark.case import Effort, median, percentile, progress
from tests.benchmark.client import HOST
from tests.benchmark.gateway import Gateway, running
from tests.benchmark.latency import delays
from tests.benchmark.peer import Peer, peer
from tests.benchmark.processes import BenchmarkError
from tests.benchmark.rows import Budget, Row
from tests.benchmark.usage import cpu_seconds

from otppi.testing.ports import free_port

_TEN, _ALL, _OF_SESSION = 10, 32, 4
"""Pages that watch: of ordinary use, as many as the gateway lets in, and as many as one login may have."""
_CROWD = 100
"""Pages that ask to watch at once: those that are too many are told when to ask again."""
_COLLECTED = 65_536


def watchers(effort: Effort) -> Sequence[Row]:
    """Measure messages with ten pages and with none, in turns; then all pages that there may be, without messages."""
    count, rounds = effort.pick(300, 40), effort.pick(5, 2)
    port = free_port()
    with peer(1) as modems, running(modems.ports, sections=visitor.sections(port)) as gateway:
        threads = _threads(gateway)
        cookies = [visitor.logged_in(port).cookie for _ in range(_ALL // _OF_SESSION)]
        pairs = [_pair(modems, gateway, port, cookies, turn * count, count) for turn in range(rounds)]
        none, ten = median([one for one, _ in pairs]), median([other for _, other in pairs])
        ratio = median([other / one for one, other in pairs])
        with _watched(port, cookies, _ALL):
            share = _cpu(gateway, effort.pick(10, 3))
        more, refused = _crowd(gateway, port, cookies)
    return [
        Row(
            "request in → first byte of AT+CMGS, p50, with 10 pages on the monitor",
            1000 * ten,
            "ms",
            1000 * none,
            ratio,
            Budget(1.10, at_most=True, of_ratio=True),
            "floor: nobody watches",
        ),
        Row(
            f"threads that {_CROWD} pages on the monitor need",
            float(more - threads),
            budget=Budget(10, at_most=True),
            note=f"{_CROWD - refused} watch, {refused} are told to come again",
        ),
        Row(f"CPU with {_ALL} pages on the monitor, no messages", 100 * share, "% of a core"),
    ]


def _crowd(gateway: Gateway, port: int, cookies: Sequence[str]) -> tuple[int, int]:
    """Have more pages ask at once than are let in; return the most threads meanwhile, and how many were refused."""
    with ExitStack() as opened:
        asked = [opened.enter_context(_asked(port, cookies[number % len(cookies)])) for number in range(_CROWD)]
        most, refused = 0, 0
        for one in asked:
            most = max(most, _threads(gateway))
            head = one.recv(_COLLECTED)
            if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 503")):
                raise BenchmarkError(f"a page was answered with {head[:40]!r}")
            if head.startswith(b"HTTP/1.1 503"):
                if b"\r\nretry-after:" not in head.lower():
                    raise BenchmarkError("a page was refused, and not told when to ask again")
                refused += 1
        return max(most, _threads(gateway)), refused


def _pair(
    modems: Peer, gateway: Gateway, port: int, cookies: Sequence[str], first: int, count: int
) -> tuple[float, float]:
    """Return the p50 with nobody watching, and with ten pages."""
    with gateway.client() as client:
        none = percentile(delays(modems, client, 10_000 + 20 * first, count), 50)
        with _watched(port, cookies, _TEN):
            ten = percentile(delays(modems, client, 20_000 + 20 * first + 5 * count, count), 50)
    progress(f"nobody {1000 * none:.2f} ms, ten pages {1000 * ten:.2f} ms")
    return none, ten


@contextmanager
def _watched(port: int, cookies: Sequence[str], count: int) -> Iterator[None]:
    """Have so many pages watch for the time of a block; one thread reads what they are told."""
    over = threading.Event()
    with ExitStack() as opened:
        sockets = [opened.enter_context(_page(port, cookies[number // _OF_SESSION])) for number in range(count)]
        reader = threading.Thread(target=_read, args=(sockets, over), name="pages")
        reader.start()
        try:
            yield
        finally:
            over.set()
            reader.join()


def _page(port: int, cookie: str) -> socket.socket:
    """Open a page's stream, and wait for its snapshot."""
    page = _asked(port, cookie)
    received = b""
    while b"event: snapshot" not in received:
        data = page.recv(_COLLECTED)
        if not data:
            raise BenchmarkError(f"no events: {received[:100]!r}")
        received += data
    return page


def _asked(port: int, cookie: str) -> socket.socket:
    """Ask for a page's stream."""
    page = socket.create_connection((HOST, port), 30)
    page.sendall(f"GET /monitor/events HTTP/1.1\r\nHost: {HOST}:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
    return page


def _read(sockets: Sequence[socket.socket], over: threading.Event) -> None:
    while not over.is_set():
        readable, _, _ = select.select(sockets, [], [], 0.2)
        for one in readable:
            one.recv(_COLLECTED)


def _threads(gateway: Gateway) -> int:
    """Count the threads of the gateway's process."""
    return sum(1 for _ in Path(f"/proc/{gateway.pid}/task").iterdir())


def _cpu(gateway: Gateway, seconds: float) -> float:
    """Return the share of a core that the gateway uses."""
    before, begun = cpu_seconds(gateway.pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(gateway.pid) - before) / (time.monotonic() - begun)
