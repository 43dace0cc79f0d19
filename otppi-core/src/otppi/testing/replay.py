r"""A modem that repeats what a model was seen to say: captured dialogues as test data (`captures/*.txt`).

A capture has a line for each thing that was said:

    # a comment: model, firmware
    > AT+CGMM           the gateway says this; "*" at the end stands for anything, and "^Z" alone for PDU and Ctrl-Z
    < EC25              and the modem answers these, as lines of their own
    <| \r\n>\x20           or exactly this, with Python's escapes
    ~ +CREG: 1          the modem says this of its own accord, when `speak` is called

A command that stands there several times is answered by its turns, then always as the last time. One that does not
stand there is answered with ERROR. The order of different commands does not matter.
"""

import codecs
import os
import select
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from otppi.api.message import OutgoingMessage
from otppi.api.modem import Modem, ModemContext, ModemType
from otppi.host.modems.settings import MODEMS

_CTRL_Z = b"\x1a"
_ESC = b"\x1b"
_PAYLOAD = "^Z"
_REFUSAL = b"\r\nERROR\r\n"


class Replay:
    """The modem of one capture, on a pty.

    Attributes:
        path: what to open, as one opens /dev/ttyUSB0.
        asked: the commands that came, in order.
        payloads: the PDUs that came behind a prompt.
    """

    def __init__(self, capture: Path) -> None:
        self.asked: list[str] = []
        self.payloads: list[str] = []
        self._answers, self._urcs = _parse(capture.read_text())
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave, termios.TCSANOW)
        self.path = os.ttyname(self._slave)
        self._heard = b""
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name=f"replay {capture.stem}", daemon=True)
        self._thread.start()

    def speak(self) -> None:
        """Say all that the capture has under `~`."""
        os.write(self._master, b"".join(b"\r\n" + urc + b"\r\n" for urc in self._urcs))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join()
        for descriptor in (self._master, self._slave, self._stop_read, self._stop_write):
            os.close(descriptor)

    def _run(self) -> None:
        while self._stop_read not in (ready := select.select([self._master, self._stop_read], [], [])[0]):
            if ready:
                self._heard += os.read(self._master, 4096)
                for command in self._commands():
                    os.write(self._master, self._answer(command))

    def _commands(self) -> Iterator[str]:
        """Take the whole commands from what was heard; a PDU with its Ctrl-Z is one, named `^Z`."""
        while True:
            ends = [at for at in (self._heard.find(b"\r"), self._heard.find(_CTRL_Z)) if at >= 0]
            if not ends:
                return
            end = min(ends)
            said, is_payload = self._heard[:end], self._heard[end : end + 1] == _CTRL_Z
            self._heard = self._heard[end + 1 :]
            text = said.rpartition(_ESC)[2].decode().strip()
            if is_payload:
                self.payloads.append(text)
                yield _PAYLOAD
            elif text:
                self.asked.append(text)
                yield text

    def _answer(self, command: str) -> bytes:
        key = next((key for key in self._answers if _fits(key, command)), None)
        if key is None:
            return _REFUSAL
        turns = self._answers[key]
        return turns.pop(0) if len(turns) > 1 else turns[0]


def _fits(key: str, command: str) -> bool:
    return command.startswith(key[:-1]) if key.endswith("*") else command == key


def _parse(text: str) -> tuple[dict[str, list[bytes]], list[bytes]]:
    """Read a capture: the answers by command, and what is said of its own accord."""
    answers: dict[str, list[bytes]] = {}
    urcs: list[bytes] = []
    command = ""
    for number, line in enumerate(text.splitlines(), 1):
        mark, _, rest = line.partition(" ")
        match mark:
            case ">":
                command = rest
                answers.setdefault(command, []).append(b"")
            case "<":
                answers[command][-1] += b"\r\n" + rest.encode() + b"\r\n"
            case "<|":
                answers[command][-1] += codecs.decode(rest, "unicode_escape").encode("latin-1")
            case "~":
                urcs.append(rest.encode())
            case _ if line.strip() and not line.startswith("#"):
                raise ValueError(f"line {number} of the capture begins with {mark!r}")
    return answers, urcs


@contextmanager
def opened(modem_type: ModemType, port: str, boot_folder: Path, **settings: Any) -> Iterator[Modem]:
    """Yield a modem of some type, open at a port, with its settings' defaults but for those given; close it in the end.

    Raises:
        ValueError: A setting cannot be used.
    """
    values, problems = MODEMS.extended(modem_type).validate({"name": "m0", "port": port} | settings)
    if problems:
        raise ValueError("; ".join(map(str, problems)))
    modem = modem_type.create(ModemContext(values, boot_folder))
    try:
        modem.open()
        yield modem
    finally:
        modem.close()


def a_message(text: str = "text") -> OutgoingMessage:
    """Make a message to a number that nobody has."""
    return OutgoingMessage(message_id="1", destination="628126666666", text=text, validity=60)
