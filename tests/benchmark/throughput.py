"""Cases: how fast one modem is kept sending, next to the floor; and the CPU time that a message costs."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from tests.benchmark.case import Effort, median, progress
from tests.benchmark.client import Client, messages, queue
from tests.benchmark.gateway import Gateway, running
from tests.benchmark.peer import COMMAND_TIME, Dialogue, Peer, peer
from tests.benchmark.processes import ROOT, BenchmarkError
from tests.benchmark.rows import Budget, Row
from tests.benchmark.usage import cpu_seconds

_FLOOR, _GATEWAY = 0, 1
"""Modems of the same peer: the bare sender uses one and the gateway the other, in turn."""
_APART = 100_000
"""Between the numbers of the first messages of two measurements."""
_CPU_LIMIT, _CPU_LIMIT_FLOOR = 1.2, 400.0
"""CPU seconds per 1,000 messages, on a machine whose bare sender makes so many a second: a slower one may take more."""
_SLOWEST_FILL = 500
"""Requests per second that a gateway takes at the very least."""


def full_speed(effort: Effort) -> Sequence[Row]:
    """Measure one modem whose queue is never empty, without network time.

    Floor and gateway take turns, and each turn is compared with the floor beside it: what else the machine does
    meanwhile hits both.
    """
    turns = [_Turn() for _ in range(effort.pick(10, 3))]
    count = effort.pick(500, 300)
    with peer(2) as modems, running(modems.ports[_GATEWAY:]) as gateway, gateway.client() as client:
        warm_up(gateway, modems, client)
        for number, turn in enumerate(turns, 1):
            turn.floor = floor_rate(modems, count)
            turn.full, turn.full_cpu = _drain(gateway, modems, client, 2 * number * _APART, count)
            first = (2 * number + 1) * _APART
            turn.busy, turn.busy_cpu = _drain_while_busy(gateway, modems, client, first, count, turn.floor)
            progress(f"floor {turn.floor:.0f}, gateway {turn.full:.0f}, with requests {turn.busy:.0f} SMS/s")
    floor = median([turn.floor for turn in turns])
    cost = Budget(round(_CPU_LIMIT * _CPU_LIMIT_FLOOR / floor, 2), at_most=True)
    full, busy = median([turn.full for turn in turns]), median([turn.busy for turn in turns])
    full_share, busy_share = (
        median([turn.full / turn.floor for turn in turns]),
        median([turn.busy / turn.floor for turn in turns]),
    )
    full_cpu, busy_cpu = median([turn.full_cpu for turn in turns]), median([turn.busy_cpu for turn in turns])
    note = f"no peer does more than {1 / COMMAND_TIME:.0f} SMS/s; ratio: median of {len(turns)} pairs"
    scaled = f"{_CPU_LIMIT:g} s where the floor is {_CPU_LIMIT_FLOOR:.0f} SMS/s"
    details = {"turns": [asdict(turn) for turn in turns]}
    return [
        Row(
            "1 modem, 0 s network, full queue",
            full,
            "SMS/s",
            floor,
            full_share,
            Budget(0.95, of_ratio=True),
            note,
            details,
        ),
        Row("the same, as many requests coming in", busy, "SMS/s", floor, busy_share, Budget(0.90, of_ratio=True)),
        Row("CPU per 1,000 SMS, ingress included", full_cpu, "s", budget=cost, note=scaled),
        Row("the same, requests while sending", busy_cpu, "s", budget=cost, note=scaled),
    ]


@dataclass(slots=True)
class _Turn:
    """One turn: messages per second of the floor, of a full queue, and of one that is kept full; CPU s per 1,000."""

    floor: float = 0.0
    full: float = 0.0
    full_cpu: float = 0.0
    busy: float = 0.0
    busy_cpu: float = 0.0


def slow_network(effort: Effort) -> Sequence[Row]:
    """Measure the use of one modem with 2.5 s of network time."""
    count = effort.pick(10, 3)
    with peer(1, network_time=2.5) as modems, running(modems.ports) as gateway, gateway.client() as client:
        queue(client, messages(1, count))
        done = modems.wait_for(count, 3 * count + 10)
    span = max(one.answered for one in done) - min(one.first_byte for one in done)
    use = sum(one.answered - one.first_byte for one in done) / span
    gaps = [after.first_byte - before.answered for before, after in pairwise(done)]
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
    queue(client, messages(1, 20))
    modems.wait_for(before + 20)
    gateway.check()


def floor_rate(modems: Peer, count: int) -> float:
    """Run the bare sender by the first modem; give its messages per second."""
    return rate_of(floor_run(modems, modems.ports[:1], count))


def floor_run(modems: Peer, ports: Sequence[Path], count: int) -> list[Dialogue]:
    """Run the bare sender; give its dialogues."""
    before = len(modems.dialogues())
    program = [sys.executable, "-m", "tests.benchmark.floor", str(count), *map(str, ports)]
    subprocess.run(program, check=True, timeout=120, stdin=subprocess.DEVNULL, cwd=ROOT)
    return modems.wait_for(before + count * len(ports))[before:]


def rate_of(done: Sequence[Dialogue]) -> float:
    """Return messages per second between the 10th and the 90th percentile, where begin and end do not show."""
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
    queue(client, messages(first, count))
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
    queue(client, messages(first, ahead))
    filled = time.monotonic()
    released = modems.wait_for(before + 1, held + 10)[before].answered
    requests = [message.request(0) for message in messages(first + ahead, count - ahead)]
    _paced(gateway, requests, pace, released)
    done = modems.wait_for(before + count, count / 50)[before:]
    _check_held(done, filled)
    return rate_of(done), 1000 * (cpu_seconds(gateway.pid) - cpu) / count


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
