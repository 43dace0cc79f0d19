"""A gateway that stands in for the host's, ingresses that run, and servers: the peer, and a raw one that misbehaves."""

import base64
import gc
import hashlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from otppi.api.ingress import IngressContext
from otppi.testing.brokers.messenger import Messenger
from otppi.testing.stand_in import StandInGateway, sent
from otppi.testing.waiting import PATIENCE
from otppi.testing.waiting import until as eventually
from otppi.wire.envelope import ResponseCode
from otppi_ingress_wsmessagebroker.ingress import WsMessageBrokerIngress
from otppi_ingress_wsmessagebroker.settings import SECTION

USERS = {"username": "password"}


class Gateway(StandInGateway):
    """Stands in for the host's; `judged` are answers to give before the usual ones."""

    def __init__(self) -> None:
        super().__init__()
        self.judged: list[tuple[ResponseCode, Mapping[str, Any]]] = []
        self.judge = lambda item: self.judged.pop(0) if self.judged else sent(item)


class Running:
    """An ingress on a thread of its own."""

    def __init__(self, gateway: Gateway, folder: Path, settings: Mapping[str, Any]) -> None:
        values, problems = SECTION.validate(
            {
                "enable": True,
                "host": "127.0.0.1",
                "path": "/ws",
                "username": "username",
                "password": "password",
                "timeout": 5,
                "reconnect_delay": 0.1,
                **settings,
            }
        )
        assert not problems, problems
        self.gateway = gateway
        self.ingress = WsMessageBrokerIngress(IngressContext(values, gateway, folder))
        self.thread = threading.Thread(target=self.ingress.run, name="ingress-wsmessagebroker")
        self.thread.start()

    def says(self, key: str) -> Any:
        return self.ingress.describe()[key]

    def connected(self) -> "Running":
        eventually(lambda: self.says("connected"))
        return self

    def stop(self) -> float:
        """Stop it, and give the seconds that it took to end."""
        began = time.monotonic()
        self.ingress.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return time.monotonic() - began


class Application:
    """An application server, by a second implementation of WebSocket."""

    def __init__(self, port: int, channel: str = "sms", **options: Any) -> None:
        from websockets.sync.client import connect

        token = base64.b64encode(b"username:password").decode()
        opening = connect(
            f"ws://127.0.0.1:{port}/?channel={quote(channel, safe='')}",
            additional_headers={"Authorization": f"Basic {token}"},
            compression=None,
            max_size=None,
            ping_interval=None,
            close_timeout=1,
            **options,
        )
        self._opened = ExitStack()
        self.connection = self._opened.enter_context(opening)

    def send(self, message: str | bytes | Mapping[str, Any]) -> None:
        self.connection.send(json.dumps(message) if isinstance(message, Mapping) else message)

    def answer(self) -> dict[str, Any]:
        """Return the next answer of a gateway; what else comes is passed over."""
        while True:
            text = self.connection.recv(timeout=PATIENCE)
            if '"response_code"' in str(text):
                return dict(json.loads(text))

    def silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        try:
            self.connection.recv(timeout=seconds)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        self._opened.close()


class RawServer:
    """Takes one connection after the other, each for `script`, which does with it what it likes."""

    def __init__(self, script: Callable[["RawConnection"], None]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections: list[RawConnection] = []
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, name="raw server")
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            connection = RawConnection(sock)
            self.connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), name="raw connection")
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: "RawConnection") -> None:
        try:
            self._script(connection)
        except OSError:
            pass  # the client has left
        finally:
            connection.sock.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        for connection in self.connections:
            connection.over.set()
            with suppress(OSError):  # it is closed
                connection.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


class RawConnection:
    """One connection, octet by octet."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.head = b""
        self.over = threading.Event()
        self._buffer = b""

    def accept(self, *fields: str) -> "RawConnection":
        """Read the handshake, and answer 101."""
        self.read_head()
        key = next(line for line in self.head.decode().split("\r\n") if line.startswith("Sec-WebSocket-Key: "))[19:]
        accepted = f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        digest = hashlib.sha1(accepted.encode()).digest()  # noqa: S324 - the protocol's
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}", *fields, "", ""]
        self.sock.sendall("\r\n".join(lines).encode())
        return self

    def read_head(self) -> bytes:
        while b"\r\n\r\n" not in self.head:
            data = self.sock.recv(1)
            if not data:
                raise ConnectionResetError
            self.head += data
        return self.head

    def read_frame(self) -> tuple[int, bytes]:
        """Read one frame of the client, and give its opcode and its payload, unmasked."""
        first, second = self._exactly(2)
        assert second & 0x80, "a client has to mask (RFC 6455 5.3)"
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._exactly(2))
        mask = self._exactly(4)
        payload = bytes(octet ^ mask[index % 4] for index, octet in enumerate(self._exactly(size)))
        return first & 0x0F, payload

    def answer_pings(self) -> None:
        """Answer pings until the client leaves."""
        while True:
            opcode, payload = self.read_frame()
            if opcode == 9:
                self.sock.sendall(frame(payload, 10))
            if opcode == 8:
                self.sock.sendall(frame(payload, 8))
                return

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.sock.recv(size - len(data))
            if not more:
                raise ConnectionResetError
            data += more
        return data


def frame(payload: bytes, opcode: int = 1, *, final: bool = True, rsv: int = 0, mask: bytes = b"") -> bytes:
    """Write a frame of a server."""
    first = (0x80 if final else 0) | (rsv << 4) | opcode
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head = bytes([first, bit | len(payload)])
    elif len(payload) < 65_536:
        head = struct.pack("!BBH", first, bit | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first, bit | 127, len(payload))
    if mask:
        payload = bytes(octet ^ mask[index % 4] for index, octet in enumerate(payload))
    return head + mask + payload


def sms(number: int | str = 1, **more: Any) -> dict[str, Any]:
    data = {"id": number, "receiver": "08126666666", "message": f"OTP Anda adalah 1234{number}"}
    return {"command": "send-sms", "data": data, **more}


def _open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    threads, descriptors = set(threading.enumerate()), _open_descriptors()
    yield
    eventually(lambda: set(threading.enumerate()) <= threads, "the threads of the test end")
    if _open_descriptors() > descriptors:
        gc.collect()
    eventually(lambda: _open_descriptors() <= descriptors, "the files of the test are closed")


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def run(gateway: Gateway, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Return a function that runs an ingress with changed settings."""
    running: list[Running] = []

    def start(port: int, own: Gateway | None = None, **settings: Any) -> Running:
        one = Running(own or gateway, tmp_path, {"port": port, **settings})
        running.append(one)
        return one

    yield start
    for one in running:
        one.gateway.release()
        one.stop()
    running.clear()  # a wake-up lives as long as its owner


@pytest.fixture(params=["real", "documented"])
def messenger(request: pytest.FixtureRequest) -> Iterator[Messenger]:
    """Return the server, as it is and as it is documented."""
    with Messenger(users=USERS, documented=request.param == "documented") as server:
        yield server


@pytest.fixture
def flawed() -> Iterator[Messenger]:
    """Return the server as it is."""
    with Messenger(users=USERS) as server:
        yield server


@pytest.fixture
def application() -> Iterator[Callable[..., Application]]:
    """Return a function that connects an application server."""
    connected: list[Application] = []

    def connect(server: Any, channel: str = "sms", **options: Any) -> Application:
        one = Application(server.port, channel, **options)
        connected.append(one)
        return one

    yield connect
    for one in connected:
        one.close()


@pytest.fixture
def raw() -> Iterator[Callable[..., RawServer]]:
    """Return a function that starts a raw server."""
    servers: list[RawServer] = []

    def start(script: Callable[[RawConnection], None]) -> RawServer:
        server = RawServer(script)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.close()


class Tools:
    """What tests call; a fixture, because test modules cannot import each other."""

    eventually = staticmethod(eventually)
    frame = staticmethod(frame)
    sms = staticmethod(sms)
    Gateway = Gateway


@pytest.fixture(scope="session")
def tools() -> type[Tools]:
    return Tools
