"""Publishers: put numbered commands into a broker, by the library of its ingress."""

import json
import time
from collections.abc import Callable

from tests.benchmark.client import HOST

NAME = "sms"
USER = PASSWORD = "guest"


def body(number: int) -> bytes:
    """Write the command of one message."""
    data = {"id": str(number), "receiver": f"0812{number:07}", "message": f"OTP Anda adalah {number}"}
    return json.dumps({"command": "send-sms", "data": data | {"date_time": int(time.time())}}).encode()


def amqp(port: int, numbers: range, name: str = NAME) -> None:
    """Publish to a queue, which is there already."""
    import pika

    with pika.BlockingConnection(pika.ConnectionParameters(HOST, port)) as connection:
        channel = connection.channel()
        for number in numbers:
            channel.basic_publish("", name, body(number), pika.BasicProperties(delivery_mode=2))


def mqtt(port: int, numbers: range, name: str = NAME) -> None:
    """Publish with QoS 1."""
    from paho.mqtt.client import Client, MQTTv5
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.connect(HOST, port)
    client.loop_start()
    for handed_over in [client.publish(name, body(number), qos=1) for number in numbers]:
        handed_over.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def websocket(port: int, numbers: range, name: str = NAME) -> None:
    """Send to everybody who is there."""
    from websocket import create_connection

    connection = create_connection(f"ws://{HOST}:{port}/ws?channel={name}&topic={name}")
    for number in numbers:
        connection.send(body(number).decode())
    connection.close()


def redis(port: int, numbers: range, name: str = NAME) -> None:
    """Append to a stream."""
    import redis as library

    with library.Redis(HOST, port) as connection, connection.pipeline(transaction=False) as pipeline:
        for number in numbers:
            pipeline.xadd(name, {"body": body(number)})
        pipeline.execute()


def stomp(port: int, numbers: range, name: str = NAME) -> None:
    """Send to a queue, and wait until the server has the last one."""
    import stomp as library

    connection = library.Connection12([(HOST, port)], vhost="/")
    waiting = library.listener.WaitingListener("last")
    connection.set_listener("last", waiting)
    connection.connect(USER, PASSWORD, wait=True)
    for number in numbers:
        receipt = {"receipt": "last"} if number == numbers[-1] else {}
        connection.send(f"/amq/queue/{name}", body(number), headers=receipt | {"persistent": "true"})
    waiting.wait_on_receipt()
    connection.disconnect()


PUBLISHERS: dict[str, Callable[[int, range, str], None]] = {
    "amqp": amqp,
    "mqtt": mqtt,
    "websocket": websocket,
    "redis": redis,
    "stomp": stomp,
}
