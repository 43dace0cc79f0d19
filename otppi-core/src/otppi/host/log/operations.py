"""The operation that reads what is kept of the log."""

import logging
from typing import Any, Final

from otppi.api.operations import Operation
from otppi.api.settings import integer, number, text
from otppi.host.log.ring import LogLine, LogRing
from otppi.host.runtime.registry import HostCall
from otppi.text import _

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
"""What levels are called, the least grave first."""
MOST: Final = 2_000
LONGEST_WAIT: Final = 5


def level_of(line: LogLine) -> str:
    """Return what a line's level is called; one between two is called as the lower one."""
    return next((one for one in reversed(LEVELS) if line.level >= _number_of(one)), LEVELS[0])


def _number_of(level: str) -> int:
    found: int = getattr(logging, level.upper())
    return found


def _log(call: HostCall, *, level: str, room: str, words: str, limit: int, after: int, wait: float) -> list[Any]:
    """Return the newest lines that are wanted, oldest first."""
    ring, least, sought = call.part(LogRing), _number_of(level), words.casefold().split()

    def wanted(line: LogLine) -> bool:
        said = line.line.casefold()
        return line.level >= least and room in ("", line.room) and all(one in said for one in sought)

    found = ring.wait(after, wanted, wait) if wait else [one for one in ring.since(after) if wanted(one)]
    return [described(one) for one in found[-limit:]]


def described(line: LogLine) -> dict[str, Any]:
    """Return a line as the operation tells it."""
    return {
        "number": line.number,
        "at": round(line.at, 3),
        "level": level_of(line),
        "room": line.room,
        "text": line.line,
    }


OPERATIONS = (
    Operation(
        name="log",
        title=_("Log"),
        help=_(
            "Tell the newest lines of the log, oldest first, as far as the gateway keeps them in RAM: some 1,500 of "
            "all, and beside them 500 warnings and errors. There are no texts of messages in it, no passwords, and no "
            "codes; after a restart it is empty."
        ),
        handler=_log,
        parameters=(
            text("level", _("Level"), _("tell what is at least so grave"), LEVELS[0], choices=LEVELS),
            text("room", _("Part"), _("tell what is of this part of the gateway: a room such as modems, or a plugin")),
            text("words", _("Words"), _("tell lines that have all of these words, in capitals or not")),
            integer("limit", _("Limit"), _("so many lines at most, 1 to 2000"), 200, minimum=1, maximum=MOST),
            integer("after", _("After"), _("tell what came after the line of this number"), 0, minimum=0),
            number(
                "wait",
                _("Wait"),
                _("how long to wait for a line where there is none yet"),
                0.0,
                minimum=0,
                maximum=LONGEST_WAIT,
                unit=_("s"),
            ),
        ),
        reads_only=True,
        waits=True,
        command="log",
        examples=("", "--level warning", "--room modems --words 'm0 ready' --follow"),
    ),
)
