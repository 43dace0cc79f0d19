"""The body of a request, cut out of a connection's bytes (RFC 9112 6.2, 7.1); no I/O, no clock."""

import re

from otppi.web.request import Refused

CHUNK_LINE_LIMIT = 256
TRAILER_LIMIT = 16_384
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")


class KnownLength:
    """A body of a length that the head has announced."""

    def __init__(self, length: int) -> None:
        self.length = length

    def decode(self, buffer: bytearray) -> bytes | None:
        """Cut the body out once it is whole."""
        if len(buffer) < self.length:
            return None
        body = bytes(buffer[: self.length])
        del buffer[: self.length]
        return body


class Chunked:
    """A body in chunks; their extensions and trailer fields are read and dropped."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._body = bytearray()
        self._size: int | None = None
        self._trailer = 0

    def decode(self, buffer: bytearray) -> bytes | None:
        """Cut out what is there; return the body once it is whole.

        Raises:
            Refused: It is malformed, or too large.
        """
        while True:
            if self._size is not None:
                if len(buffer) < self._size + 2:
                    return None
                self._chunk(buffer, self._size)
            line = self._line(buffer)
            if line is None:
                return None
            if self._trailer:
                self._trailer += len(line) + 2
                if not line:
                    return bytes(self._body)
                if self._trailer > TRAILER_LIMIT:
                    raise Refused(431, "body", "has too long trailer fields")
                continue
            self._begin(line)

    def _begin(self, line: bytes) -> None:
        match = _CHUNK_SIZE.fullmatch(line)
        if match is None:
            raise Refused(400, "body", "is not well-formed chunked coding")
        size = int(match[1], 16)
        if len(self._body) + size > self._limit:
            raise too_large(self._limit)
        self._size = size or None
        self._trailer = 0 if size else 1

    def _chunk(self, buffer: bytearray, size: int) -> None:
        if buffer[size : size + 2] != b"\r\n":
            raise Refused(400, "body", "is not well-formed chunked coding")
        self._body += buffer[:size]
        del buffer[: size + 2]
        self._size = None

    @staticmethod
    def _line(buffer: bytearray) -> bytes | None:
        end = buffer.find(b"\r\n", 0, CHUNK_LINE_LIMIT)
        if end < 0:
            if len(buffer) >= CHUNK_LINE_LIMIT:
                raise Refused(400, "body", "is not well-formed chunked coding")
            return None
        line = bytes(buffer[:end])
        del buffer[: end + 2]
        return line


def too_large(limit: int) -> Refused:
    """Make the refusal of a body beyond the limit (RFC 9110 15.5.14)."""
    return Refused(413, "body", f"is larger than {limit} bytes")
