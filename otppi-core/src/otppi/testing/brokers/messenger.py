"""A WSMessageBroker server ("Messenger") for tests and for newcomers, with the flaws of the real one or as documented.

As the real one is:

- A message goes to every client, whatever its channel, and comes back to its sender.
- The password is checked after the handshake; a wrong one is told by closing. Who sends none at all is let in.
- The password ends at its first colon.
- Text is passed on as it is; there is no acknowledgement, no history, and nothing else is passed on.

With `documented`, as OTP-Pi's document says: a message goes to the other clients of the same channel, and a wrong or
missing password is refused by the handshake.
"""

import argparse
import base64
import binascii
import json
import logging
import os
import signal
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, unquote, urlsplit

from otppi.testing.brokers.certificates import Pair
from otppi.testing.brokers.process import ServerProcess, listens
from otppi.testing.ports import free_port
from otppi.testing.waiting import PATIENCE

if TYPE_CHECKING:
    import ssl

    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection

PORT = 8890
_SEND_TIMEOUT = struct.pack("@ll", 5, 0)
"""A client that has read nothing for so long, as seconds and microseconds, is given up."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client that is connected, and how it came in.

    `queue` holds what it is to get, without a limit, as in the real one.
    """

    channel: str
    target: str
    username: str
    queue: "SimpleQueue[str | None]" = field(default_factory=SimpleQueue, repr=False)


class Messenger:
    """The server, on threads of this process.

    Args:
        users: User names and passwords; everybody may come in where there are none.
        documented: Whether it does as the document says, rather than as the real one does.
        host: Where it listens.
        port: 0 for any that is free.
        tls: Its certificate; plain TCP without.
        client_ca: Whose certificates clients have to show.
        ping_interval: Seconds between its pings.
        show: Gets each message that is passed on.
    """

    def __init__(
        self,
        *,
        users: Mapping[str, str] | None = None,
        documented: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: Pair | None = None,
        client_ca: Path | None = None,
        ping_interval: float = 60.0,
        show: Callable[[str], None] | None = None,
    ) -> None:
        from websockets.sync.server import serve  # needed by those who start it only

        self._users = dict(users or {})
        self._documented = documented
        self._changed = threading.Condition()
        self._clients: dict[ServerConnection, Client] = {}
        self.relayed = deque[str](maxlen=100_000)
        self._show = show
        self._server = serve(
            self._serve,
            host,
            port,
            ssl=_context(tls, client_ca) if tls else None,
            process_request=self._check if documented else None,
            process_response=self._let_in,
            compression=None,
            ping_interval=ping_interval,
            ping_timeout=None,
            close_timeout=1,
            max_size=None,
            logger=_quiet(),
        )
        self.port = int(self._server.socket.getsockname()[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="messenger")

    @property
    def clients(self) -> list[Client]:
        """Those who are connected now."""
        with self._changed:
            return list(self._clients.values())

    def wait_for_clients(self, number: int, channel: str | None = None) -> None:
        """Wait until so many are connected (by a channel)."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._count(channel) == number, PATIENCE):
                raise AssertionError(f"{self._count(channel)} clients of {channel or 'all channels'}, not {number}")

    def wait_for_messages(self, number: int) -> list[str]:
        """Wait until so many messages were passed on, and return all of them."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.relayed) >= number, PATIENCE):
                raise AssertionError(f"{len(self.relayed)} messages, not {number}")
            return list(self.relayed)

    def hang_up(self) -> None:
        """Cut all connections, without a word of the protocol."""
        with self._changed:
            connections = list(self._clients)
        for connection in connections:
            with suppress(OSError):  # its client was quicker
                connection.socket.shutdown(socket.SHUT_RDWR)

    def start(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Close all connections, and end."""
        self._server.shutdown()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- one connection ---------------------------------------------------------------------------------------------

    def _count(self, channel: str | None) -> int:
        return sum(channel in (None, client.channel) for client in self._clients.values())

    def _check(self, connection: "ServerConnection", request: "Request") -> "Response | None":
        """Refuse, with an answer to the handshake, whoever does not know the password."""
        if not self._users:
            return None
        given = _credentials(request.headers.get("Authorization"))
        if given is not None and self._users.get(given[0]) == given[1]:
            return None
        response = connection.respond(401, "Unauthorized\n")
        response.headers["WWW-Authenticate"] = 'Basic realm="WSMessageBroker"'
        return response

    def _let_in(self, connection: "ServerConnection", request: "Request", response: "Response") -> None:
        """Have a client get messages from the moment when it is told that it is connected."""
        from websockets.protocol import State

        if response.status_code == 101 and not self._is_refused(request):
            with self._changed:
                for one in [one for one in self._clients if one.state is State.CLOSED]:
                    del self._clients[one]  # it may have left during its handshake
            self._add(connection, request)

    def _is_refused(self, request: "Request") -> bool:
        """Whether the password, or none, is told to be wrong by closing the connection."""
        given = _credentials(request.headers.get("Authorization"))
        if self._documented or not self._users or given is None:
            return False
        return self._users.get(given[0]) != given[1].partition(":")[0]

    def _add(self, connection: "ServerConnection", request: "Request") -> Client:
        given = _credentials(request.headers.get("Authorization"))
        client = Client(_channel(request.path), request.path, given[0] if given else "")
        with self._changed:
            self._changed.notify_all()
            return self._clients.setdefault(connection, client)

    def _serve(self, connection: "ServerConnection") -> None:
        from websockets.exceptions import ConnectionClosed

        with suppress(OSError):  # its client has sent all and left; what it sent is here
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
        request = connection.request
        assert request is not None  # noqa: S101 - the handshake is over
        if self._is_refused(request):
            return  # the connection is closed, and that is all
        client = self._add(connection, request)
        writer = threading.Thread(target=_write, args=(connection, client), name="messenger writer")
        writer.start()
        try:
            for message in connection:
                if isinstance(message, str):
                    self._relay(message, connection, client.channel)
        except ConnectionClosed:
            pass  # that is how connections end
        finally:
            with self._changed:
                self._clients.pop(connection, None)
                self._changed.notify_all()
            client.queue.put(None)
            writer.join()

    def _relay(self, message: str, sender: "ServerConnection", channel: str) -> None:
        with self._changed:
            for connection, client in self._clients.items():
                if not self._documented or (connection is not sender and client.channel == channel):
                    client.queue.put(message)
            self.relayed.append(message)
            self._changed.notify_all()
        if self._show is not None:
            self._show(message)


class MessengerProcess(ServerProcess):
    """The same as a process of its own, which can be killed, paused and started again.

    Args:
        folder: Its own.
        options: Further words of the command line.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        super().__init__(folder)
        self.port = free_port()
        self._options = options

    def _command(self) -> Sequence[str]:
        return (sys.executable, "-m", "otppi.testing.brokers.messenger", "--port", str(self.port), *self._options)

    def _ready(self) -> bool:
        return listens(self.port)

    def pause(self) -> None:
        """Let it stand still, and wait until each of its threads does."""
        super().pause()
        if self._process is not None:
            tasks = Path(f"/proc/{self._process.pid}/task")
            while not all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks.iterdir()):
                os.sched_yield()  # a moment: the signal has been sent


def _write(connection: "ServerConnection", client: Client) -> None:
    """Send a client what it is to get, so that one that does not read holds up nobody else (its writer)."""
    from websockets.exceptions import ConnectionClosed

    while (message := client.queue.get()) is not None:
        with suppress(ConnectionClosed):  # it has just left
            connection.send(message)


def _channel(target: str) -> str:
    """Read the channel of a target; the original program sent a topic, encoded twice."""
    query = parse_qs(urlsplit(target).query)
    return unquote((query.get("channel") or query.get("topic") or [""])[0])


def _credentials(field: str | None) -> tuple[str, str] | None:
    """Read the field Authorization."""
    scheme, _, value = (field or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, _, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ("", "")
    return (username, password)


def _context(pair: Pair, client_ca: Path | None) -> "ssl.SSLContext":
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _quiet() -> logging.Logger:
    """Return a logger that says nothing: clients with flaws are what this server is for."""
    logger = logging.getLogger("otppi.testing.brokers.messenger.server")
    logger.setLevel(logging.CRITICAL + 1)
    return logger


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; print a line of JSON when it is ready, and one for each message."""
    parser = argparse.ArgumentParser(prog="python -m otppi.testing.brokers.messenger", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="where it listens (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=PORT, help=f"its port (default: {PORT})")
    parser.add_argument("--user", action="append", default=[], metavar="NAME:PASSWORD", help="who may come in")
    parser.add_argument("--documented", action="store_true", help="do as the document says, not as the real one does")
    parser.add_argument("--certificate", type=Path, help="serve TLS with this certificate (PEM)")
    parser.add_argument("--key", type=Path, help="its private key (PEM)")
    parser.add_argument("--show", action="store_true", help="print the messages that are passed on")
    options = parser.parse_args(arguments)
    tls = Pair(options.certificate, options.key) if options.certificate else None
    users = dict(user.split(":", 1) for user in options.user)
    show = (lambda message: _say({"message": message})) if options.show else None
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before there are other threads, which would get them
    with Messenger(
        users=users, documented=options.documented, host=options.host, port=options.port, tls=tls, show=show
    ) as messenger:
        _say({"ready": True, "port": messenger.port})
        signal.sigwait(ends)
    return 0


def _say(line: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
