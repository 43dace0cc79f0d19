"""The bare sender, with status reports wherever they may come in between."""

import os
import threading
import tty

import pytest
from tests.benchmark.floor import send

_REPORT = b"\r\n+CDS: 24\r\n07AA0605\r\n"
_PLACES = {
    "before": lambda answer: [_REPORT + answer],
    "behind": lambda answer: [answer + _REPORT],
    "behind, in two pieces": lambda answer: [answer + _REPORT[:9], _REPORT[9:]],
}


@pytest.mark.parametrize("place", _PLACES)
def test_a_report_beside_an_answer_does_not_hold_the_sender_up(place: str) -> None:
    modem, line = os.openpty()
    tty.setraw(modem)
    got: list[bytes] = []

    def answer() -> None:
        while not got or got[-1] != b"PDU 2\x1a":
            got.append(os.read(modem, 4096))
            plain = b"\r\n> " if got[-1].startswith(b"AT+CMGS") else b"\r\nOK\r\n"
            for piece in _PLACES[place](plain):
                os.write(modem, piece)

    peer, prepared = threading.Thread(target=answer), [(b"AT+CMGS=1\r", b"PDU 1\x1a"), (b"AT+CMGS=1\r", b"PDU 2\x1a")]
    sender = threading.Thread(target=send, args=(os.ttyname(line), prepared), daemon=True)
    peer.start()
    sender.start()
    sender.join(5)
    held_up = sender.is_alive()
    peer.join(5)
    os.close(modem)
    os.close(line)

    assert not held_up
    assert got[-4:] == [b"AT+CMGS=1\r", b"PDU 1\x1a", b"AT+CMGS=1\r", b"PDU 2\x1a"]
