"""Bare consumers: the same library as an ingress, every message acknowledged at once, nothing else.

Run as a program: `python -m tests.benchmark.bare_consumer KIND PORT NAME COUNT`; it says when it is ready, and then how
many messages a second it took, between the 10th and the 90th percentile.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.benchmark.client import HOST

USER = PASSWORD = "guest"


class Tally:
    """Counts messages and notes when each came."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._times: list[float] = []

    def take(self, body: bytes | str) -> bool:
        """Read a message; True where it was the last one."""
        json.loads(body)
        self._times.append(time.monotonic())
        return len(self._times) >= self._count

    def rate(self) -> float:
        """Return messages per second."""
        first, last = len(self._times) // 10, len(self._times) * 9 // 10
        return (last - first) / max(self._times[last] - self._times[first], 1e-9)


def _ready() -> None:
    print("ready", flush=True)


def amqp(port: int, name: str, tally: Tally) -> None:
    """Consume with pika."""
    import pika

    with pika.BlockingConnection(pika.ConnectionParameters(HOST, port)) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=256)
        _ready()
        for method, _properties, body in channel.consume(name):
            done = tally.take(body)
            channel.basic_ack(method.delivery_tag)
            if done:
                break


def mqtt(port: int, name: str, tally: Tally) -> None:
    """Consume with paho, QoS 1."""
    from paho.mqtt.client import Client, MQTTv5
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5, manual_ack=True)

    def taken(_client: Client, _data: Any, message: Any) -> None:
        done = tally.take(message.payload)
        client.ack(message.mid, message.qos)
        if done:
            client.disconnect()

    client.on_message = taken
    client.on_subscribe = lambda *_: _ready()
    client.connect(HOST, port)
    client.subscribe(name, qos=1)
    client.loop_forever()


def websocket(port: int, name: str, tally: Tally) -> None:
    """Receive with websocket-client; nothing is acknowledged there."""
    from websocket import create_connection

    connection = create_connection(f"ws://{HOST}:{port}/ws?channel={name}&topic={name}")
    _ready()
    while not tally.take(connection.recv()):
        pass
    connection.close()


def redis(port: int, name: str, tally: Tally) -> None:
    """Consume a stream with redis-py."""
    import redis as library

    connection = library.Redis(HOST, port)
    connection.xgroup_create(name, "bare", "$", mkstream=True)
    _ready()
    done = False
    while not done:
        read: Any = connection.xreadgroup("bare", "bare", {name: ">"}, count=256, block=1000)
        for _stream, entries in read or ():
            for number, fields in entries:
                done = tally.take(fields[b"body"])
                connection.xack(name, "bare", number)
    connection.close()


def stomp(port: int, name: str, tally: Tally) -> None:
    """Consume with stomp.py."""
    import threading

    import stomp as library

    connection = library.Connection12([(HOST, port)], vhost="/")
    ended = threading.Event()

    class Listener(library.ConnectionListener):  # type: ignore[misc]
        def on_message(self, frame: Any) -> None:
            done = tally.take(frame.body)
            connection.ack(frame.headers["ack"])
            if done:
                ended.set()

    connection.set_listener("", Listener())
    connection.connect(USER, PASSWORD, wait=True)
    headers = {"prefetch-count": "256"}
    connection.subscribe(f"/amq/queue/{name}", id="bare", ack="client-individual", headers=headers)
    _ready()
    ended.wait(120)
    connection.disconnect()


CONSUMERS: dict[str, Callable[[int, str, Tally], None]] = {
    "amqp": amqp,
    "mqtt": mqtt,
    "websocket": websocket,
    "redis": redis,
    "stomp": stomp,
}


if __name__ == "__main__":
    kind, port, name, count = sys.argv[1:]
    counted = Tally(int(count))
    CONSUMERS[kind](int(port), name, counted)
    print(counted.rate(), flush=True)
