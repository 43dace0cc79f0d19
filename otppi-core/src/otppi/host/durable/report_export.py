"""All messages of a month of the report, in the order of their ends, with the states that they came to: as a stream.

It is read once, a window ahead of what is told, so that it needs the memory of that window however long the month is.
"""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from otppi.host.durable.report_search import RECEIVER, FoundMessage
from otppi.host.records.report_lines import LaterState, ReportedMessage, read_report_line

WINDOW: Final = 10_000
"""Lines that are read ahead: states that came later than that are not told."""

_READ = 64 * 1024


def exported(report: Path) -> Iterator[FoundMessage]:
    """Yield the messages of one of the report's files, as long as it was when this began.

    It stays readable though its month becomes too old meanwhile, and is deleted. Closing the iterator closes it.

    Raises:
        OSError: The card cannot be read.
    """
    waiting: deque[bytes | LaterState] = deque()
    later: dict[str, LaterState] = {}
    for line in _lines(report):
        read = line if RECEIVER in line else read_report_line(line)
        if isinstance(read, LaterState):
            later[read.message_id] = read
        if isinstance(read, bytes | LaterState):
            waiting.append(read)
        if len(waiting) > WINDOW and (found := _told(waiting.popleft(), later)):
            yield found
    while waiting:
        if found := _told(waiting.popleft(), later):
            yield found


def _told(one: bytes | LaterState, later: dict[str, LaterState]) -> FoundMessage | None:
    if isinstance(one, LaterState):
        if later.get(one.message_id) is one:  # its message was told long before, or is in the file before
            del later[one.message_id]
        return None
    message = read_report_line(one)
    if not isinstance(message, ReportedMessage):
        return None
    came = later.get(message.message_id)
    return FoundMessage(message, message.state if came is None else came.state, None if came is None else came.at)


def _lines(report: Path) -> Iterator[bytes]:
    with report.open("rb", buffering=_READ) as file:
        left = report.stat().st_size
        while left > 0 and (line := file.readline(min(left, _READ))):
            left -= len(line)
            if len(line) > 1:
                yield line
