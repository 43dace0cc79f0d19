"""Every example of the seed document, byte for byte, and every kind of body that is none."""

import json
import logging
import re
import time
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE

SECRET = "4711-not-to-be-logged"
GOOD = json.dumps({"command": "send-sms", "data": {"id": 1, "receiver": "08126666666", "message": "Halo"}}).encode()

# The four of the section "RabbitMQ" of scenario 2, with their trailing commas.


BAD = {
    "empty": b"",
    "binary": bytes(range(256)),
    "not UTF-8": '{"command": "send-sms"}'.encode("utf-16"),
    "cut": GOOD[:-5],
    "two megabytes": b'{"command": "echo", "data": "' + b"x" * (2 << 20) + b'"}',
    "deep": b"[" * 100_000,
    "deep data": b'{"command": "echo", "data": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
    "huge number": b'{"command": "send-sms", "data": {"id": ' + b"9" * 5000 + b"}}",
    "a list": b"[1, 2]",
    "a text": b'"send-sms"',
    "null": b"null",
    "no command": b'{"data": {}}',
    "an unknown command": b'{"command": "format-disk", "data": {}}',
    "a command that is a list": b'{"command": ["send-sms"], "data": {}}',
    "no data": b'{"command": "send-sms"}',
    "data that is text": b'{"command": "send-sms", "data": "x"}',
    "no receiver": b'{"command": "send-sms", "data": {"message": "%b"}}' % SECRET.encode(),
    "wrong types": b'{"command": "send-sms", "data": {"receiver": 1.5, "message": {"a": "%b"}}}' % SECRET.encode(),
    "an empty list": b'{"command": "send-sms", "data": []}',
    "a delay that is text": b'{"command": "echo", "callback_delay": "soon"}',
    "surrogates": b'{"command": "send-sms", "data": {"receiver": "0812\\ud800", "message": 5}}',
    "NUL": b"\0" * 1000,
}


def test_bad_bodies_are_rejected_and_told_and_the_consumer_lives_on(
    client: Any, gateway: Any, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    dead, answers = client.declare(), client.declare()
    queue = client.declare(x_dead_letter_exchange="", x_dead_letter_routing_key=dead)
    for name, body in BAD.items():
        client.publish(queue, body, reply_to=answers, correlation_id=name)
    client.publish(queue, GOOD)
    served = serve(queue).until(malformed=len(BAD), done=1, unsettled=0)
    assert sorted(client.get(dead)[2] for _ in BAD) == sorted(BAD.values())
    told = {}
    for _ in BAD:
        _, properties, answer = client.get(answers)
        told[properties.correlation_id] = json.loads(answer)
    assert told.keys() == BAD.keys()
    for answer in told.values():
        assert answer["response_code"] == "1206"
        assert answer["data"]["errors"][0]["field"]
    assert SECRET not in json.dumps(told)
    assert served["attempts"] == 0
    lines = [line for line in caplog.messages if "malformed" in line]
    assert lines[0].startswith("ingress-rabbitmq: a message is rejected, it is malformed (")
    assert SECRET not in caplog.text


def test_a_flood_of_bad_bodies_is_counted_in_the_log(
    client: Any, gateway: Any, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    queue = client.declare()
    for _ in range(500):
        client.publish(queue, b"junk")
    served = serve(queue).until(malformed=500, unsettled=0)
    assert len([line for line in caplog.messages if "malformed" in line]) < 50
    client.publish(queue, GOOD)
    served.until(done=1)


# -- what the documentation shows -----------------------------------------------------------------------------------

ROOT = Path(__file__).parents[3]


def test_the_definitions_can_be_imported_and_are_used(client: Any, gateway: Any, serve: Any, rabbitmq: Any) -> None:
    file = ROOT / "docs/examples/rabbitmq-definitions.json"
    rabbitmq.ctl("import_definitions", str(file))
    rabbitmq.ctl("import_definitions", str(file))  # a second time does no harm
    served = serve("sms").until(consumer="consuming")
    client.publish("sms", b"junk")
    client.publish("sms", GOOD)
    served.until(done=1, malformed=1, unsettled=0)
    assert client.get("sms-dead")[2] == b"junk"
    assert served["last_problem"] is None
    arguments = {queue["name"]: queue["arguments"] for queue in json.loads(file.read_text())["queues"]}
    assert {arguments[name]["x-queue-type"] for name in ("sms", "sms-bulk", "sms-dead")} == {"quorum"}
    served.stop()
    client.channel.queue_delete("sms")
    client.channel.queue_delete("sms-bulk")
    client.channel.queue_delete("sms-dead")


def test_the_example_in_python_works(client: Any, gateway: Any, serve: Any, rabbitmq: Any) -> None:
    readme = (ROOT / "plugins/otppi-ingress-rabbitmq/README.md").read_text()
    [code] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    served = serve("sms").until(consumer="consuming")
    code = code.replace("amqp://user:password@broker.example/", rabbitmq.url).replace("print(", "said.append(")
    said: list[Any] = []
    exec(compile(code, "README.md", "exec"), {"said": said})  # noqa: S102 - our own
    [answer] = said
    assert answer["data"]["state"] == "sent"
    served.until(done=1)
    served.stop()
    client.channel.queue_delete("sms")


def test_the_example_of_rabbitmqadmin_works(client: Any, gateway: Any, serve: Any, rabbitmq: Any) -> None:
    import shlex
    import subprocess
    import sys

    readme = (ROOT / "plugins/otppi-ingress-rabbitmq/README.md").read_text()
    [line] = [line for line in readme.replace("\\\n", "").splitlines() if line.startswith("rabbitmqadmin publish")]
    served = serve("sms").until(consumer="consuming")
    program = [sys.executable, str(rabbitmq.rabbitmqadmin()), "--port", str(rabbitmq.management_port)]
    subprocess.run([*program, *shlex.split(line)[1:]], check=True, capture_output=True, timeout=PATIENCE)
    served.until(done=1)
    [(envelope, _)] = gateway.taken
    assert envelope.items[0].priority == "otp"
    assert (envelope.items[0].expiration or 0) > time.time()
    served.stop()
    until(lambda: client.ready("sms") == 0)
    client.channel.queue_delete("sms")
