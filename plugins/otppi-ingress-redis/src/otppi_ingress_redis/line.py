"""One connection to the server: commands out, replies in, and every failure told in one way."""

import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from redis import exceptions
from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.retry import Retry

from otppi.kit.net.dial import Dialer
from otppi.kit.net.endpoint import Endpoint
from otppi.kit.net.failures import WRONG_LOGIN
from otppi.kit.net.link import LinkLost
from otppi_ingress_redis.text import _

Command = Sequence[str | bytes | int | float]

_FOR_GOOD = frozenset({"ERR", "WRONGTYPE", "NOPERM"})
"""Errors that the same command would get again and again; all others (OOM, READONLY, MISCONF, …) pass."""
_CODES: Mapping[type[Exception], str] = {
    exceptions.OutOfMemoryError: "OOM",
    exceptions.ReadOnlyError: "READONLY",
    exceptions.NoPermissionError: "NOPERM",
}
"""Of these redis-py has cut off the first word (https://redis.io/docs/reference/protocol-spec, simple errors)."""


class _Socket(Connection):
    """A connection whose socket can be waited for, opened as all of this program are.

    Args:
        dialer: Opens it.
        more: What redis-py's own takes.
    """

    def __init__(self, dialer: Dialer, **more: Any) -> None:
        super().__init__(**more)  # type: ignore[no-untyped-call]  # redis-py has types in part
        self._dialer = dialer
        self.opened: socket.socket | None = None
        self.hung_up = False

    def _connect(self) -> socket.socket:
        sock = self._dialer.dial()
        sock.settimeout(self._dialer.endpoint.timeout)
        self.opened = sock
        if self.hung_up:  # before there was a socket
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        return sock


class Line:
    """One connection, in RESP2. Owned by one thread; `hang_up` alone may be called by another.

    Args:
        values: Section `ingress-redis`.
        dialer: Opens it; its endpoint's time-out is the longest wait for the server to answer.

    Raises:
        LinkLost: from every method, when it cannot be opened, or has ended.
    """

    def __init__(self, values: Mapping[str, Any], dialer: Dialer) -> None:
        self._endpoint = dialer.endpoint
        self._connection: Any = _Socket(
            dialer,
            host=values["host"],
            port=values["port"],
            db=values["db"],
            username=values["username"] or None,
            password=values["password"] or None,
            socket_timeout=dialer.endpoint.timeout,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )

    def open(self) -> "Line":
        """Connect, authenticate, and choose the database."""
        with self._told():
            self._connection.connect()
        return self

    def fileno(self) -> int:
        """Return the descriptor, to wait for a reply."""
        return int(self._connection.opened.fileno())

    def hang_up(self) -> None:
        """Let whatever waits for the server fail now (any thread)."""
        self._connection.hung_up = True
        if (sock := self._connection.opened) is not None:
            with suppress(OSError):
                # Not SSLSocket's own, which takes the TLS state away from the thread that uses it.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def send(self, *command: str | bytes | float) -> None:
        """Send a command whose reply is read later."""
        with self._told():
            self._connection.send_packed_command(self._connection.pack_commands([command]), check_health=False)

    def reply(self) -> Any:
        """Read the next reply; an error that the server replies is given, not raised."""
        with self._told():
            try:
                return self._connection.read_response()
            except exceptions.ResponseError as error:
                return error

    def has_reply(self) -> bool:
        """Whether there is a reply to read, perhaps of a part."""
        with self._told():
            return bool(self._connection.can_read(0))

    def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands at once and read all the replies; those that are errors are among them."""
        if not commands:
            return []
        with self._told():
            self._connection.send_packed_command(self._connection.pack_commands(commands), check_health=False)
        return [self.reply() for _command in commands]

    def ask(self, *command: str | bytes | float) -> Any:
        """Send one command and return its reply; an error is LinkLost."""
        (reply,) = self.exchange([command])
        return checked(reply, str(command[0]))

    def close(self) -> None:
        """Hang up. Safe to call twice."""
        self._connection.disconnect()

    def _told(self) -> "_Told":
        return _Told(self._endpoint)


class _Told:
    """Makes LinkLost of what the library raises."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, (exceptions.RedisError, OSError, ValueError)):
            raise LinkLost(_reason(error, self._endpoint)) from error


def code(error: exceptions.ResponseError) -> str:
    """Return the first word of an error as the server said it."""
    if (known := _CODES.get(type(error))) is not None:
        return known
    word = str(error).partition(" ")[0]
    return word if re.fullmatch("[A-Z]{4,}", word) else "ERR"


def is_for_good(error: exceptions.ResponseError) -> bool:
    """Whether the same command would be refused again."""
    return code(error) in _FOR_GOOD


def said(error: BaseException) -> str:
    """Return what the server said, without arguments of ours: a command that it does not know is quoted with them."""
    return str(error).partition(", with args")[0].strip()[:200]


def checked(reply: Any, what: str) -> Any:
    """Return a reply, or raise LinkLost where it is an error."""
    if isinstance(reply, exceptions.ResponseError):
        word, words = code(reply), said(reply)
        whole = words if words.startswith(word) else f"{word} {words}"
        raise LinkLost(_("{what} is refused: {said}", what=what, said=whole))
    if isinstance(reply, list):  # the replies of a transaction
        for one in reply:
            if isinstance(one, exceptions.ResponseError):
                checked(one, what)
    return reply


def _reason(error: BaseException, endpoint: Endpoint) -> str:
    """Say in one sentence why a connection failed or ended; the password is not in it."""
    if isinstance(error, exceptions.AuthenticationError):
        return _("{wrong_login}, or is required: {said}", wrong_login=WRONG_LOGIN, said=said(error))
    if isinstance(error, exceptions.BusyLoadingError):
        return _("the server is still loading its data")
    if isinstance(error, exceptions.InvalidResponse):
        return _("what is at this port does not speak Redis's protocol")
    if (why := endpoint.why(error)) is not None:
        return why
    return endpoint.no_answer() if isinstance(error, exceptions.TimeoutError) else said(error) or type(error).__name__
