"""An HTTP client of one server: certificates are verified, redirects not followed, proxies not used, all is bounded.

`http.client` gives each read a time-out of its own (a server that sends an octet now and then is waited for for ever),
reads on and on, and cannot be ended while it looks a name up. So it only writes and parses here.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

from otppi.api.errors import sentence
from otppi.kit.net.dial import Dialer
from otppi.kit.net.endpoint import Endpoint
from otppi.kit.net.link import LinkLost
from otppi.kit.net.tls import verifying_context
from otppi.kit.net.wake import Alarm

ANSWER_LIMIT = 65_536
"""Octets of an answer's body that are read."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server answered.

    Attributes:
        status: The HTTP status; a redirect is one, too.
        headers: The header fields, by their names in small letters.
        body: As far as it was read.
        whole: Whether that is all of it: it came in time, and is not too long.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    whole: bool


class HttpClient:
    """Makes requests of one server, over one connection as long as it lasts. For one thread, but for `hang_up`.

    Args:
        url: The server, and what is asked of it where a request does not say; without user name and password.
        timeout: How long connecting, and then the whole answer, may each take, in seconds.
        context: Of TLS, for https; by default one that verifies the server's certificate by the system's authorities.
        family: The addresses that it is connected to: `socket.AF_INET`, `socket.AF_INET6`, or any.
        answer_limit: How many octets of an answer's body are read.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float,
        context: ssl.SSLContext | None = None,
        family: int = socket.AF_UNSPEC,
        answer_limit: int = ANSWER_LIMIT,
    ) -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        if secure and context is None:
            context = verifying_context()
        port = parts.port or (http.client.HTTPS_PORT if secure else http.client.HTTP_PORT)
        self._endpoint = Endpoint(parts.hostname or "", port, timeout, context if secure else None, family)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._limit = answer_limit
        alarm = self._alarm = Alarm()
        self._dialer = Dialer(self._endpoint, alarm, lambda: alarm.ends_at)
        self._connection: http.client.HTTPConnection | None = None

    def request(
        self,
        method: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        target: str = "",
        *,
        repeatable: bool = False,
    ) -> HttpAnswer:
        """Make a request, and wait for its answer.

        Args:
            method: The HTTP method.
            body: What is sent along.
            headers: More header fields.
            target: Path and query; by default those of the URL.
            repeatable: Whether the server may get it twice: over a connection that was kept open, and that the server
                closed meanwhile, nobody knows whether it has come.

        Raises:
            LinkLost: There is no connection, or no answer in time, or none that is HTTP; the sentence says why.
        """
        kept = self._connection is not None
        try:
            try:
                return self._exchange(method, target or self._target, body, headers or {})
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
                if not (kept and repeatable) or self._alarm.stopping:
                    raise
                return self._exchange(method, target or self._target, body, headers or {})
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self.close()
            raise LinkLost(self._endpoint.why(error) or sentence(error)) from error
        except LinkLost:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def hang_up(self) -> None:
        """Let the request that is being made, and any further one, fail now (any thread)."""
        self._alarm.stop()
        connection = self._connection
        sock = connection.sock if connection is not None else None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _exchange(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> HttpAnswer:
        connection = self._connection = self._connection or self._connect()
        deadline = time.monotonic() + self._endpoint.timeout
        _bound(connection, deadline)
        connection.request(method, target, body, dict(headers))
        response = connection.getresponse()
        content, whole = b"", False
        with suppress(OSError, http.client.HTTPException):  # the status is there, which is an answer
            content = response.read(self._limit)
            whole = response.isclosed() or not response.read(1)
        if not whole or response.will_close:  # it goes on and on, or says that it ends here
            self.close()
        fields = {name.lower(): value for name, value in response.getheaders()}
        return HttpAnswer(response.status, fields, content, whole)

    def _connect(self) -> http.client.HTTPConnection:
        """Open a connection.

        Raises:
            LinkLost: It cannot be had.
        """
        sock = self._dialer.dial()
        server, context = self._endpoint, self._endpoint.context
        connection = (
            http.client.HTTPConnection(server.host, server.port)
            if context is None
            else http.client.HTTPSConnection(server.host, server.port, context=context)
        )
        connection.auto_open = 0  # not by itself: it would know no deadline
        connection.sock = sock
        return connection


def _bound(connection: http.client.HTTPConnection, deadline: float) -> None:
    """Have the next request and its answer raise `TimeoutError` if they are not whole by `deadline`."""
    answer = partial(_Answer, deadline=deadline)
    connection.response_class = cast("type[http.client.HTTPResponse]", answer)
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
        raise TimeoutError
    return left
