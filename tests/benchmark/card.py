"""Case: what is written to the card for each SMS, and that nothing of the texts is."""

from collections.abc import Sequence
from pathlib import Path

from tests.benchmark.case import Effort
from tests.benchmark.client import Message, messages, queue
from tests.benchmark.floor import dialogues
from tests.benchmark.gateway import running
from tests.benchmark.peer import peer
from tests.benchmark.rows import Budget, Row
from tests.benchmark.usage import bytes_in, bytes_written

_SHOWN = 24
"""Characters (and octets of PDU) that are looked for: more than chance would bring."""


def card(effort: Effort) -> Sequence[Row]:
    """Send messages at the most talkative log level; measure the files, and what the process wrote."""
    count = effort.pick(3000, 600)
    many = messages(1, count)
    with peer(1) as modems, running(modems.ports, log_level="debug") as gateway:
        before, written = bytes_in(gateway.data), bytes_written(gateway.pid)
        with gateway.client() as client:
            queue(client, many)
        modems.wait_for(count, count / 50 + 10)
        pages = bytes_written(gateway.pid) - written
        gateway.stop()
        grown = bytes_in(gateway.data) - before
        found = _traces(many[:: max(1, count // 50)], (gateway.data, gateway.ram))
    budget = Budget(200, at_most=True)
    return [
        Row("bytes on the card per SMS (files)", grown / count, "B", budget=budget, details={"messages": count}),
        Row(
            "bytes on the card per SMS (pages written)", pages / count, "B", budget=budget, note="before the last flush"
        ),
        Row("traces of texts on card, RAM disk, debug log", found, budget=Budget(0, at_most=True)),
    ]


def _traces(sample: Sequence[Message], folders: Sequence[Path]) -> int:
    """Count the files that hold the text, or the PDU, of one of these messages."""
    needles = [message.text[:_SHOWN].encode() for message in sample]
    needles += [f"{message.number % 1_000_000:06}. Do not".encode() for message in sample]
    needles += [pdu[-2 * _SHOWN : -1] for _, pdu in dialogues(sample)]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sum(any(needle in content for needle in needles) for content in (path.read_bytes() for path in files))
