import copy
import io
import logging
import logging.handlers
import os
import pickle
import queue
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from otppi.api.errors import OtpPiError
from otppi.cli import logs
from otppi.host.log.ring import LogRing


def record(message: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("otppi.some", logging.WARNING, "some.py", 7, message, arguments, info)


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    def fail() -> None:
        raise error from cause

    with pytest.raises(type(error)) as caught:
        fail()
    return caught.value


def test_a_line_for_a_person_has_time_and_level() -> None:
    line = logs.LineFormatter(journal=False).format(record("modem %s is ready", "m0"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} WARNING otppi.some: modem m0 is ready", line)


def test_a_line_for_the_journal_has_a_priority() -> None:
    assert logs.LineFormatter(journal=True).format(record("hello")) == "<4>otppi.some: hello"


@pytest.mark.parametrize("evil", ["\n2026 ERROR forged", "\r", "\x1b[2J", "\x00", "\x85", "\u2028", "\u202e"])
def test_control_characters_are_escaped(evil: str) -> None:
    line = logs.LineFormatter(journal=True).format(record("user %s", evil))
    assert evil[0] not in line
    assert len(line.splitlines()) == 1


def test_an_error_is_one_line_with_its_place() -> None:
    error = raised(OtpPiError("the port is gone"), raised(ValueError("text of a message 123456")))
    line = logs.LineFormatter(journal=True).format(record("it failed", error=error))
    assert line.startswith("<4>otppi.some: it failed: OtpPiError: the port is gone (test_logs.py:")
    assert "in raised), because of ValueError (test_logs.py:" in line
    assert "123456" not in line
    assert "\n" not in line


def test_a_record_that_cannot_be_written_is_told_without_its_arguments() -> None:
    stream = io.StringIO()
    handler = logs.LineHandler(stream)
    handler.setFormatter(logs.LineFormatter(journal=True))
    handler.handle(record("%d messages", "a secret text"))
    assert stream.getvalue() == "otppi: a log record could not be written (TypeError at some.py:7)\n"


def test_a_stderr_that_has_gone_is_no_error() -> None:
    stream = io.StringIO()
    handler = logs.LineHandler(stream)
    stream.close()
    handler.handle(record("hello"))


@pytest.mark.parametrize("journal", [True, False])
def test_what_is_logged_is_kept_as_it_is_written(journal: bool) -> None:
    stream, ring = io.StringIO(), LogRing()
    handler = logs.KeepingHandler(stream, logs.LineFormatter(journal=journal), ring)
    for evil in ("\n2026 ERROR forged", "\x1b[2J", "\u202e"):
        handler.handle(record("user %s", evil, error=raised(ValueError("text of a message 123456"))))
    handler.handle(record("%d messages", "a secret text"))
    written, kept = stream.getvalue().splitlines(), ring.since(0)
    assert [one.line for one in kept] == [line[line.index("otppi.some: ") :] for line in written[:3]]
    assert [(one.level, one.name, one.room) for one in kept] == [(logging.WARNING, "otppi.some", "some")] * 3
    assert all(one.line.isprintable() and "123456" not in one.line for one in kept)
    assert written[3].startswith("otppi: a log record could not be written")


def test_the_journal_is_known_by_its_inode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "journal").open("w") as stream:
        status = os.fstat(stream.fileno())
        assert not logs.is_journal(stream)
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        assert logs.is_journal(stream)
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino + 1}")
        assert not logs.is_journal(stream)
    assert not logs.is_journal(io.StringIO())


Start = Callable[[str], Callable[[], str]]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start logging to a file; what that changes for the whole process is put back. Gives what reads the file."""
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(logging, "_logRecordFactory", logging.getLogRecordFactory())
    monkeypatch.setattr(logging, "_srcfile", logging._srcfile)
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    with (tmp_path / "stderr").open("w") as stderr, ExitStack() as started:

        def begin(level: str) -> Callable[[], str]:
            monkeypatch.setattr(sys, "stderr", stderr)
            stream = logs.start(level)
            started.callback(stream.stop)
            return lambda: (tmp_path / "stderr").read_text() if stream.drain(20) else "it is stalled"

        yield begin


@pytest.mark.parametrize(("level", "shown"), [("debug", True), ("info", False), ("error", False)])
def test_libraries_are_limited_to_warnings(
    level: str, shown: bool, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = start(level)
    monkeypatch.setattr(logging.getLogger("cherrypy.error"), "level", logging.INFO)  # as CherryPy does itself
    for name in ("cherrypy.error", "urllib3.connectionpool"):
        logging.getLogger(name).info("noise")
    logging.getLogger("otppi.x").error("of ours")
    assert ("noise" in logged()) is shown
    assert "of ours" in logged()


def test_a_thread_that_ends_by_an_error_is_logged_in_one_line(start: Start) -> None:
    logged = start("info")

    def fail() -> None:
        raise ValueError("a secret text")

    thread = threading.Thread(target=fail, name="worker")
    thread.start()
    thread.join()
    (line,) = logged().splitlines()
    assert "CRITICAL" in line
    assert "thread worker ended by an error: ValueError (test_logs.py:" in line
    assert "secret" not in line


def test_what_logging_takes_is_written_in_full(start: Start) -> None:
    logged = start("info")
    logger = logging.getLogger("otppi.some")
    logger.info("%(one)s and %(two)s", {"one": 1, "two": 2})
    logger.info("%s of %s", "this", {"one": 1})
    logger.info(ValueError("no text but an object"))
    logger.error("it failed", exc_info=raised(OtpPiError("made up")))
    lines = [line.partition(" otppi.some: ")[2] for line in logged().splitlines()]
    assert lines[:3] == ["1 and 2", "this of {'one': 1}", "no text but an object"]
    assert lines[3].startswith("it failed: OtpPiError: made up (test_logs.py:")


def test_a_record_that_fails_where_all_are_written_is_told_by_its_logger(start: Start) -> None:
    logged = start("info")
    logging.getLogger("otppi.some").info("%d messages", "a secret text")
    assert logged() == "otppi: a log record could not be written (TypeError at otppi.some)\n"


ALL_THAT_LOGGING_TELLS = (
    "%(name)s %(levelno)s %(levelname)s %(pathname)s %(filename)s %(module)s %(lineno)d %(funcName)s %(created)f "
    "%(asctime)s %(msecs)03d %(relativeCreated)d %(thread)s %(threadName)s %(process)s %(processName)s %(message)s"
)


@pytest.mark.parametrize(
    ("formatter", "written"),
    [
        (None, r"2 of made up"),
        ("%(asctime)s %(module)s %(filename)s %(threadName)s %(message)s", r"\d{4}-.*,\d{3} \S.* None 2 of made up"),
        (ALL_THAT_LOGGING_TELLS, r"otppi.some 20 INFO .* 2 of made up"),
    ],
)
def test_a_handler_of_somebody_else_finds_all_that_it_writes(start: Start, formatter: str | None, written: str) -> None:
    logged = start("info")
    theirs = io.StringIO()
    handler = logging.StreamHandler(theirs)
    if formatter:
        handler.setFormatter(logging.Formatter(formatter))
    logging.root.addHandler(handler)
    logging.getLogger("otppi.some").info("%d of %s", 2, "made up")
    assert re.fullmatch(written, theirs.getvalue().rstrip("\n"))
    logging.getLogger("otppi.some").error("it failed", exc_info=raised(OtpPiError("made up")))
    assert theirs.getvalue().endswith("OtpPiError: made up\n")
    assert [line.partition(" otppi.some: ")[2][:9] for line in logged().splitlines()] == ["2 of made", "it failed"]


def test_a_handler_of_somebody_else_that_fails_quotes_no_arguments(start: Start) -> None:
    logged = start("info")
    theirs = io.StringIO()
    handler = logging.StreamHandler(theirs)
    handler.setFormatter(logging.Formatter("%(what_is_not_there)s %(message)s"))
    logging.root.addHandler(handler)
    logging.getLogger("otppi.some").info("made up")
    logging.getLogger("otppi.some").info("%d messages", "a secret text")
    ours, told = logged().splitlines()
    assert ours.endswith("otppi.some: made up")
    assert told == "otppi: a log record could not be written (TypeError at otppi.some)"
    assert theirs.getvalue() == ""


def test_a_command_quotes_no_arguments_either(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    monkeypatch.setattr(logging, "raiseExceptions", True)
    logs.brief()
    logging.root.addHandler(logging.StreamHandler(io.StringIO()))
    logging.getLogger("otppi.some").warning("%d messages", "a secret text")
    assert re.fullmatch(r"otppi: a log record could not be written \(TypeError at .*\)\n", stderr.getvalue())


def test_a_record_may_be_queued_copied_and_sent_elsewhere(start: Start) -> None:
    start("info")
    queued: queue.Queue[logging.LogRecord] = queue.Queue()
    logging.root.addHandler(logging.handlers.QueueHandler(queued))
    logging.getLogger("otppi.some").info("%d of %s", 2, "made up")
    one = queued.get_nowait()
    others = (copy.copy(one), pickle.loads(pickle.dumps(one)), logging.makeLogRecord(one.__dict__))  # noqa: S301 - ours
    for other in others:
        assert (other.name, other.levelname, other.getMessage()) == ("otppi.some", "INFO", "2 of made up")
        assert (other.created, other.msecs) == (one.created, one.msecs)
        assert logging.Formatter("%(module)s %(message)s").format(other) == f"{one.module} 2 of made up"
    theirs = logging.makeLogRecord(record("%s is %s", "m0", "ready").__dict__)  # a record of logging's own class
    assert (theirs.getMessage(), theirs.module, theirs.filename) == ("m0 is ready", "some", "some.py")


def test_silence_ends() -> None:
    with logs.silent():
        assert not logging.getLogger("otppi").isEnabledFor(logging.CRITICAL)
    assert logging.getLogger("otppi").isEnabledFor(logging.CRITICAL)
