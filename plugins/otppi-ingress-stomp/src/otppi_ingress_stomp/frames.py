"""Cuts what comes in into frames (STOMP 1.2, "STOMP Frames"); stomp.py reads each frame's head."""

import re
from typing import Any

from stomp.utils import parse_frame

from otppi.kit.net.link import LinkLost
from otppi_ingress_stomp.text import _

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_MOST_HEAD = 1 << 16
_MOST_BODY = 4 << 20
"""Octets. A longer body is read past and given as an empty one: no command is that long."""


class Frames:
    """What came in and is not a whole frame yet."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._frame: Any = None
        self._body_ends: int | None = None
        self._searched = 0
        self._skip: int | None = None

    def feed(self, data: bytes) -> list[Any]:
        """Add octets, and return the frames (`stomp.utils.Frame`, with `body` in octets) that are whole now.

        Raises:
            LinkLost: It is not STOMP.
        """
        self._buffer += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Any:
        if self._frame is None and not self._head():
            return None
        body = self._body()
        if body is None:
            return None
        frame, self._frame = self._frame, None
        frame.body = body
        return frame

    def _head(self) -> bool:
        """Read a frame's head, where it is there; heart-beats, which are ends of lines between frames, are dropped."""
        if self._buffer.startswith((b"\n", b"\r")):
            self._buffer = self._buffer.lstrip(b"\r\n")
        end = _HEAD_END.search(self._buffer, max(0, self._searched - 3))
        if end is None or end.start() > _MOST_HEAD:
            self._searched = len(self._buffer)
            if self._searched > _MOST_HEAD:
                raise LinkLost(_("what is at this port does not speak STOMP"))
            return False
        self._frame = parse_frame(bytes(self._buffer[: end.start()]))
        del self._buffer[: end.end()]
        self._searched = 0
        length = self._frame.headers.get("content-length", "")
        self._body_ends = int(length) if length.isascii() and length.isdigit() else None
        self._skip = self._body_ends if self._body_ends is not None and self._body_ends > _MOST_BODY else None
        return True

    def _body(self) -> bytes | None:
        """Read a frame's body: as long as its head says, or to the first NUL."""
        if self._skip is not None:
            return self._skipped()
        ends = self._body_ends
        if ends is None:
            ends = self._buffer.find(0, self._searched)
            self._searched = len(self._buffer)
            if ends < 0:
                if len(self._buffer) > _MOST_BODY:
                    self._skip, self._searched = 0, 0
                    return self._skipped()
                return None
        elif len(self._buffer) <= ends:
            return None
        body = bytes(self._buffer[:ends])
        del self._buffer[: ends + 1]
        self._searched = 0
        return body

    def _skipped(self) -> bytes | None:
        """Drop a body that is too long."""
        gone = min(self._skip or 0, len(self._buffer))
        del self._buffer[:gone]
        self._skip = (self._skip or 0) - gone
        end = -1 if self._skip else self._buffer.find(0)
        if end < 0:
            if not self._skip:
                self._buffer.clear()
            return None
        del self._buffer[: end + 1]
        self._skip, self._searched = None, 0
        return b""
