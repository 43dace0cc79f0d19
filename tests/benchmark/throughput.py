"""Cases: how fast one modem is kept sending, next to the floor; and the CPU time that a message costs."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmark.case import Effort, median, progress
from tests.benchmark.client import Client, encoded, messages
from tests.benchmark.gateway import Gateway, running
from tests.benchmark.peer import COMMAND_TIME, Dialogue, Peer, peer
from tests.benchmark.processes import BenchmarkError
from tests.benchmark.rows import Budget, Row
from tests.benchmark.usage import cpu_seconds

_FLOOR, _GATEWAY = 0, 1
"""Modems of the same peer: the bare sender uses one and the gateway the other, in turn."""
_SLOWEST_FILL = 300
"""Requests per second that a gateway takes at the very least."""


def full_speed(effort: Effort) -> Sequence[Row]:
    """Measure one modem whose queue is never empty, without network time."""
    rounds, count = effort.pick(5, 2), effort.pick(1000, 300)
    floors, queued, busy, cpu_queued, cpu_busy = [], [], [], [], []
    with peer(2) as modems, running(modems.ports[_GATEWAY:]) as gateway, gateway.client() as client:
        warm_up(gateway, modems, client)
        for turn in range(rounds):
            floors.append(floor_rate(modems, count))
            rate, cpu = _drain(gateway, modems, client, 1_000_000 * (turn + 1), count)
            queued.append(rate)
            cpu_queued.append(cpu)
            rate, cpu = _drain_while_busy(gateway, modems, client, 1_000_000 * (turn + 1) + 500_000, count, floors[-1])
            busy.append(rate)
            cpu_busy.append(cpu)
            progress(f"floor {floors[-1]:.0f}, gateway {queued[-1]:.0f}, with requests {busy[-1]:.0f} SMS/s")
    floor = median(floors)
    share = Budget(0.90, of_ratio=True)
    cost = Budget(1.5, at_most=True)
    spread = {"floors": floors, "rounds": queued, "rounds_with_requests": busy}
    ideal = f"2 ms a command: {1 / COMMAND_TIME:.0f} SMS/s is the end of it"
    return [
        Row("1 modem, 0 s network, full queue", median(queued), "SMS/s", floor, median(queued) / floor, share, ideal, spread),
        Row("the same, as many requests coming in", median(busy), "SMS/s", floor, median(busy) / floor, share),
        Row("CPU per 1,000 SMS, ingress included", median(cpu_queued), "s", budget=cost, details={"rounds": cpu_queued}),
        Row("the same, requests while sending", median(cpu_busy), "s", budget=cost, details={"rounds": cpu_busy}),
    ]


def slow_network(effort: Effort) -> Sequence[Row]:
    """Measure the use of one modem with 2.5 s of network time."""
    count = effort.pick(10, 3)
    with peer(1, network_time=2.5) as modems, running(modems.ports) as gateway, gateway.client() as client:
        for request in encoded(messages(1, count)):
            client.ask(request)
        done = modems.wait_for(count, 3 * count + 10)
    span = max(one.answered for one in done) - min(one.first_byte for one in done)
    use = sum(one.answered - one.first_byte for one in done) / span
    gaps = [after.first_byte - before.answered for before, after in zip(done, done[1:], strict=False)]
    return [
        Row(
            "1 modem, 2.5 s network: use of the modem",
            100 * use,
            "%",
            100.0,
            use,
            Budget(0.995, of_ratio=True),
            f"{1000 * median(gaps):.2f} ms between messages",
        )
    ]


def warm_up(gateway: Gateway, modems: Peer, client: Client) -> None:
    """Send a few messages, so that everything is imported and the sender's password is known."""
    before = len(modems.dialogues())
    for request in encoded(messages(1, 20)):
        client.ask(request)
    modems.wait_for(before + 20, 20)
    gateway.check()


def floor_rate(modems: Peer, count: int) -> float:
    """Run the bare sender by the first modem; give its messages per second."""
    return rate_of(floor_run(modems, modems.ports[:1], count))


def floor_run(modems: Peer, ports: Sequence[Path], count: int) -> list[Dialogue]:
    """Run the bare sender; give its dialogues."""
    before = len(modems.dialogues())
    program = [sys.executable, "-m", "tests.benchmark.floor", str(count), *map(str, ports)]
    subprocess.run(program, check=True, timeout=120, stdin=subprocess.DEVNULL)
    return modems.wait_for(before + count * len(ports), 10)[before:]


def rate_of(done: Sequence[Dialogue]) -> float:
    """Give messages per second between the 10th and the 90th percentile, where begin and end do not show."""
    ends = sorted(one.answered for one in done)
    first, last = len(ends) // 10, len(ends) * 9 // 10
    return (last - first) / (ends[last] - ends[first])


def _hold(modems: Peer, count: int) -> float:
    """Have the modem's next message answered so late that a queue can be filled behind it; give these seconds."""
    seconds = 0.3 + count / _SLOWEST_FILL
    modems.control("inject", modem=_GATEWAY, fault="result-late", at=1, seconds=seconds)
    return seconds


def _drain(gateway: Gateway, modems: Peer, client: Client, first: int, count: int) -> tuple[float, float]:
    """Fill the queue, then let the modem go: give messages per second, and CPU seconds per 1,000 of them."""
    before, cpu = len(modems.dialogues()), cpu_seconds(gateway.pid)
    held = _hold(modems, count)
    _fill(client, first, count)
    filled = time.monotonic()
    done = modems.wait_for(before + count, held + count / 50)[before:]
    _check_held(done, filled)
    return rate_of(done), 1000 * (cpu_seconds(gateway.pid) - cpu) / count


def _drain_while_busy(
    gateway: Gateway, modems: Peer, client: Client, first: int, count: int, pace: float
) -> tuple[float, float]:
    """Fill the queue a little, then keep it filled with `pace` requests per second until all are sent."""
    before, cpu, ahead = len(modems.dialogues()), cpu_seconds(gateway.pid), count // 10
    held = _hold(modems, ahead)
    _fill(client, first, ahead)
    filled = time.monotonic()
    released = modems.wait_for(before + 1, held + 10)[before].answered
    _paced(gateway, encoded(messages(first + ahead, count - ahead)), pace, released)
    done = modems.wait_for(before + count, count / 50)[before:]
    _check_held(done, filled)
    return rate_of(done), 1000 * (cpu_seconds(gateway.pid) - cpu) / count


def _fill(client: Client, first: int, count: int) -> None:
    for request in encoded(messages(first, count)):
        if client.ask(request).status != 202:
            raise BenchmarkError("a message was not queued")


def _paced(gateway: Gateway, requests: Sequence[bytes], pace: float, start: float) -> None:
    """Send requests at a pace, over a few connections in turn, so that none waits for an answer."""
    clients = [gateway.client() for _ in range(8)]
    for number, request in enumerate(requests):
        client = clients[number % len(clients)]
        if client.outstanding:
            client.receive()
        time.sleep(max(0.0, start + number / pace - time.monotonic()))
        client.send(request)
    for client in clients:
        while client.outstanding:
            client.receive()
        client.close()


def _check_held(done: Sequence[Dialogue], filled: float) -> None:
    if done[0].answered < filled:
        raise BenchmarkError("the queue was not full before the modem went on")
