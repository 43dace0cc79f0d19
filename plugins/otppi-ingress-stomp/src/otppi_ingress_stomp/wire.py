"""One connection to the server: a socket that never blocks, the frames on it, heart-beats, and why it ended.

stomp.py writes and reads the frames. Its own transport is not used: it runs two threads of its own, tells neither why a
connection failed nor that one hangs, logs whole messages at level debug, and waits without end when it is closed.
"""

import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any

from stomp.protocol import Protocol11, Protocol12
from stomp.utils import convert_frame

from otppi.kit.net.dial import Dialer
from otppi.kit.net.failures import CLOSED, SILENT
from otppi.kit.net.link import LinkLost
from otppi_ingress_stomp.frames import Frames
from otppi_ingress_stomp.text import _

_VERSIONS = "1.1,1.2"
_CHUNK = 1 << 16
_MOST_AT_ONCE = 1 << 20
_SILENT = 2.0
"""A server is gone when nothing was heard from it for so many times the interval of its heart-beats."""


class Wire:
    """A connection. Owned by one thread.

    Attributes:
        protocol: What writes frames, by the version that the server has chosen (`stomp.protocol`).
        server: What the server says that it is.

    Args:
        values: Section `ingress-stomp`.
        dialer: Opens the connection.

    Raises:
        LinkLost: from every method, when the connection cannot be opened, or has ended.
    """

    def __init__(self, values: Mapping[str, Any], dialer: Dialer) -> None:
        self._values = values
        self._dialer = dialer
        self._endpoint = dialer.endpoint
        self._sock: socket.socket | None = None
        self._frames = Frames()
        self._out = bytearray()
        self.protocol: Any = Protocol12(self)
        self.server = ""
        self._send_every = self._expect_every = 0.0
        self._heard = self._sent = self._moved = time.monotonic()

    # -- what stomp.py calls ----------------------------------------------------------------------------------------

    def set_listener(self, name: str, listener: object) -> None:
        """Have no listeners: what came in is given by `read`."""

    def transmit(self, frame: Any) -> None:
        """Write a frame, to be sent by `flush`."""
        if not self._out:
            self._moved = time.monotonic()
        self._out += b"".join(convert_frame(frame))

    # -- opening and closing ----------------------------------------------------------------------------------------

    def open(self) -> None:
        """Connect, and greet the server; its answer is read later, and given to `greeted`."""
        values = self._values
        self._sock = self._dialer.dial()
        beat = values["heartbeat"] * 1000
        headers = {"accept-version": _VERSIONS, "host": values["virtual_host"] or "/", "heart-beat": f"{beat},{beat}"}
        if values["username"]:
            headers |= {"login": values["username"], "passcode": values["password"]}
        self.protocol.send_frame("CONNECT", headers)
        self._heard = self._sent = self._moved = time.monotonic()

    def greeted(self, frame: Any) -> None:
        """Read the server's answer to the greeting: version, name and heart-beats."""
        version = frame.headers.get("version", "1.0")
        if version not in ("1.1", "1.2"):
            raise LinkLost(_("the server speaks STOMP {version}, 1.1 or 1.2 is needed", version=version[:20]))
        if version == "1.1":
            self.protocol = Protocol11(self)
        self.server = frame.headers.get("server", "")[:100]
        offers, _comma, wants = frame.headers.get("heart-beat", "0,0").partition(",")
        ours = float(self._values["heartbeat"])
        if ours and _milliseconds(wants):
            self._send_every = max(ours, _milliseconds(wants) / 1000)
        if ours and _milliseconds(offers):
            self._expect_every = max(ours, _milliseconds(offers) / 1000)

    def close(self) -> None:
        """Hang up. Safe to call twice."""
        if self._sock is not None:
            self._sock.close()

    # -- octets -----------------------------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Return the descriptor, to wait for the server."""
        assert self._sock is not None  # noqa: S101 - it is open
        return self._sock.fileno()

    @property
    def wants_to_write(self) -> bool:
        """Whether something could not be sent yet."""
        return bool(self._out)

    @property
    def has_more(self) -> bool:
        """Whether octets were received that the operating system does not tell of: TLS has them."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def flush(self) -> None:
        """Send as much as the server takes now, and a heart-beat where it is time for one."""
        now = time.monotonic()
        if self._send_every and not self._out and now - self._sent >= self._send_every / 2:
            self._out += b"\n"
            self._moved = now
        while self._out:
            try:
                count = self._sock.send(self._out[:_CHUNK]) if self._sock is not None else 0
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                if now - self._moved > self._values["timeout"]:
                    raise LinkLost(_("the server does not take what is sent to it")) from None
                return
            except OSError as error:
                raise LinkLost(self._endpoint.why(error) or _("the connection broke")) from error
            del self._out[:count]
            self._sent = self._moved = now

    def keep_alive(self) -> None:
        """Send what waits where it is time for a heart-beat: in the middle of work that may take long."""
        if self._send_every and time.monotonic() - self._sent >= self._send_every / 2:
            self.flush()

    def read(self) -> list[Any]:
        """Return the frames that have come."""
        frames: list[Any] = []
        total = 0
        while total < _MOST_AT_ONCE and self._sock is not None:
            try:
                data = self._sock.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError as error:
                raise LinkLost(self._endpoint.why(error) or _("the connection broke")) from error
            if not data:
                if frames:
                    break  # what was said last, such as an error, comes first
                raise LinkLost(CLOSED)
            self._heard = time.monotonic()
            total += len(data)
            frames += self._frames.feed(data)
            if any(frame.cmd == "ERROR" for frame in frames):
                break
        return frames

    def check(self, looked_at: float) -> None:
        """Raise LinkLost where the server had been silent for too long when what had come began to be read.

        Not by the time of now: the thread may have been held up since, and before, by its own work.
        """
        if self._expect_every and looked_at - self._heard > _SILENT * self._expect_every:
            raise LinkLost(_("{silent} (heart-beat)", silent=SILENT))

    def pause(self) -> float:
        """Return the seconds until there is something to be done about heart-beats."""
        now = time.monotonic()
        pauses = [1.0 if self._out else 60.0]
        if self._send_every:
            pauses.append(self._sent + self._send_every / 2 - now)
        if self._expect_every:
            pauses.append(self._heard + _SILENT * self._expect_every - now)
        return max(0.0, min(pauses))


def _milliseconds(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() else 0
