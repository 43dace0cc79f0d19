"""A gateway to stand in for the host's, an ingress that runs, a client of the broker, and a network that fails."""

import gc
import json
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pika
import pytest

from otppi.api.ingress import IngressContext, Origin
from otppi.testing.brokers.certificates import Pair
from otppi.testing.brokers.rabbitmq import RabbitMq
from otppi.testing.waiting import PATIENCE
from otppi.testing.waiting import until as eventually
from otppi.wire.envelope import Answer, Command, Envelope, ResponseCode, parse
from otppi_ingress_rabbitmq.ingress import RabbitMqIngress
from otppi_ingress_rabbitmq.settings import SECTION


class StandInTicket:
    """One command's ticket: final at once, or when the gateway finishes it."""

    def __init__(self, name: str, data: Mapping[str, Any]) -> None:
        self._name = name
        self._data = dict(data)
        self._lock = threading.Lock()
        self._final: Answer | None = None
        self._callbacks: list[Callable[[Answer], None]] = []
        self.begun = False

    def answer(self, wait: float = 0.0) -> Answer:
        return self._final or Answer(self._name, ResponseCode.SUCCESS, data={**self._data, "state": "queued"})

    def when_final(self, callback: Callable[[Answer], None]) -> None:
        with self._lock:
            if self._final is None:
                self._callbacks.append(callback)
                return
        callback(self._final)

    def withdraw(self) -> None:
        if not self.begun:
            self.finish(ResponseCode.NO_MODEM, state="failed")

    def is_held(self) -> bool:
        return False

    def finish(self, code: ResponseCode, **data: Any) -> None:
        with self._lock:
            if self._final is not None:
                return
            self._final = Answer(self._name, code, data={**self._data, **data})
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self._final)


class StandInGateway:
    """Sends nothing: `outcomes` says by id what becomes of a message, all others are sent; `hold` keeps them queued."""

    def __init__(self) -> None:
        self.hold = False
        self.at_hand = 16
        self.outcomes: dict[str, tuple[ResponseCode, dict[str, Any]]] = {}
        self.taken: list[tuple[Envelope, Origin]] = []
        self.tickets: list[StandInTicket] = []

    def read(self, body: bytes, ingress: str) -> Envelope:
        return parse(body)

    def submit(self, envelope: Envelope, origin: Origin) -> StandInTicket:
        item = envelope.items[0]
        data = {"echo": envelope.data} if envelope.command is Command.ECHO else {"id": item.id}
        ticket = StandInTicket(envelope.name, data)
        code, more = self.outcomes.get(item.id or "", (ResponseCode.SUCCESS, {"state": "sent", "modem_id": "m0"}))
        if not self.hold:
            ticket.finish(code, **more)
        self.tickets.append(ticket)
        self.taken.append((envelope, origin))
        return ticket

    def finish(self, code: ResponseCode = ResponseCode.SUCCESS, **data: Any) -> None:
        """Finish all that are held."""
        for ticket in self.tickets:
            ticket.finish(code, **(data or {"state": "sent", "modem_id": "m0"}))

    def capacity(self) -> int:
        return self.at_hand

    @property
    def ids(self) -> list[str | None]:
        return [envelope.items[0].id for envelope, _ in self.taken]


def sms(number: int | str = 123456, **more: Any) -> bytes:
    """Write a command; `callback_topic` and such stand beside its data."""
    data = {"id": number, "receiver": "08126666666", "message": "OTP Anda adalah 1234"}
    return json.dumps({"command": "send-sms", "data": data, **more}).encode()


class Client:
    """An application's connection to the broker; its queues go with it."""

    def __init__(self, port: int) -> None:
        self._parameters = pika.ConnectionParameters("127.0.0.1", port, heartbeat=0)
        self._made: list[str] = []
        self._connection = pika.BlockingConnection(self._parameters)
        self.channel = self._connection.channel()

    def another_channel(self) -> Any:
        """Open a channel that the broker may close."""
        return self._connection.channel()

    def reconnect(self) -> None:
        """Connect once more, after the broker was killed."""
        with suppress(pika.exceptions.AMQPError):
            self._connection.process_data_events()
        self._connection = pika.BlockingConnection(self._parameters)
        self.channel = self._connection.channel()

    def name(self) -> str:
        """Invent a name that no queue has, and see to it that one of this name goes at the end."""
        self._made.append(name := f"test-{uuid.uuid4().hex[:12]}")
        return name

    def declare(self, name: str = "", kind: str = "quorum", **arguments: Any) -> str:
        """Declare a durable queue; `x_` in front of an argument is `x-`, other underscores are dashes."""
        name = name or self.name()
        table = {key.replace("_", "-"): value for key, value in arguments.items()}
        self.channel.queue_declare(name, durable=True, arguments={"x-queue-type": kind, **table})
        return name

    def publish(self, queue: str, body: bytes, **properties: Any) -> None:
        self.channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2, **properties))

    def ready(self, queue: str) -> int:
        """Count the messages that nobody has."""
        return int(self.channel.queue_declare(queue, passive=True).method.message_count)

    def consumers(self, queue: str) -> int:
        return int(self.channel.queue_declare(queue, passive=True).method.consumer_count)

    def exists(self, queue: str) -> bool:
        try:
            self.channel.queue_declare(queue, passive=True)
        except pika.exceptions.ChannelClosedByBroker:
            self.channel = self._connection.channel()
            return False
        return True

    def get(self, queue: str, seconds: float = PATIENCE) -> tuple[Any, Any, bytes]:
        """Take the next message of a queue off it: method, properties, body."""
        deadline = time.monotonic() + seconds
        while True:
            method, properties, body = self.channel.basic_get(queue, auto_ack=True)
            if method is not None:
                return method, properties, body
            assert time.monotonic() < deadline, f"nothing came to {queue}"
            self._connection.sleep(0.01)

    def answer(self, queue: str) -> dict[str, Any]:
        """Take the next answer off a queue."""
        answer: dict[str, Any] = json.loads(self.get(queue)[2])
        return answer

    def wait(self, seconds: float) -> None:
        """Let the connection work."""
        self._connection.process_data_events(seconds)

    def close(self) -> None:
        for name in self._made:
            if self.channel.is_closed:
                self.channel = self._connection.channel()
            self.channel.queue_delete(name)
        self._connection.close()


class Proxy:
    """A TCP connection to the broker that can stall and break; with `pair` it is where TLS ends.

    Args:
        port: The broker's.
        pair: The certificate that it shows.
        ca_file: What it asks clients' certificates to be signed by; it asks for none where that is None.
    """

    def __init__(self, port: int, pair: Pair | None = None, ca_file: Path | None = None) -> None:
        self._target = port
        self._context: ssl.SSLContext | None = None
        if pair is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(pair.certificate, pair.key)
            if ca_file is not None:
                self._context.load_verify_locations(ca_file)
                self._context.verify_mode = ssl.CERT_REQUIRED
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._flowing = threading.Event()
        self._flowing.set()
        self._refusing = False
        self._closed = False
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.accepted = 0
        self._begin(self._accept)

    def stall(self) -> None:
        """Let nothing through, either way; connections stay."""
        self._flowing.clear()

    def flow(self) -> None:
        """Let all through again."""
        self._refusing = False
        self._flowing.set()

    def cut(self, *, refuse: bool = False) -> None:
        """Break all connections; with `refuse` new ones too, until `flow`."""
        self._refusing = refuse
        with self._lock:
            for one in self._sockets:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closed = True
        self._flowing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self.cut()
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listener.close()

    def _begin(self, body: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=body, args=arguments, name="proxy", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self._refusing or self._closed:
                client.close()
            else:
                self._begin(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target)) as server, suppress(OSError):
            if self._context is not None:
                client = self._context.wrap_socket(client, server_side=True)
            with client:
                self._both_ways(client, server)

    def _both_ways(self, client: socket.socket, server: socket.socket) -> None:
        with self._lock:
            self._sockets |= {client, server}
        back = threading.Thread(target=self._pump, args=(server, client), name="proxy", daemon=True)
        back.start()
        self._pump(client, server)
        back.join()
        with self._lock:
            self._sockets -= {client, server}

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class Served:
    """An ingress that runs on a thread of its own."""

    def __init__(self, gateway: Any, folder: Path, values: Mapping[str, Any]) -> None:
        settings, problems = SECTION.validate({"enable": True, "host": "127.0.0.1", **values})
        assert not problems
        self.gateway = gateway
        self.ingress = RabbitMqIngress(IngressContext(settings, gateway, folder))
        self.thread = threading.Thread(target=self.ingress.run, name="ingress-rabbitmq", daemon=True)
        self.thread.start()

    def __getitem__(self, key: str) -> Any:
        return self.ingress.describe()[key]

    def until(self, **expected: Any) -> "Served":
        """Wait until it describes itself so."""
        eventually(lambda: expected.items() <= self.ingress.describe().items(), f"{expected}")
        return self

    def stop(self, seconds: float = PATIENCE) -> float:
        """Stop it; give how many seconds that took."""
        started = time.monotonic()
        self.ingress.stop()
        self.thread.join(seconds)
        assert not self.thread.is_alive(), self.ingress.describe()
        return time.monotonic() - started


def _open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def gateway() -> StandInGateway:
    return StandInGateway()


@pytest.fixture
def client(rabbitmq: RabbitMq) -> Iterator[Client]:
    client = Client(rabbitmq.port)
    yield client
    client.close()


@pytest.fixture
def new_client(rabbitmq: RabbitMq) -> Callable[[], Client]:
    """Return a function that makes a client which the test closes."""
    return lambda: Client(rabbitmq.port)


@pytest.fixture
def proxies() -> list[Proxy]:
    """List those that the test made, which `serve` closes."""
    return []


@pytest.fixture
def make_proxy(rabbitmq: RabbitMq, serve: Any, proxies: list[Proxy]) -> Callable[..., Proxy]:
    def make(**options: Any) -> Proxy:
        proxies.append(Proxy(rabbitmq.port, **options))
        return proxies[-1]

    return make


@pytest.fixture
def serve(
    rabbitmq: RabbitMq, client: Client, gateway: StandInGateway, proxies: list[Proxy], tmp_path: Path
) -> Iterator[Callable[..., Served]]:
    """Return a function that serves a queue; all ends, and leaves nothing behind, with the test."""
    before = set(threading.enumerate())
    descriptors = _open_descriptors()
    running: list[Served] = []

    def start(queue: str, **changes: Any) -> Served:
        stand_in = changes.pop("gateway", gateway)
        values = {"port": rabbitmq.port, "username": "guest", "password": "guest", "queue": queue, **changes}
        running.append(Served(stand_in, tmp_path, values))
        return running[-1]

    yield start
    while running:
        running[-1].gateway.finish()
        running.pop().stop()
    for proxy in proxies:
        proxy.close()
    eventually(lambda: set(threading.enumerate()) <= before, "threads end")
    gc.collect()  # a wake-up's is closed with its owner
    eventually(lambda: _open_descriptors() <= descriptors, "descriptors are closed")
