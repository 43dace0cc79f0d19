"""Case: how many messages a second come in from each broker, next to a bare consumer of the same library."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmark.case import Effort, median, progress
from tests.benchmark.client import HOST
from tests.benchmark.gateway import running
from tests.benchmark.peer import peer
from tests.benchmark.processes import ROOT, BenchmarkError, scratch, wait_until
from tests.benchmark.publishers import NAME, PASSWORD, PUBLISHERS, USER
from tests.benchmark.rows import Row
from tests.benchmark.throughput import floor_rate, rate_of

from otppi.testing.brokers.messenger import Messenger
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.process import ServerProcess
from otppi.testing.brokers.rabbitmq import RabbitMq
from otppi.testing.brokers.redis import Redis


@dataclass(frozen=True, slots=True)
class _Way:
    """A broker as the benchmark uses it: how it is shown, and the settings of its ingress beside host and port."""

    title: str
    kind: str
    section: str
    settings: Mapping[str, Any]


_WAYS = (
    _Way("RabbitMQ", "amqp", "ingress-rabbitmq", {"username": USER, "password": PASSWORD, "queue": NAME}),
    _Way("MQTT, QoS 1", "mqtt", "ingress-mqtt", {"topic": NAME}),
    _Way("WSMessageBroker", "websocket", "ingress-wsmessagebroker", {"topic": NAME, "path": "/ws"}),
    _Way("Redis stream", "redis", "ingress-redis", {"key": NAME}),
    _Way("STOMP", "stomp", "ingress-stomp", {"username": USER, "password": PASSWORD, "queue": f"/amq/queue/{NAME}"}),
)
_APART = 100_000


def brokers(effort: Effort) -> Sequence[Row]:
    """Measure each broker in turn: a bare consumer, and the gateway with one modem of 0 s network time."""
    rows = []
    turns, count = effort.pick(3, 1), effort.pick(1_500, 500)
    for way in _WAYS:
        with scratch(in_ram=False) as folder, _broker(way, folder) as port:
            bare, taken, sender = [], [], []
            for turn in range(turns):
                bare.append(_bare(way, port, range(turn * _APART, turn * _APART + count)))
                rate, floor = _gateway(way, port, range(turn * _APART + count, turn * _APART + 2 * count))
                taken.append(rate)
                sender.append(floor)
                progress(f"{way.title}: bare consumer {bare[-1]:.0f}, gateway {rate:.0f}, bare sender {floor:.0f} /s")
        share = median([one / other for one, other in zip(taken, sender, strict=True)])
        note = f"ratio to the bare consumer, which sends nothing; {100 * share:.0f} % of the bare sender's SMS/s"
        ratio = median([one / other for one, other in zip(taken, bare, strict=True)])
        details = {"bare": bare, "gateway": taken, "bare_sender": sender}
        title = f"{way.title}: taken in and sent by 1 modem, 0 s"
        rows.append(Row(title, median(taken), "SMS/s", median(bare), ratio, note=note, details=details))
    return rows


@contextmanager
def _broker(way: _Way, folder: Path) -> Iterator[int]:
    """Run a broker; give its port."""
    server: ServerProcess
    match way.kind:
        case "amqp" | "stomp":
            server = rabbit = RabbitMq(folder)
            port = rabbit.port if way.kind == "amqp" else rabbit.stomp_port
        case "mqtt":
            server = mosquitto = Mosquitto(folder)
            port = mosquitto.port
        case "redis":
            server = redis = Redis(folder)
            port = redis.port
        case _:
            with Messenger() as messenger:
                yield messenger.port
            return
    with server:
        if way.kind in ("amqp", "stomp"):
            program = [sys.executable, str(rabbit.rabbitmqadmin()), "-P", str(rabbit.management_port)]
            queue = ["declare", "queue", f"name={NAME}", "durable=true", "queue_type=quorum"]
            subprocess.run([*program, *queue], check=True, capture_output=True, timeout=60)
        yield port


def _bare(way: _Way, port: int, numbers: range) -> float:
    """Let a bare consumer take all messages, published once it is ready; give messages per second."""
    command = [sys.executable, "-m", "tests.benchmark.bare_consumer", way.kind, str(port), NAME, str(len(numbers))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=ROOT, text=True) as consumer:
        assert consumer.stdout is not None
        if consumer.stdout.readline().strip() != "ready":
            raise BenchmarkError(f"the bare consumer of {way.title} did not start")
        PUBLISHERS[way.kind](port, numbers)
        return float(consumer.stdout.readline())


def _gateway(way: _Way, port: int, numbers: range) -> tuple[float, float]:
    """Let a gateway take and send all messages; give its messages per second, and those of the bare sender."""
    section = {way.section: {"enable": True, "host": HOST, "port": port, **way.settings}}
    with peer(2) as modems:
        floor = floor_rate(modems, 300)
        with running(modems.ports[1:], sections=section) as gateway:
            connected = f"{way.section}: connected".encode()
            wait_until(lambda: connected in gateway.log.read_bytes(), f"the connection to {way.title}", 30)
            before = len(modems.dialogues())
            PUBLISHERS[way.kind](port, numbers)
            return rate_of(modems.wait_for(before + len(numbers), 120)[before:]), floor
