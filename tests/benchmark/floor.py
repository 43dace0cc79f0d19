"""The floor: a bare sender, which knows its PDUs in advance and does nothing but the AT dialogue.

Run as a program (`python -m tests.benchmark.floor COUNT PORT...`) it sends COUNT messages by each port, a thread for
each. Nothing in Python can be faster on the same peer, and nothing that waits for each answer can be much faster.

It asks for status reports as the gateway does, which is work for the modem too, and reads over them when they come.
"""

import os
import sys
import threading
import tty
from collections.abc import Iterable, Sequence

from tests.benchmark.client import Message

from otppi.wire.address import Address
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsSubmit, pdu_line
from otppi.wire.validity import Validity

_FIRST = 70_000_000


def dialogues(messages: Iterable[Message]) -> list[tuple[bytes, bytes]]:
    """Encode the AT+CMGS line, and the PDU with its Ctrl-Z, of each message."""
    encoded = []
    for message in messages:
        (part,) = segment(message.text)
        receiver = Address.parse(f"+{message.receiver}")
        submit = SmsSubmit(receiver, part, validity=Validity.from_seconds(600), status_report_request=True)
        pdu, length = pdu_line(submit)
        encoded.append((f"AT+CMGS={length}\r".encode(), pdu.encode() + b"\x1a"))
    return encoded


def send(port: str, prepared: Sequence[tuple[bytes, bytes]]) -> None:
    """Hold the dialogues over a port, one after the other."""
    line = os.open(port, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(line)
        for command in (b"AT\r", b"ATE0\r", b"AT+CMGF=0\r", b"AT+CNMI=2,1,0,1,0\r"):
            _say(line, command, b"\r\nOK\r\n")
        for command, pdu in prepared:
            _say(line, command, b"\r\n> ")
            _say(line, pdu, b"\r\nOK\r\n")
    finally:
        os.close(line)


def _say(line: int, data: bytes, end: bytes) -> None:
    """Write, and read until the answer ends; before and behind that a report may stand, whole or a piece of it."""
    os.write(line, data)
    answer = os.read(line, 4096)
    while end not in answer:
        if b"ERROR" in answer:
            raise RuntimeError("the modem refused")
        answer += os.read(line, 4096)


def main(count: int, ports: Sequence[str]) -> None:
    """Send `count` messages by each port."""
    prepared = [dialogues(map(Message, range(_FIRST + n * count, _FIRST + (n + 1) * count))) for n in range(len(ports))]
    threads = [threading.Thread(target=send, args=pair) for pair in zip(ports, prepared, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
