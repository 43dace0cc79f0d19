"""Case: how many messages a second come in from each broker, next to a bare consumer of the same library."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmark.case import Effort, median, progress
from tests.benchmark.client import HOST
from tests.benchmark.gateway import Gateway, running
from tests.benchmark.peer import Peer, peer
from tests.benchmark.processes import ROOT, BenchmarkError, scratch, wait_until
from tests.benchmark.publishers import NAME, PASSWORD, PUBLISHERS, USER
from tests.benchmark.rows import Row
from tests.benchmark.throughput import floor_rate, rate_of
from tests.benchmark.usage import cpu_seconds

from otppi.testing.brokers.messenger import Messenger
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.rabbitmq import RabbitMq
from otppi.testing.brokers.redis import Redis


@dataclass(frozen=True, slots=True)
class _Ingress:
    """A broker as the benchmark uses it: how it is shown, and the settings of its ingress beside host and port."""

    title: str
    kind: str
    section: str
    settings: Mapping[str, Any]


_RABBITMQ = {"username": USER, "password": PASSWORD}
_SERVERS = (
    (
        _Ingress("RabbitMQ", "amqp", "ingress-rabbitmq", {**_RABBITMQ, "queue": NAME}),
        _Ingress("STOMP", "stomp", "ingress-stomp", {**_RABBITMQ, "destination": f"/amq/queue/{NAME}"}),
    ),
    (_Ingress("MQTT, QoS 1", "mqtt", "ingress-mqtt", {"topic": NAME}),),
    (_Ingress("WSMessageBroker", "websocket", "ingress-wsmessagebroker", {"topic": NAME, "path": "/ws"}),),
    (_Ingress("Redis stream", "redis", "ingress-redis", {"key": NAME}),),
)
"""The ingresses, those by one server together: RabbitMQ takes long to start."""
_BARE = f"{NAME}-bare"
"""What the bare consumer takes from: the gateway is to find no message there that is not for it."""
_APART = 100_000


def brokers(effort: Effort) -> Sequence[Row]:
    """Measure each broker in turn: a bare consumer, and the gateway with one modem of 0 s network time."""
    rows = []
    for ingresses in _SERVERS:
        with scratch(in_ram=False) as folder, _server(ingresses[0].kind, folder) as ports:
            for ingress in ingresses:
                title = f"{ingress.title}: taken in and sent by 1 modem, 0 s"
                try:
                    rows.append(_row(title, _turns(ingress, ports[ingress.kind], effort)))
                except BenchmarkError as error:  # the other ingresses are worth their rows
                    rows.append(Row(title, None, note=f"not measured: {str(error).splitlines()[-1]}"))
    return rows


@dataclass(frozen=True, slots=True)
class _Turn:
    """One turn, in messages per second: bare consumer, gateway and bare sender; and the gateway's CPU s per 1,000."""

    bare: float
    gateway: float
    sender: float
    cpu: float


def _row(title: str, turns: Sequence[_Turn]) -> Row:
    share = median([turn.gateway / turn.sender for turn in turns])
    return Row(
        title,
        median([turn.gateway for turn in turns]),
        "SMS/s",
        median([turn.bare for turn in turns]),
        median([turn.gateway / turn.bare for turn in turns]),
        note=f"floor: bare consumer, which sends nothing; {100 * share:.0f} % of the bare sender's SMS/s; "
        f"CPU {median([turn.cpu for turn in turns]):.2f} s per 1,000",
        details={"turns": [asdict(turn) for turn in turns]},
    )


def _turns(ingress: _Ingress, port: int, effort: Effort) -> list[_Turn]:
    """Let bare consumer, bare sender and gateway take turns; the gateway is the same in all of them."""
    count, turns = effort.pick(1_000, 500), []
    section = {ingress.section: {"enable": True, "host": HOST, "port": port, **ingress.settings}}
    with peer(2) as modems, running(modems.ports[1:], sections=section) as gateway:
        connected = f"{ingress.section}: connected".encode()
        wait_until(lambda: connected in gateway.log.read_bytes(), f"the connection to {ingress.title}", 30)
        _through(gateway, modems, ingress, port, range(20))  # so that everything is imported
        for number in range(1, effort.pick(3, 1) + 1):
            first = number * _APART
            bare = _bare(ingress, port, range(first, first + count))
            sender = floor_rate(modems, 300)
            before = cpu_seconds(gateway.pid)
            rate = _through(gateway, modems, ingress, port, range(first + count, first + 2 * count))
            turns.append(_Turn(bare, rate, sender, 1000 * (cpu_seconds(gateway.pid) - before) / count))
            progress(f"{ingress.title}: bare consumer {bare:.0f}, gateway {rate:.0f}, bare sender {sender:.0f} /s")
    return turns


@contextmanager
def _server(kind: str, folder: Path) -> Iterator[Mapping[str, int]]:
    """Run a broker; give its port for each kind of consumer."""
    match kind:
        case "amqp":
            with RabbitMq(folder) as rabbit:
                _declare(rabbit, NAME, _BARE)
                yield {"amqp": rabbit.port, "stomp": rabbit.stomp_port}
        case "mqtt":
            with Mosquitto(folder) as mosquitto:
                yield {"mqtt": mosquitto.port}
        case "redis":
            with Redis(folder) as redis:
                yield {"redis": redis.port}
        case _:
            with Messenger() as messenger:
                yield {"websocket": messenger.port}


def _declare(rabbit: RabbitMq, *names: str) -> None:
    program = [sys.executable, str(rabbit.rabbitmqadmin()), "-P", str(rabbit.management_port)]
    for name in names:
        queue = ["declare", "queue", f"name={name}", "durable=true", "queue_type=quorum"]
        subprocess.run([*program, *queue], check=True, capture_output=True, timeout=60)


def _bare(ingress: _Ingress, port: int, numbers: range) -> float:
    """Let a bare consumer take all messages, published once it is ready; give messages per second."""
    command = [sys.executable, "-m", "tests.benchmark.bare_consumer", ingress.kind, str(port), _BARE, str(len(numbers))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=ROOT, text=True) as consumer:
        try:
            assert consumer.stdout is not None
            if consumer.stdout.readline().strip() != "ready":
                raise BenchmarkError(f"the bare consumer of {ingress.title} did not start")
            PUBLISHERS[ingress.kind](port, numbers, _BARE)
            if not (rate := consumer.stdout.readline()):
                raise BenchmarkError(f"the bare consumer of {ingress.title} ended early")
            return float(rate)
        finally:
            consumer.terminate()  # which has no effect where it has ended


def _through(gateway: Gateway, modems: Peer, ingress: _Ingress, port: int, numbers: range) -> float:
    """Let the gateway take and send all messages; give its messages per second."""
    before = len(modems.dialogues())
    PUBLISHERS[ingress.kind](port, numbers, NAME)
    done = modems.wait_for(before + len(numbers))[before:]
    gateway.check()
    return rate_of(done)
