"""Case: many modems at once, with half a second of network time, next to the ideal rate."""

from collections.abc import Sequence

from tests.benchmark.case import Effort, progress
from tests.benchmark.client import messages, queue
from tests.benchmark.gateway import running
from tests.benchmark.peer import COMMAND_TIME, Dialogue, peer
from tests.benchmark.rows import Budget, Row
from tests.benchmark.throughput import floor_run

_NETWORK_TIME = 0.5


def fleet(effort: Effort) -> Sequence[Row]:
    """Measure 1, 4, 16 and 64 modems: messages per second from the first byte to the last answer."""
    sizes = (1, 4, 16) if effort.quick else (1, 4, 16, 64)
    return [_measure(size, effort.pick(20, 6)) for size in sizes]


def _measure(size: int, each: int) -> Row:
    """Have `size` modems send `each` messages each."""
    ideal = size / (_NETWORK_TIME + COMMAND_TIME)
    with peer(size, _NETWORK_TIME) as modems:
        floor = _rate(floor_run(modems, modems.ports, max(2, each // 4)))
        with running(modems.ports) as gateway, gateway.client() as client:
            before = len(modems.dialogues())
            queue(client, messages(1, size * each))
            done = modems.wait_for(before + size * each, each + 15)[before:]
    rate = _rate(done)
    progress(f"{size} modems: {rate:.2f} of {ideal:.2f} SMS/s")
    busiest = max(sum(one.modem == name for one in done) for name in {one.modem for one in done})
    return Row(
        f"{size} modem{'s' if size > 1 else ''}, 0.5 s network",
        rate,
        "SMS/s",
        ideal,
        rate / ideal,
        Budget(0.98, of_ratio=True),
        f"bare sender {100 * floor / ideal:.1f} %",
        {"floor": floor, "messages_each": each, "most_by_one_modem": busiest},
    )


def _rate(done: Sequence[Dialogue]) -> float:
    return len(done) / (max(one.answered for one in done) - min(one.first_byte for one in done))
