"""Sends an SMS through an MQTT broker with paho, waits for the gateway's answer, and says what became of the message.

    pip install 'paho-mqtt>=2'
    printf 'OTP Anda adalah 1234' | python3 send_mqtt.py 08126666666 [ID]

Environment: MQTT_HOST, MQTT_PORT (1883), MQTT_USER, MQTT_PASSWORD, MQTT_TLS (1 for yes), SMS_TOPIC (sms). The text is
read from standard input: arguments can be read by others.
Ends with 0: sent. 1: not sent, for good. 2: wrong use. 3: not known yet; only the same ID may be sent again. 4: not
sent, try later.
"""

import json
import os
import queue
import sys
import time
import uuid

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PATIENCE = 60.0
LIFETIME = 300
NOBODY = 0x10
"""The broker's reason code where no gateway has subscribed (MQTT 5, 3.4.2.1)."""


class FailedError(Exception):
    """There is no answer; `code` is what the program ends with."""

    def __init__(self, code, reason):
        super().__init__(reason)
        self.code = code


def connect():
    """Connect; give the client, and a queue with what it hears: reason codes of the broker, and answers."""
    heard = queue.Queue()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.username_pw_set(os.environ.get("MQTT_USER") or None, os.environ.get("MQTT_PASSWORD") or None)
    if os.environ.get("MQTT_TLS") == "1":
        client.tls_set()
    client.on_connect = lambda _client, _data, _flags, reason, _properties: heard.put(reason)
    client.on_subscribe = lambda _client, _data, _mid, reasons, _properties: heard.put(reasons[0])
    client.on_publish = lambda _client, _data, _mid, reason, _properties: heard.put(reason)
    client.on_message = lambda _client, _data, message: heard.put(message)
    client.connect(os.environ["MQTT_HOST"], int(os.environ.get("MQTT_PORT", "1883")))
    client.loop_start()
    return client, heard


def send(client, heard, receiver, text, message_id):
    """Send a message; give the answer."""
    try:
        if heard.get(timeout=10).is_failure:
            raise FailedError(4, "the broker refuses: user name or password?")
        answers = f"sms-answers/{uuid.uuid4()}"
        client.subscribe(answers, qos=1)
        if heard.get(timeout=10).is_failure:
            raise FailedError(4, f"the broker refuses the subscription to {answers}")
    except queue.Empty:
        raise FailedError(4, "the broker does not answer") from None
    properties = Properties(PacketTypes.PUBLISH)
    properties.ResponseTopic = answers
    properties.CorrelationData = message_id.encode()
    properties.MessageExpiryInterval = LIFETIME
    data = {"id": message_id, "receiver": receiver, "message": text, "expiration": int(time.time()) + LIFETIME}
    command = json.dumps({"command": "send-sms", "data": data})
    client.publish(os.environ.get("SMS_TOPIC", "sms"), command, qos=1, properties=properties)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            one = heard.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise FailedError(3, "no answer yet") from None
        if isinstance(one, mqtt.MQTTMessage):
            return json.loads(one.payload)
        if one.value == NOBODY:
            raise FailedError(4, "not sent: no gateway takes messages from this topic")
        if one.is_failure:
            raise FailedError(4, f"not sent: the broker refuses it ({one})")


def complain(reason, code):
    """Say why not; give what the program ends with."""
    sys.stderr.write(f"{reason}\n")
    return code


def main():
    """Run."""
    if len(sys.argv) not in (2, 3) or not os.environ.get("MQTT_HOST"):
        sys.stderr.write(__doc__)
        return 2
    message_id = sys.argv[2] if len(sys.argv) == 3 else str(uuid.uuid4())
    try:
        client, heard = connect()
    except OSError as error:
        return complain(f"no connection to the broker: {error}", 4)
    try:
        answer = send(client, heard, sys.argv[1], sys.stdin.read(), message_id)
    except FailedError as error:
        return complain(error, error.code)
    finally:
        client.disconnect()
        client.loop_stop()
    data = answer["data"]
    sys.stdout.write(f"{data.get('state', 'refused')} {answer['response_code']} {data.get('message_id', '')}\n")
    if data.get("state") in ("sent", "delivered"):
        return 0
    if data.get("state") in ("unconfirmed", "lost"):
        return 3
    reasons = [f"{flaw['field']}: {flaw['reason']}" for flaw in data.get("errors", [])]
    return complain(data.get("cause") or "; ".join(reasons) or answer["response_text"], 1)


if __name__ == "__main__":
    sys.exit(main())
