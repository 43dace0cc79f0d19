"""Case: three gateways that share a RabbitMQ queue, next to one: each on a host of its own (network namespaces)."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmark.case import Effort, median, progress
from tests.benchmark.processes import ROOT, BenchmarkError, scratch, wait_until
from tests.benchmark.publishers import NAME, PASSWORD, USER
from tests.benchmark.rows import Budget, Row
from tests.fleet.gateways import FleetGateway
from tests.fleet.lab import BROKER, Lab, may_make_namespaces
from tests.fleet.publisher import command

from otppi.testing.brokers.rabbitmq import RabbitMq

_FLEET = 3
_MODEMS = 4
_NETWORK_TIME = 0.1
_IDEAL = _MODEMS / (_NETWORK_TIME + 0.004)
"""Messages per second of one gateway's modems: the network's time, and two commands of the peer for each."""


def scaling(effort: Effort) -> Sequence[Row]:
    """Measure one gateway, then three on the same queue; each in turn, several times."""
    if not may_make_namespaces():
        raise BenchmarkError("network namespaces can be made by root only")
    ones: list[float] = []
    threes: list[float] = []
    with scratch(in_ram=False) as folder, Lab(_FLEET) as lab:
        broker = RabbitMq(folder / "broker", address=BROKER, within=lab.at_broker)
        with broker, _fleet(folder, lab, broker) as fleet:
            first = 0
            for _ in range(effort.pick(3, 1)):
                for number, rates in ((1, ones), (_FLEET, threes)):
                    count = effort.pick(300, 150) * number
                    rates.append(_rate(lab, broker, fleet[:number], range(first, first + count)))
                    first += count
                progress(f"one gateway {ones[-1]:.1f}, three {threes[-1]:.1f} SMS/s")
    ratio = median([three / one for one, three in zip(ones, threes, strict=True)])
    note = f"each with {_MODEMS} modems of {_NETWORK_TIME} s; the floor is one gateway; one alone: {_IDEAL:.0f} at best"
    details = {"one": ones, "three": threes}
    return [
        Row(
            "3 gateways on one quorum queue",
            median(threes),
            "SMS/s",
            median(ones),
            ratio,
            Budget(2.9, of_ratio=True),
            note,
            details,
        )
    ]


@contextmanager
def _fleet(folder: Path, lab: Lab, broker: RabbitMq) -> Iterator[list[FleetGateway]]:
    values = {
        "enable": True, "host": BROKER, "port": broker.port, "username": USER, "password": PASSWORD, "queue": NAME,
    }  # fmt: skip
    with ExitStack() as opened:
        gateways = []
        for number in range(_FLEET):
            data, within = folder / f"gateway{number}", lab.at_gateway(number)
            sections = {"ingress-rabbitmq": values}
            one = FleetGateway(number, data, within, sections, modems=_MODEMS, network_time=_NETWORK_TIME)
            opened.callback(one.close)
            gateways.append(one)
        yield gateways


def _rate(lab: Lab, broker: RabbitMq, gateways: Sequence[FleetGateway], numbers: range) -> float:
    """Publish, and give the messages per second of these gateways between the 10th and the 90th percentile."""
    with ExitStack() as running:
        for gateway in gateways:
            gateway.network.clear()
            gateway.start()
            running.callback(gateway.stop)
        published = command("amqp", broker.port, NAME, len(numbers), numbers.start)
        subprocess.run([*lab.at_broker, *published], check=True, timeout=120, cwd=ROOT)
        arrived = [gateway.network for gateway in gateways]
        wait_until(lambda: sum(one.message_count for one in arrived) >= len(numbers), "all messages", 120)
    ends = sorted(one.at for gateway in gateways for one in gateway.arrivals())
    first, last = len(ends) // 10, len(ends) * 9 // 10
    return (last - first) / (ends[last] - ends[first])
