"""The connection to the server: its parameters, frames that pika stumbles over, how it ends, and why it failed."""

import re
import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pika
from pika import exceptions, frame, spec
from pika.adapters.select_connection import SelectConnection
from pika.adapters.utils import connection_workflow

from otppi.api.errors import sentence
from otppi.kit.net.endpoint import Endpoint
from otppi.kit.net.failures import SILENT, WRONG_LOGIN
from otppi_ingress_rabbitmq.text import _

_GRACE = 2.0
"""Seconds that the server has to answer a close; then the socket is closed all the same."""
_HEADER = struct.Struct(">BHI")
_HEADER_FIXED = 12
_LOST = re.compile(r"Stream connection lost: (\w+)(?:\(\d+, '([^']*)'\))?")
_FLAG_CONTENT_TYPE, _FLAG_CONTENT_ENCODING, _FLAG_HEADERS = 1 << 15, 1 << 14, 1 << 13


def parameters(values: Mapping[str, Any], endpoint: Endpoint, purpose: str, *, impatient: bool = False) -> Any:
    """Make pika's parameters of the settings.

    Args:
        values: The settings.
        endpoint: The server.
        purpose: How the connection is called in RabbitMQ's lists.
        impatient: Whether it ends when the server's host takes nothing of what is sent for the time-out
            (TCP_USER_TIMEOUT, RFC 5482): acknowledgements that nobody hears tell of a cut network sooner than silence.
    """
    context = endpoint.context
    return pika.ConnectionParameters(
        host=endpoint.host,
        port=endpoint.port,
        virtual_host=values["virtual_host"] or "/",
        credentials=pika.PlainCredentials(*_login(values)),
        heartbeat=values["heartbeat"],
        ssl_options=None if context is None else pika.SSLOptions(context, endpoint.host),
        connection_attempts=1,
        socket_timeout=endpoint.timeout,
        stack_timeout=endpoint.timeout,
        tcp_options={"TCP_USER_TIMEOUT": round(endpoint.timeout * 1000)} if impatient else None,
        client_properties={"connection_name": f"OTP-Pi {socket.gethostname()}: {purpose}", "product": "OTP-Pi"},
    )


def _login(values: Mapping[str, Any]) -> tuple[str, str]:
    """Return user name and password: without a user name those of RabbitMQ's own default user."""
    return (values["username"], values["password"]) if values["username"] else ("guest", "guest")


class Connection(SelectConnection):  # type: ignore[misc]  # pika has no types
    """One whose reader survives every header that a message may have."""

    def _read_frame(self) -> tuple[int, Any]:
        """Read a frame; where pika cannot decode a message's headers, read it without them.

        Such as a timestamp beyond the year 9999, a float that is no number, or tables nested a thousand deep: pika
        would give up the connection, and the next one too, for the message is delivered again.
        """
        try:
            return super()._read_frame()  # type: ignore[no-any-return]
        except (ValueError, OverflowError, OSError, RecursionError, ArithmeticError, exceptions.AMQPError) as error:
            if (read := _without_headers(self._frame_buffer)) is None:
                raise exceptions.InvalidFrameError(f"a frame cannot be read ({type(error).__name__})") from None
            return read


def _without_headers(data: bytes) -> tuple[int, Any] | None:
    """Read a content header frame (AMQP 0-9-1, 4.2.6.1), `headers` left out; None where it is no such frame."""
    kind, channel, size = _HEADER.unpack_from(data)
    if kind != spec.FRAME_HEADER or size < _HEADER_FIXED + 2:
        return None
    end = _HEADER.size + size
    payload = data[_HEADER.size : end]
    body_size, flags = struct.unpack_from(">QH", payload, 4)
    if not flags & _FLAG_HEADERS:
        return None
    start = _HEADER_FIXED + 2
    for flag in (_FLAG_CONTENT_TYPE, _FLAG_CONTENT_ENCODING):  # short strings, which come before it
        if flags & flag:
            start += 1 + payload[start]
    (length,) = struct.unpack_from(">I", payload, start)
    rest = payload[_HEADER_FIXED + 2 : start] + payload[start + 4 + length :]
    properties = spec.BasicProperties().decode(struct.pack(">H", flags & ~_FLAG_HEADERS) + rest)
    return end + 1, frame.Header(channel, body_size, properties)


def close_all(ioloop: Any, connections: Sequence[Any], *, politely: bool) -> None:
    """Close connections: in their own way, so that what was said last arrives, or at once where nobody answers."""
    for connection in connections:
        if politely and connection.is_open:
            connection.close()
    polite = [connection for connection in connections if connection.is_closing]
    _run_until(ioloop, lambda: all(connection.is_closed for connection in polite), _GRACE)
    left = [connection for connection in connections if not connection.is_closed]
    for connection in left:
        # pika has no other way to hang up at once (its own check of heartbeats does it so), and its `close` fails while
        # the connection is being opened: 1.4 reports the class of an error there, and not an error.
        connection._terminate_stream(exceptions.StreamLostError("it was closed"))
    _run_until(ioloop, lambda: all(connection.is_closed for connection in left), _GRACE)


def _run_until(ioloop: Any, condition: Callable[[], bool], seconds: float) -> None:
    """Run the loop, whoever stops it, until the condition holds or the time is over."""
    deadline = time.monotonic() + seconds
    timer = ioloop.call_later(seconds, lambda: None)
    ioloop.activate_poller()
    try:
        while not condition() and time.monotonic() < deadline:
            ioloop.poll()
            ioloop.process_timeouts()
    finally:
        ioloop.deactivate_poller()
        ioloop.remove_timeout(timer)


# -- why it failed ----------------------------------------------------------------------------------------------------


def reason(error: BaseException | None, endpoint: Endpoint, values: Mapping[str, Any]) -> str:
    """Say in one sentence why a connection failed or ended. It never holds the password."""
    error = _root(error)
    if error is None:
        return _("it was closed")
    if isinstance(error, _NO_ANSWER):
        return endpoint.no_answer()
    for kinds, say in _SENTENCES:
        if isinstance(error, kinds):
            return say(error, values)
    return endpoint.why(error) or sentence(error)


def _root(error: BaseException | None) -> BaseException | None:
    """Find what is at the bottom of pika's layers of errors."""
    while True:
        inner: Any = None
        if isinstance(error, connection_workflow.AMQPConnectorPhaseErrorBase):
            inner = error.exception
        elif isinstance(error, connection_workflow.AMQPConnectionWorkflowFailed):
            inner = error.exceptions[-1]
        elif isinstance(error, exceptions.AMQPConnectionError) and error.args:
            inner = error.args[0]
        if not isinstance(inner, BaseException):
            return error
        error = inner


def _quoted(error: BaseException) -> str:
    """Return what the server said, which pika keeps as the quoted part of a representation."""
    said = str(error.args[0]) if error.args else ""
    return said.partition('"')[2].rpartition('"')[0] or said.partition("'")[2].rpartition("'")[0]


def _virtual_host(error: BaseException, values: Mapping[str, Any]) -> str:
    said = _quoted(error) or _("it does not exist, or the user may not use it")
    return _("virtual_host {virtual_host} is refused: {said}", virtual_host=values["virtual_host"], said=said)


def _lost(error: BaseException, _values: Mapping[str, Any]) -> str:
    """Tell an error of the system in its words, of any other only the kind: it may quote what came in."""
    found = _LOST.match(str(error.args[0]) if error.args else "")
    return _("the connection broke ({found})", found=(found and (found[2] or found[1])) or _("it ended"))


_NO_ANSWER = (connection_workflow.AMQPConnectorStackTimeout, exceptions.ConnectionOpenAborted)
_SENTENCES: Sequence[tuple[Any, Callable[[Any, Mapping[str, Any]], str]]] = (
    ((exceptions.ProbableAuthenticationError, exceptions.AuthenticationError), lambda *_arguments: WRONG_LOGIN),
    (exceptions.ProbableAccessDeniedError, _virtual_host),
    (
        exceptions.IncompatibleProtocolError,
        lambda _error, values: (
            _("port {port} does not speak AMQP 0-9-1 over TLS")
            if values["ssl"]
            else _("port {port} does not speak AMQP 0-9-1 without TLS")
        ).filled(port=values["port"]),
    ),
    (exceptions.AMQPHeartbeatTimeout, lambda *_arguments: _("{silent} (heartbeat)", silent=SILENT)),
    (
        exceptions.ConnectionClosedByBroker,
        lambda error, _values: _("the server closed it: {reply_text}", reply_text=error.reply_text),
    ),
    (exceptions.StreamLostError, _lost),
)
"""What AMQP itself says; all else is of the network."""
