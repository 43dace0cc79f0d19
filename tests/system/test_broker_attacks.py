"""What hostile or careless senders, and changes of settings, do to all ingresses at once."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.brokers.rabbitmq import RabbitMq
from otppi.testing.waiting import until
from tests.system.all_ingresses import PASSWORDS, SOURCE, Brokers, all_brokers
from tests.system.conftest import Gateway, modem

Start = Callable[..., Gateway]
FLOOD = 500


@pytest.fixture
def brokers(rabbitmq: RabbitMq, tmp_path: Path) -> Iterator[Brokers]:
    with all_brokers(rabbitmq, tmp_path / "brokers") as brokers:
        yield brokers


def ingresses(gateway: Gateway) -> dict[str, dict[str, Any]]:
    """Return what the gateway says of each broker."""
    shown = json.loads(gateway.cli("status", "--json").stdout)["ingresses"]
    return {ingress["name"].removeprefix("ingress-"): ingress for ingress in shown if ingress["name"] != "ingress-rest"}


def begin(start: Start, brokers: Brokers, rack: ModemRack, **more: Any) -> Gateway:
    gateway = start([modem(rack.paths[0])], **brokers.sections, **more).until_ready()
    until(
        # One that is just being made says nothing of a connection yet.
        lambda: all(ingress.get("connected") for ingress in ingresses(gateway).values()),
        what="all brokers are connected",
    )
    return gateway


def test_floods_of_malformed_commands_cost_little_and_hold_nobody_up(start: Start, brokers: Brokers) -> None:
    with ModemRack(profile=ModemProfile(network_time=0.01)) as rack:
        gateway = begin(start, brokers, rack)
        for number, server in enumerate(brokers.servers.values()):
            for index in range(FLOOD):
                server.throw(server.envelope("send-sms", {"receiver": "x"}, callback_topic=f"nobody-{index}"))
            with gateway.client() as client:
                assert client.send(number, f"0812000000{number}", "meanwhile")[0] == 200
            server.barrier()
        assert all(ingress["malformed"] == FLOOD for ingress in ingresses(gateway).values())
        assert all(ingress["connected"] for ingress in ingresses(gateway).values())
        gateway.stop()
    lines = gateway.log.read_text().count("\n")
    assert lines < 0.1 * FLOOD * len(brokers.servers), lines


def test_answers_that_are_wanted_where_commands_come_from_make_no_loop(start: Start, brokers: Brokers) -> None:
    own = {"rabbitmq": brokers.sections["ingress-rabbitmq"]["queue"]}
    own["stomp"] = brokers.sections["ingress-stomp"]["destination"]
    commands = {"echo": 1, "get-modem-list": None, "block-msisdn": {"receiver": "081255500001"}, "send-sms": {"id": 1}}
    with ModemRack(profile=ModemProfile(network_time=0.01)) as rack:
        gateway = begin(start, brokers, rack)
        for name, server in brokers.servers.items():
            for command, data in commands.items():
                server.throw(server.envelope(command, data, callback_topic=own.get(name, SOURCE)))
        for server in brokers.servers.values():
            server.barrier()
            server.barrier()  # behind whatever the first round has brought
        for name, ingress in ingresses(gateway).items():
            came, asked = ingress["taken"], len(commands) + 2
            assert asked <= came <= asked + len(commands), name
            assert ingress["done"] == len(commands) - 1 + 2, f"{name}: an answer was carried out as a command"
        gateway.stop()


def test_passwords_that_are_wrong_for_a_while_lose_nothing_and_send_nothing_twice(
    start: Start, brokers: Brokers
) -> None:
    kept = {name: server for name, server in brokers.servers.items() if name != "wsmessagebroker"}
    count, expected = 40, Counter[str]()
    with ModemRack(profile=ModemProfile(network_time=0.02)) as rack:
        gateway = begin(start, brokers, rack)
        for name, server in kept.items():
            for number in range(count):
                data = {"id": f"{name}-{number}", "receiver": f"0812{number:07}", "message": f"{name} {number}"}
                server.throw(server.envelope("send-sms", data))
                expected[f"{name} {number}"] += 1
        rack.network.wait_for(10)
        for word in ("wrong", ""):
            threads = [
                threading.Thread(target=_set_password, args=(gateway, name, word or PASSWORDS[name])) for name in kept
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        rack.network.wait_for(count * len(kept))
        until(lambda: all(not ingress["in_flight"] for ingress in ingresses(gateway).values()), "all is settled", 30)
        gateway.stop()
        assert Counter(message.text for message in rack.network.messages) == expected


def _set_password(gateway: Gateway, name: str, password: str) -> None:
    done = gateway.cli("settings", "set", f"ingress-{name}.password", "-", stdin=password)
    assert done.returncode == 0, done.stderr
