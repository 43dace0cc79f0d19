"""Three gateways share one queue: one is killed, one is cut off, and every message arrives."""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.rabbitmq import PASSWORD, USER, RabbitMq
from otppi.testing.waiting import until
from tests.fleet.gateways import Arrival, FleetGateway
from tests.fleet.lab import BROKER, Lab, may_make_namespaces
from tests.fleet.publisher import command, text

MESSAGES = 3_000
MODEMS = 4
QUEUE = "sms"


@pytest.fixture
def lab() -> Iterator[Lab]:
    if not may_make_namespaces():
        pytest.skip("network namespaces can be made by root only")
    with Lab(3) as lab:
        yield lab


@contextmanager
def fleet(folder: Path, lab: Lab, ingress: str, settings: Mapping[str, Any]) -> Iterator[list[FleetGateway]]:
    with ExitStack() as opened:
        gateways = []
        for number in range(3):
            values = {key: value.format(number) if isinstance(value, str) else value for key, value in settings.items()}
            within, data = lab.at_gateway(number), folder / f"gateway{number}"
            one = FleetGateway(number, data, within, {ingress: values}, modems=MODEMS)
            opened.callback(one.close)
            gateways.append(one.start())
        yield gateways


@contextmanager
def publishing(lab: Lab, protocol: str, port: int) -> Iterator[None]:
    with subprocess.Popen([*lab.at_broker, *command(protocol, port, QUEUE, MESSAGES)]) as publisher:
        yield
        assert publisher.wait(120) == 0


def arrivals(gateways: list[FleetGateway]) -> list[Arrival]:
    return sorted((one for gateway in gateways for one in gateway.arrivals()), key=lambda one: one.at)


def count(gateways: list[FleetGateway]) -> int:
    return sum(gateway.network.message_count for gateway in gateways)


def judge(found: list[Arrival], killed: float, cut: float) -> Counter[str]:
    """Check that nothing is lost, and that only what was in flight is doubled; give what was doubled."""
    times = Counter(one.text for one in found)
    assert set(times) == {text(number) for number in range(MESSAGES)}
    firsts: dict[str, Arrival] = {}
    for one in found:
        firsts.setdefault(one.text, one)
    doubled = Counter({message: number - 1 for message, number in times.items() if number > 1})
    for message in doubled:
        # A message is doubled where its acknowledgement did not reach the broker any more.
        first = firsts[message]
        assert times[message] == 2
        if first.gateway == 0:
            assert killed - 2 < first.at < killed + 1, "it was not in flight when its gateway was killed"
        else:
            assert first.gateway == 1, "a gateway to which nothing happened doubled a message"
            assert cut - 2 < first.at, "it was acknowledged before its gateway was cut off"
    of_killed = sum(firsts[message].gateway == 0 for message in doubled)
    assert of_killed <= 2 * MODEMS, "more was doubled than the modems had in flight"
    return doubled


def run_faults(lab: Lab, gateways: list[FleetGateway]) -> tuple[float, float]:
    until(lambda: count(gateways) >= MESSAGES // 3, "a third was sent")
    gateways[0].kill()
    killed = time.monotonic()
    until(lambda: count(gateways) >= MESSAGES // 2, "half was sent")
    lab.cut(1)
    return killed, time.monotonic()


def all_arrived(gateways: list[FleetGateway]) -> bool:
    return count(gateways) >= MESSAGES and len({one.text for one in arrivals(gateways)}) == MESSAGES


def tell(doubled: Counter[str], gateways: list[FleetGateway]) -> None:
    shares = [gateway.network.message_count for gateway in gateways]
    print(f"{doubled.total()} of {MESSAGES} doubled, all in flight; sent by each gateway: {shares}")


def test_three_gateways_on_one_quorum_queue(lab: Lab, tmp_path: Path) -> None:
    with RabbitMq(tmp_path / "broker", address=BROKER, within=lab.at_broker) as broker:
        settings = {
            "enable": True, "host": BROKER, "port": broker.port, "username": USER, "password": PASSWORD,
            "queue": QUEUE, "heartbeat": 4, "timeout": 4.0,
        }  # fmt: skip
        with fleet(tmp_path, lab, "ingress-rabbitmq", settings) as gateways:
            with publishing(lab, "amqp", broker.port):
                killed, cut = run_faults(lab, gateways)
            until(lambda: all_arrived(gateways), "all were sent")
            lab.mend(1)
            gateways[0].start()
            until(lambda: f"{QUEUE}\t0\n" in broker.ctl("list_queues", "name", "messages"), "the queue is empty")
            tell(judge(arrivals(gateways), killed, cut), gateways)


def test_three_gateways_on_one_shared_subscription(lab: Lab, tmp_path: Path) -> None:
    """The broker keeps what a gateway has not acknowledged for that gateway, which knows what it has sent."""
    with Mosquitto(tmp_path / "broker", address=BROKER, within=lab.at_broker) as broker:
        settings = {
            "enable": True, "host": BROKER, "port": broker.port, "topic": QUEUE, "client_id": "gateway{}",
            "shared_group": "gateways", "qos": 1, "keep_alive": 5,
        }  # fmt: skip
        with fleet(tmp_path, lab, "ingress-mqtt", settings) as gateways:
            with publishing(lab, "mqtt", broker.port):
                killed, cut = run_faults(lab, gateways)
                gateways[0].start()  # as the service manager does
            until(lambda: count(gateways) >= MESSAGES * 4 // 5, "four fifths were sent")
            lab.mend(1)
            until(lambda: all_arrived(gateways), "all were sent")
            doubled = judge(arrivals(gateways), killed, cut)
            assert not doubled
            tell(doubled, gateways)
