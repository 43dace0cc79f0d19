"""An application server on the broker's host: publishes numbered messages, and waits until the broker has them all.

`python -m tests.fleet.publisher amqp|mqtt HOST PORT NAME COUNT [FIRST]`
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pika
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from tests.fleet.lab import BROKER

_PUBLISHERS = 16


def body(number: int) -> bytes:
    """Write the command that sends message `number`; its text is `text(number)`."""
    receiver = f"0812666{number:05}"
    data = {"id": f"fleet-{number}", "receiver": receiver, "message": text(number), "date_time": int(time.time())}
    return json.dumps({"command": "send-sms", "data": data}).encode()


def text(number: int) -> str:
    """Return the text of message `number`, by which it is known at the phone."""
    return f"fleet message {number}"


def amqp(host: str, port: int, queue: str, numbers: range) -> None:
    """Publish persistent messages to a queue, each confirmed by the broker.

    A quorum queue confirms what is on disk, and the publisher waits for that: several publish side by side.
    """

    def some(mine: range) -> None:
        with pika.BlockingConnection(pika.ConnectionParameters(host, port)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            properties = pika.BasicProperties(delivery_mode=2, content_type="application/json")
            for number in mine:
                channel.basic_publish("", queue, body(number), properties, mandatory=True)

    with ThreadPoolExecutor(_PUBLISHERS) as pool:
        list(pool.map(some, (numbers[first::_PUBLISHERS] for first in range(_PUBLISHERS))))


def mqtt(host: str, port: int, topic: str, numbers: range) -> None:
    """Publish with QoS 1, each acknowledged by the broker."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.max_queued_messages_set(0)
    client.connect(host, port)
    client.loop_start()
    for handed_over in [client.publish(topic, body(number), qos=1) for number in numbers]:
        handed_over.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def command(protocol: str, port: int, name: str, count: int, first: int = 0) -> list[str]:
    """Return the command line of a publisher."""
    arguments = (protocol, BROKER, str(port), name, str(count), str(first))
    return [sys.executable, "-m", "tests.fleet.publisher", *arguments]


if __name__ == "__main__":
    protocol, host, port, name, count, first = sys.argv[1:]
    numbers = range(int(first), int(first) + int(count))
    {"amqp": amqp, "mqtt": mqtt}[protocol](host, int(port), name, numbers)
