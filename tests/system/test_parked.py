"""What cannot be sent now holds up nothing else, is neither lost nor doubled, and goes to whoever can send it."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pika
import pytest
import redis
from websockets.sync.client import connect

from otppi.host.control.client import ControlClient
from otppi.simulator import ModemProfile, ModemRack, SimulatedNetwork
from otppi.testing.brokers.messenger import Messenger
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.mqtt_peer import MqttPeer
from otppi.testing.brokers.rabbitmq import PASSWORD, USER, RabbitMq
from otppi.testing.brokers.redis import Redis
from otppi.testing.waiting import until
from tests.system.conftest import Gateway, modem

Start = Callable[..., Gateway]
_HOUR = 3_600


class Source(Protocol):
    """A broker that commands are put into."""

    name: str
    blocked: int
    """How many commands of each of two kinds, texts and e-mails, go before the SMS."""

    def put(self, body: bytes) -> None:
        """Publish a command."""

    def settings(self, gateway: int) -> dict[str, Any]:
        """Return the settings of the ingress, for each gateway its own."""


class AmqpQueue:
    def __init__(self, broker: RabbitMq, name: str, blocked: int, *, kind: str) -> None:
        self.name, self.blocked = name, blocked
        self._broker = broker
        self._connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", broker.port, heartbeat=0))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        self.queue = f"parked-{time.monotonic_ns()}"
        # STOMP declares queues without arguments, and is refused where there is one.
        arguments = {"x-queue-type": "quorum"} if kind == "quorum" else None
        self._channel.queue_declare(self.queue, durable=True, arguments=arguments)

    def put(self, body: bytes) -> None:
        self._channel.basic_publish("", self.queue, body, pika.BasicProperties(delivery_mode=2))

    def settings(self, gateway: int) -> dict[str, Any]:
        login = {"enable": True, "host": "127.0.0.1", "username": USER, "password": PASSWORD}
        if self.name == "stomp":
            return {"ingress-stomp": {**login, "port": self._broker.stomp_port, "destination": self.queue}}
        return {"ingress-rabbitmq": {**login, "port": self._broker.port, "queue": self.queue}}

    def close(self) -> None:
        self._channel.queue_delete(self.queue)
        self._connection.close()


class Topic:
    blocked = 30

    def __init__(self, broker: Mosquitto, peer: MqttPeer, *, shared: bool) -> None:
        self.name = "mqtt shared" if shared else "mqtt"
        self._broker, self._peer, self._shared = broker, peer, shared

    def put(self, body: bytes) -> None:
        self._peer.publish("otp/sms", body)

    def settings(self, gateway: int) -> dict[str, Any]:
        more = {"shared_group": "all", "client_id": f"gateway{gateway}"} if self._shared else {"client_id": "gateway"}
        return {
            "ingress-mqtt": {"enable": True, "host": "127.0.0.1", "port": self._broker.port, "topic": "otp/sms"} | more
        }


class RedisKey:
    def __init__(self, server: Redis, client: Any, kind: str) -> None:
        self.name, self.blocked = f"redis {kind}", 8
        self._server, self._client, self._kind = server, client, kind

    def put(self, body: bytes) -> None:
        if self._kind == "stream":
            self._client.xadd("sms", {"body": body})
        else:
            self._client.lpush("sms", body)

    def settings(self, gateway: int) -> dict[str, Any]:
        more = {
            "kind": self._kind,
            "claim_after": 5.0,
            "consumer": f"gateway{gateway}" if self._kind == "stream" else "gateway",
        }
        return {"ingress-redis": {"enable": True, "host": "127.0.0.1", "port": self._server.port, **more}}


@pytest.fixture(params=["rabbitmq", "rabbitmq classic", "mqtt", "mqtt shared", "redis stream", "redis list", "stomp"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    with ExitStack() as stack:
        name: str = request.param
        if name.startswith(("rabbitmq", "stomp")):
            broker: RabbitMq = request.getfixturevalue("rabbitmq")
            queue = AmqpQueue(
                broker, name, 30 if name == "stomp" else 8, kind="quorum" if name == "rabbitmq" else "classic"
            )
            stack.callback(queue.close)
            yield queue
        elif name.startswith("mqtt"):
            mosquitto = stack.enter_context(Mosquitto(tmp_path / "mosquitto"))
            yield Topic(mosquitto, stack.enter_context(MqttPeer(mosquitto.port)), shared="shared" in name)
        else:
            server = stack.enter_context(Redis(tmp_path / "redis"))
            client = stack.enter_context(redis.Redis(port=server.port))
            yield RedisKey(server, client, name.removeprefix("redis "))


def command(number: int, **more: Any) -> bytes:
    data = {"id": f"m{number}", "receiver": f"0812{number:07}", "message": f"text {number}", **more}
    return json.dumps({"command": "send-sms", "data": data}).encode()


def blocked(number: int) -> bytes:
    """Write a command that the first gateway cannot send now, of each kind in turn."""
    far = int(time.time()) + 20 * _HOUR
    kinds: list[dict[str, Any]] = [
        {"priority": "bulk"},  # refused: its life ends before the quiet hours do
        {"priority": "bulk", "expiration": far},  # waits for the end of the quiet hours
        {"receiver": f"0899{number:07}"},  # waits for a modem that is not there, or is refused
        {"receiver": f"0899{number:07}", "expiration": far},
    ]
    return command(number, **kinds[number % len(kinds)])


def mail(number: int) -> bytes:
    return command(number, receiver=f"somebody{number}@example.com")


def quiet() -> list[str]:
    """Return quiet hours that last some hours more."""
    begun, ends = (time.strftime("%H:%M", time.localtime(time.time() + hours * _HOUR)) for hours in (-1, 6))
    return [f"{begun}-{ends}"]


def until_connected(gateway: Gateway) -> Gateway:
    """Wait for the broker's ingress: before its first session has subscribed, MQTT's broker keeps nothing for it."""
    client = ControlClient(gateway.data / "control")

    def connected() -> bool:
        every = client.call("status", {})["ingresses"]
        return any(one.get("connected") for one in every if one["name"] != "ingress-rest")

    until(connected, what="connected to the broker")
    return gateway


def blocking(rack: ModemRack, folder: Path) -> list[dict[str, Any]]:
    """Return the modems of a gateway that cannot send `blocked`: one in quiet hours, and one that is not there."""
    gone = modem(folder / "no-such-port", "gone", recipient_prefixes=["62899"], default_modem=False)
    return [modem(rack.paths[0], quiet_hours=quiet()), gone]


def test_what_cannot_go_now_holds_up_nothing_and_is_neither_lost_nor_doubled(
    start: Start, source: Source, tmp_path: Path
) -> None:
    """RabbitMQ with 12, MQTT with 60, a Redis stream with 10, STOMP with 60: then an SMS was not sent in 120 s."""
    network, count = SimulatedNetwork(), source.blocked

    def sent() -> Counter[str]:
        return Counter(message.text for message in network.messages)

    profile = ModemProfile(network_time=0.5)
    with ModemRack(1, profile=profile, network=network) as slow, ModemRack(1, network=network) as fast:
        rules = {"sms": {"fail_over": False}}
        first = until_connected(start(blocking(slow, tmp_path), **rules, **source.settings(1)))
        for number in range(count):
            source.put(blocked(number))
            source.put(mail(10_000 + number))
        source.put(command(20_000))
        until(lambda: sent()["text 20000"], f"{source.name}: an SMS behind {2 * count} that cannot go")
        first.kill()
        source.put(command(20_001))
        first.start()
        until(lambda: sent()["text 20001"], f"{source.name}: one more after a kill")
        assert set(sent()) == {"text 20000", "text 20001"}
        if source.name in ("rabbitmq", "redis stream"):
            other = start([modem(fast.paths[0])], **source.settings(2))  # gets what the first gives back bit by bit
        else:  # or all at once, where that would take minutes, or where nobody else gets what one gateway holds
            assert first.stop() == 0
            other = start([modem(fast.paths[0])], **source.settings(1))
        until(lambda: len(sent()) == count + 2, f"{source.name}: all that the other gateway can send", 150)
        if "shared" not in source.name:  # there a kill may come between handing on and acknowledging
            assert set(sent().values()) == {1}, "none is doubled"
        assert other.stop() == 0


def test_what_no_broker_keeps_holds_up_nothing(start: Start, tmp_path: Path, modem_rack: ModemRack) -> None:
    with Messenger(users={"otp": "x"}) as broker:
        login = {"enable": True, "host": "127.0.0.1", "port": broker.port, "username": "otp", "password": "x"}
        start(blocking(modem_rack, tmp_path), sms={"fail_over": False}, **{"ingress-wsmessagebroker": login})
        broker.wait_for_clients(1, "sms")
        header = {"Authorization": "Basic b3RwOng="}
        with connect(
            f"ws://127.0.0.1:{broker.port}/?channel=sms", additional_headers=header, compression=None
        ) as sender:
            for number in range(1_200):
                sender.send((blocked(number) if number % 2 else mail(number)).decode())
            sender.send(command(20_000).decode())
            (message,) = modem_rack.network.wait_for(1)
        assert message.text == "text 20000"
