"""HTTP answers that have to be whole by a deadline.

`http.client` gives each read a time-out of its own: a server that sends an octet now and then is waited for for ever.
"""

import http.client
import io
import socket
import time
from functools import partial
from typing import Any, cast

from otppi.text import _


def bound(connection: http.client.HTTPConnection, deadline: float) -> None:
    """Have the next answer raise `TimeoutError` if it is not whole by `deadline`, on the monotonic clock."""
    answer = partial(_Answer, deadline=deadline)
    connection.response_class = cast("type[http.client.HTTPResponse]", answer)
    if connection.sock is not None:
        connection.sock.settimeout(_left(deadline))


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, deadline: float, **more: Any) -> None:
        super().__init__(sock, *arguments, **more)
        self.fp = io.BufferedReader(_Reads(self.fp.detach(), sock, deadline))


class _Reads(io.RawIOBase):
    """Reads of a socket, which share one deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError(_("timed out"))
    return left
