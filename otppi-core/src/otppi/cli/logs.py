"""The log of `otppi`: on stderr, one line a record, with nothing in it that could hold the text of a message.

Log calls name ids, states and masked receivers, never a text. What is not in their hands is kept out here: of an error
only the type and the place are told unless its class is known to quote nothing, and a record that cannot be written
is told without its arguments.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from otppi.api.errors import sentence
from otppi.cli.failures import origin
from otppi.cli.log_stream import LogStream
from otppi.cli.output import one_line
from otppi.host.log.ring import LogRing

_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""Levels as syslog(3) numbers them, which systemd takes from the beginning of a line (sd-daemon(3))."""

logger = logging.getLogger(__name__)


class _Record(logging.LogRecord):
    """A record of what `LineFormatter` writes. Logging's own tells thread, process and task, too: that costs as much.

    It has the parameters of the class that it stands for, and its special case: one mapping as arguments. Handlers of
    others find each attribute of the manual (LogRecord attributes), in `__dict__` as well, which `Formatter` reads:
    what costs a look elsewhere is None or unknown.
    """

    def __init__(
        self,
        name: str,
        level: int,
        pathname: str,
        lineno: int,
        msg: object,
        args: Any,
        exc_info: Any,
        func: str | None = None,  # noqa: ARG002
        sinfo: str | None = None,  # noqa: ARG002
        **_more: object,
    ) -> None:
        self.name, self.msg = name, msg
        self.args = args[0] if args and len(args) == 1 and isinstance(args[0], Mapping) and args[0] else args
        self.levelno, self.levelname = level, logging.getLevelName(level)
        self.pathname, self.lineno = pathname, lineno
        self.exc_info = exc_info
        self.created = created = time.time()
        self.msecs = created % 1 * 1000 // 1
        self.filename = self.module = pathname  # "(unknown file)", unless somebody makes a record by hand
        self.relativeCreated, self.funcName = 0.0, "(unknown function)"
        self.exc_text = self.stack_info = None
        self.thread = self.threadName = self.process = self.processName = self.taskName = None


class LineFormatter(logging.Formatter):
    """One line a record: with the time for a person, with the priority for the journal, which has its own time."""

    def __init__(self, *, journal: bool) -> None:
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%S%z")
        self._journal = journal
        self._second = (-1, "")

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        return self.dressed(record, _line_of(record))

    def dressed(self, record: logging.LogRecord, line: str) -> str:
        """Write a record whose line is made."""
        if self._journal:
            return f"<{_PRIORITIES.get(record.levelno, 5)}>{line}"
        return f"{self._time(record)} {record.levelname:<7} {line}"

    def _time(self, record: logging.LogRecord) -> str:
        """Write the time, once for all records of a second."""
        second, written = self._second
        if second != int(record.created):
            written = self.formatTime(record, self.datefmt)
            self._second = int(record.created), written
        return written


class BriefFormatter(logging.Formatter):
    """One line a record, as a command tells its own errors."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        error = record.exc_info[1] if record.exc_info else None
        return one_line(f"otppi: {record.getMessage()}{f' ({sentence(error)})' if error else ''}")


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes to stderr. A record that cannot be written is told by where it is from: its arguments may be anything."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, with one call: neither a `LogStream` nor Python's own stderr keeps a line to be flushed."""
        try:
            self.stream.write(f"{self.format(record)}\n")
        except Exception:  # noqa: BLE001 - whatever it is, it is told, and must not come to whoever logs
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Tell of a record that failed; where stderr is gone nobody can be told."""
        error = sys.exc_info()[1]
        if not isinstance(error, (OSError, ValueError)):
            place = f"{Path(record.pathname).name}:{record.lineno}" if record.lineno else record.name
            self.stream.write(f"otppi: a log record could not be written ({type(error).__name__} at {place})\n")


class KeepingHandler(LineHandler):
    """Writes to stderr, and keeps the lines in RAM, each made once.

    Args:
        stream: What is written to.
        lines: Dresses lines for the stream.
        ring: Keeps them.
    """

    def __init__(self, stream: TextIO, lines: LineFormatter, ring: LogRing) -> None:
        super().__init__(stream)
        self.setFormatter(lines)
        self._lines = lines
        self._ring = ring

    def format(self, record: logging.LogRecord) -> str:
        """Write a record, and keep its line."""
        line = _line_of(record)
        self._ring.add(record.created, record.levelno, record.name, line)
        return self._lines.dressed(record, line)


def start(level: str, ring: LogRing | None = None) -> LogStream:
    """Log everything of this process from now on, the ends of threads by an error included.

    Nobody who writes to stderr waits for its reader any more, a library that prints included.

    Args:
        level: Of what is logged.
        ring: Keeps the newest lines; None where nobody reads it.
    """
    journal = is_journal(sys.stderr)
    sys.stderr.flush()
    stream = LogStream(sys.stderr.fileno())
    sys.stderr = cast("TextIO", stream)
    handler = KeepingHandler(sys.stderr, LineFormatter(journal=journal), ring or LogRing())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.setLogRecordFactory(_Record)
    _quote_nothing()
    logging._srcfile = None  # so says its manual (Optimization): where a record is from is not looked up on the stack
    if level != "debug":
        handler.addFilter(_is_of_interest)
    threading.excepthook = _thread_failed
    return stream


def _is_of_interest(record: logging.LogRecord) -> bool:
    """Whether a record is ours, or at least a warning of a library (which may set its own loggers' levels)."""
    return record.levelno >= logging.WARNING or record.name.startswith("otppi")


def brief() -> None:
    """Log as a command does that ends soon: warnings only, in short."""
    handler = LineHandler(sys.stderr)
    handler.setFormatter(BriefFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    _quote_nothing()


def _quote_nothing() -> None:
    """Keep handlers of others from printing the arguments of a record that they cannot write; ours tells its place."""
    logging.raiseExceptions = False


@contextmanager
def silent() -> Iterator[None]:
    """Log nothing meanwhile."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def is_journal(stream: TextIO) -> bool:
    """Whether a stream goes to systemd's journal (systemd.exec(5), JOURNAL_STREAM: device and inode of it)."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _line_of(record: logging.LogRecord) -> str:
    """Return who says what, in one line."""
    error = record.exc_info[1] if record.exc_info else None
    return one_line(f"{record.name}: {record.getMessage()}{f': {_told(error)}' if error else ''}")


def _told(error: BaseException) -> str:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    name, said = type(error).__name__, sentence(error)
    told = f"{name if said == name else f'{name}: {said}'} ({origin(error)})"
    return f"{told}, because of {_told(cause)}" if cause else told


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None:
        name = failed.thread.name if failed.thread else "of no name"
        logger.critical("thread %s ended by an error", name, exc_info=failed.exc_value)
