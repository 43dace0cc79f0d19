"""What the serial line of one modem can do, found out and remembered: its speed, and how much is taken at once."""

import logging
import re
import time

from otppi.api.errors import ModemLost, Trouble
from otppi.kit.at.channel import AtChannel, AtRefused, AtTimeout
from otppi.kit.at.port import DEFAULT_SPEED, Port
from otppi.kit.at.values import LineValues
from otppi.text import _

logger = logging.getLogger(__name__)

SPEEDS = (DEFAULT_SPEED, 9600, 57_600, 38_400, 19_200, 230_400, 460_800, 921_600, 4800, 2400)
"""What modems are delivered with, the most usual first."""
CHUNK_PAUSE = 0.02
"""Seconds; 16 bytes take 17 ms at 9,600 Bd, and the modem has to look after them."""

_ANSWER_TIME = 0.3
_ATTEMPTS = 2
_OK = re.compile(rb"(?:^|[\r\n])\s*OK[\r\n]")
_LONG_LINE = "AT+CMGF=0;+CMGF=0;+CMGF=0;+CMGF=0"
"""Harmless, longer than the smallest buffers, and shorter than the 40 characters of ITU-T V.250 5.2.1."""
_LONG_TIMEOUT = 2.0
_CHUNKS = ((16, CHUNK_PAUSE), (16, 0.1))


class Line:
    """What is known of the line; it outlives the openings of the port. One thread.

    Args:
        settings: `baud_rate` of section `modems`, 0 where the speed is to be found; `chunk_size` and `chunk_pause`.
        chunk_size: What the model's profile says, where the settings don't.
    """

    def __init__(self, settings: LineValues, chunk_size: int = 0) -> None:
        self._speed = 0
        self._finds_speed = settings["baud_rate"] == 0
        self._chunk_size: int = settings.get("chunk_size", 0) or chunk_size
        self._chunk_pause: float = settings.get("chunk_pause", CHUNK_PAUSE)

    def configure_port(self, port: Port) -> None:
        """Set a port that was just opened to what is known.

        Raises:
            ModemLost: It answers at none of the speeds, or is gone.
        """
        if self._finds_speed:
            self._speed = find_speed(port, self._speed)
        port.write_in_chunks(self._chunk_size, self._chunk_pause)

    def synchronise(self, port: Port, channel: AtChannel) -> None:
        """Get into step with the modem, and see whether it takes a line that is longer than the smallest buffers.

        A modem that answers short lines and loses the end of a long one would lose Ctrl-Z behind a PDU, and with it
        every message (modems.md 29).

        Raises:
            ModemLost: It answers nothing.
        """
        channel.synchronise()
        if self._chunk_size or any(_answers(channel) for _ in range(_ATTEMPTS)):
            return
        for size, pause in _CHUNKS:
            port.write_in_chunks(size, pause)
            if _answers(channel):
                self._keep(size, pause, port)
                return
        port.write_in_chunks(0, 0.0)  # it was not for the length

    def write_less(self, port: Port) -> bool:
        """Write in chunks from now on; False where that was done already."""
        if self._chunk_size:
            return False
        self._keep(*_CHUNKS[0], port)
        return True

    def _keep(self, size: int, pause: float, port: Port) -> None:
        self._chunk_size, self._chunk_pause = size, pause
        port.write_in_chunks(size, pause)
        logger.warning(
            "%s: the modem loses bytes that are written at once; it gets %d bytes each %g s from now on",
            port.path,
            size,
            pause,
        )


def _answers(channel: AtChannel) -> bool:
    """Whether the long line is answered at all; if not, get into step again."""
    try:
        channel.command(_LONG_LINE, _LONG_TIMEOUT)
    except AtRefused:
        return True
    except AtTimeout:
        channel.synchronise()
        return False
    return True


def find_speed(port: Port, known: int = 0) -> int:
    """Set the port to the speed at which something answers AT with OK: the one that is `known` or the usual ones.

    Raises:
        ModemLost: Nothing answers at any speed, or the port is gone.
    """
    for speed in dict.fromkeys((known or SPEEDS[0], *SPEEDS)):
        port.set_speed(speed)
        if any(_says_ok(port) for _ in range(_ATTEMPTS)):
            if speed != known:
                logger.info("%s: the modem answers at %d Bd", port.path, speed)
            return speed
    raise ModemLost(_("{path}: the modem answers at no speed", path=port.path), Trouble.SILENT)


def _says_ok(port: Port) -> bool:
    port.write(b"\x1b\rAT\r")  # ESC, since it may wait for a PDU of long ago
    deadline, heard = time.monotonic() + _ANSWER_TIME, b""
    while (left := deadline - time.monotonic()) > 0:
        heard += port.read(left)
        if _OK.search(heard):
            return True
    return False
