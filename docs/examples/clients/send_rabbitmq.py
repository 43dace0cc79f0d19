"""Sends an SMS through RabbitMQ with pika, waits for the gateway's answer, and says what became of the message.

    pip install pika
    printf 'OTP Anda adalah 1234' | python3 send_rabbitmq.py 08126666666 [ID]

Environment: AMQP_URL, such as amqps://user:password@broker.example/; SMS_QUEUE (sms). The text is read from standard
input: arguments can be read by others.
Ends with 0: sent. 1: not sent, for good. 2: wrong use. 3: not known yet: it is in the queue; only the same ID may be
sent again. 4: not sent, try later.
"""

import json
import os
import sys
import time
import uuid

import pika
import pika.exceptions

PATIENCE = 60.0
LIFETIME = 300


def send(channel, queue, receiver, text, message_id):
    """Send a message; give the answer, or None where there was none in time."""
    data = {"id": message_id, "receiver": receiver, "message": text, "expiration": int(time.time()) + LIFETIME}
    answers = channel.queue_declare("", exclusive=True).method.queue
    channel.confirm_delivery()
    channel.basic_publish(
        "",
        queue,
        json.dumps({"command": "send-sms", "data": data}).encode(),
        pika.BasicProperties(
            delivery_mode=2,  # it outlives a restart of the broker
            reply_to=answers,
            correlation_id=message_id,
            expiration=str(LIFETIME * 1000),  # a code that is too late is worth nothing
        ),
        mandatory=True,  # raises where there is no such queue
    )
    for method, properties, body in channel.consume(answers, auto_ack=True, inactivity_timeout=PATIENCE):
        if method is None:
            return None
        if properties.correlation_id == message_id:
            return json.loads(body)
    return None


def complain(reason, code):
    """Say why not; give what the program ends with."""
    sys.stderr.write(f"{reason}\n")
    return code


def main():
    """Run."""
    if len(sys.argv) not in (2, 3) or not os.environ.get("AMQP_URL"):
        sys.stderr.write(__doc__)
        return 2
    message_id = sys.argv[2] if len(sys.argv) == 3 else str(uuid.uuid4())
    parameters = pika.URLParameters(os.environ["AMQP_URL"])
    parameters.socket_timeout = parameters.blocked_connection_timeout = 10
    published = False
    try:
        connection = pika.BlockingConnection(parameters)
        published = True  # from here on it may have reached the queue
        with connection:
            queue = os.environ.get("SMS_QUEUE", "sms")
            answer = send(connection.channel(), queue, sys.argv[1], sys.stdin.read(), message_id)
    except pika.exceptions.UnroutableError:
        return complain("not sent: there is no such queue", 4)
    except (pika.exceptions.AMQPError, OSError) as error:
        return complain(f"the connection failed ({type(error).__name__})", 3 if published else 4)
    if answer is None:
        return complain("no answer yet; the message waits in the queue", 3)
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
