"""Nobody reads stderr: messages go out, health tells it, and SIGTERM is obeyed (issue 9, row 23)."""

import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from otppi.cli.log_stream import LogStream
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE
from otppi.text.languages import translated

DOCUMENT = {
    "ingress-rest": {"http_enable": False, "https_enable": False},
    "modems": [{"name": "m0", "type": "simulated", "network_time": 0.0, "default_modem": True}],
}
PIPE_SIZE = 4096  # one page: the smallest that a pipe may be


@pytest.fixture
def stalled(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A gateway whose stderr is a small pipe that nobody reads, and the reading end of it."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    (tmp_path / "run").mkdir()
    (tmp_path / "provision.json").write_text(json.dumps(DOCUMENT))
    command = [sys.executable, "-m", "otppi", "run", "--log-level", "debug", "--data", str(tmp_path / "data")]
    process = subprocess.Popen(
        [*command, "--provision", str(tmp_path / "provision.json")],
        stderr=writing,
        env=os.environ | {"RUNTIME_DIRECTORY": str(tmp_path / "run"), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    os.close(writing)
    try:
        yield process, reading
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(reading)


def status(otppi: Any, data: Path) -> Any:
    return otppi("status", "--data", data, "--json").json


def test_a_stalled_reader_of_the_log_stops_nothing(
    stalled: tuple[subprocess.Popen[bytes], int], tmp_path: Path, otppi: Any
) -> None:
    process, _ = stalled
    data = tmp_path / "data"

    def answers() -> bool:
        assert process.poll() is None
        return bool(otppi("status", "--data", data).code == 0)

    until(answers, "the gateway answers")
    for number in range(100):  # some 200 bytes of log each: the pipe has room for 20
        sent = otppi("send", "081200000001", f"made up {number}", "--data", data, "--json")
        assert sent.json["state"] in ("sent", "delivered")
    until(lambda: any("log is not read" in warning for warning in status(otppi, data)["warnings"]))
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0


def read(reading: int, until: bytes) -> bytes:
    """Read a pipe until it has said something."""
    said = b""
    while until not in said:
        assert select.select([reading], [], [], 20)[0], said[-500:]
        said += os.read(reading, 65_536)
    return said


@pytest.fixture
def pipe() -> Iterator[tuple[LogStream, int]]:
    reading, writing = os.pipe2(os.O_CLOEXEC)
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    stream = LogStream(writing)
    yield stream, reading
    os.set_blocking(reading, False)
    with suppress(BlockingIOError):
        while os.read(reading, 65_536):
            pass
    stream.stop()
    os.close(writing)
    os.close(reading)


def test_what_is_missing_is_counted_and_told_where_it_is_missing(pipe: tuple[LogStream, int]) -> None:
    stream, reading = pipe
    for number in range(10_000):
        stream.write(f"line {number} {'x' * 80}\n")
    (warning,) = stream.warnings()
    assert not stream.drain(0.05), "nobody reads"
    said = read(reading, b"missing here")
    numbers = [int(line.split()[1]) for line in said.splitlines() if line.startswith(b"line ")]
    assert numbers == list(range(len(numbers)))
    missing = 10_000 - len(numbers)
    assert f"otppi: {missing} lines of the log are missing here".encode() in said
    assert f"{missing} lines are missing" in warning
    assert f"{missing} baris tidak ada di dalamnya" in translated(warning, "id")
    assert stream.drain(20)
    assert stream.warnings() == []
    stream.write("and it goes on\n")
    assert read(reading, b"and it goes on\n")


def test_a_line_without_end_costs_a_bounded_amount(pipe: tuple[LogStream, int]) -> None:
    stream, reading = pipe
    stream.write("x" * 10_000_000)
    assert len(read(reading, "[…]\n".encode())) < 20_000


def test_a_stderr_without_a_reader_or_shared_without_blocking_costs_nothing(pipe: tuple[LogStream, int]) -> None:
    stream, reading = pipe
    os.set_blocking(stream.fileno(), False)
    stream.write("y" * 10_000)
    assert len(read(reading, b"y" * 10_000)) == 10_000
    broken, writing = os.pipe()
    os.close(broken)
    gone = LogStream(writing)
    gone.write("nobody hears it\n")
    assert gone.drain(20)
    gone.stop()
    os.close(writing)


def test_lines_that_follow_each_other_are_written_together() -> None:
    reading, writing = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # each write is a packet of its own
    with reading, writing:
        stream = LogStream(writing.fileno())
        stream.write("what comes after a silence\n")
        assert reading.recv(65_536) == b"what comes after a silence\n", "is written at once"
        began = time.monotonic()
        for number in range(30):
            stream.write(f"line {number}\n")
            time.sleep(0.005)  # the pace of a busy gateway
        assert stream.drain(20)
        elapsed = time.monotonic() - began
        reading.setblocking(False)
        packets = []
        with suppress(BlockingIOError):
            while packet := reading.recv(65_536):
                packets.append(packet)
        stream.stop()
    assert b"".join(packets).decode() == "".join(f"line {number}\n" for number in range(30))
    assert len(packets) <= 20 * elapsed + 2, "20 times a second, and at the end"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("lines", [1, 1000], ids=["none is left", "some are left"])
def test_a_thread_that_died_as_lines_gathered_is_followed_by_another(tmp_path: Path, lines: int) -> None:
    """To wait for a condition takes a lock, which may find no memory."""
    died = threading.Event()
    with (tmp_path / "log").open("wb") as log:
        stream = LogStream(log.fileno())
        wait = stream._changed.wait

        def no_memory(timeout: float | None = None) -> bool:
            if timeout is None or threading.current_thread().name != "log" or died.is_set():
                return wait(timeout)
            died.set()
            raise MemoryError

        stream._changed.wait = no_memory  # type: ignore[method-assign]  # as where memory is short
        with stream._lock:  # so that the thread finds all of them together
            for number in range(lines):
                stream.write(f"line {number} {'x' * 50}\n")
        assert died.wait(PATIENCE)
        until(lambda: stream._thread is None, seconds=PATIENCE)
        if lines == 1:
            stream.write("and it goes on\n")
            until(lambda: "goes on" in (tmp_path / "log").read_text(), seconds=PATIENCE)
        assert stream.drain(PATIENCE)
        stream.stop()
    written = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[1] for line in written if line.startswith("line")] == [str(one) for one in range(lines)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_a_thread_had_in_hand_as_it_died_waits_for_nobody(
    pipe: tuple[LogStream, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, reading = pipe

    def no_memory(text: str) -> None:
        raise MemoryError

    with monkeypatch.context() as short:
        short.setattr(stream, "_hand_on", no_memory)
        stream.write("this one is lost\n")
        until(lambda: stream._thread is None, seconds=PATIENCE)
    assert stream.drain(PATIENCE), "nothing waits"
    assert stream._writing_since is None, "nobody is told that the log is not read"
    stream.write("and it goes on\n")
    assert read(reading, b"goes on\n") == b"and it goes on\n"


def script(code: str) -> subprocess.CompletedProcess[str]:
    prelude = "import os, sys, threading, warnings\nfrom otppi.cli import logs\nwarnings.simplefilter('ignore')\n"
    command = [sys.executable, "-c", f"{prelude}log = logs.start('info')\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def test_the_end_of_the_process_waits_for_what_is_left() -> None:
    done = script("for number in range(1000): print('line', number, file=sys.stderr)")
    assert done.stderr == "".join(f"line {number}\n" for number in range(1000))


def test_an_error_that_ends_the_process_is_told() -> None:
    done = script("raise ValueError('made up')")
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: made up\n")


def test_a_child_that_was_forked_tells_its_own_lines_only() -> None:
    done = script(
        "print('before', file=sys.stderr)\n"
        "child = os.fork()\n"
        "print('child' if child == 0 else 'parent', file=sys.stderr)\n"
        "if child == 0: os._exit(0 if log.drain(20) else 1)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    assert done.returncode == 0, done.stderr
    assert sorted(done.stderr.splitlines()) == ["before", "child", "parent"]


def test_a_process_that_ends_does_not_wait_long_for_a_reader() -> None:
    reading, writing = os.pipe2(os.O_CLOEXEC)
    code = "from otppi.cli import logs\nlogs.start('info').write('x' * 200_000)\nlogs.logger.info('y' * 70_000)"
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    with subprocess.Popen([sys.executable, "-c", code], stderr=writing) as process:
        assert process.wait(PATIENCE) == 0
    os.close(writing)
    os.close(reading)
