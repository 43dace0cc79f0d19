"""The programs of docs/clients.md, run as the page says, against a gateway with real brokers and a simulated phone."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any

import pytest

from otppi.simulator import ModemRack
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.rabbitmq import RabbitMq
from otppi.testing.ports import free_port
from otppi.testing.waiting import until
from otppi.wire.envelope import Answer, ResponseCode, parse
from tests.system.conftest import PASSWORD, USER, Gateway, modem

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/examples/clients"
PAGE = ROOT / "docs/clients.md"
VIRTUAL_HOST = "clients"
MQTT_USER, MQTT_PASSWORD = "app", 'another $HOME "password"'
TEXT = 'OTP Anda adalah 1234 "\\é\n$HOME'
REST = {
    "send-rest.sh": ["bash"],
    "send_rest.py": [sys.executable],
    "send_rest.php": ["php"],
    "send_rest.mjs": ["node"],
}
AMQP = {"send_rabbitmq.py": [sys.executable], "send-rabbitmq.sh": ["bash"]}
MQTT = {"send_mqtt.py": [sys.executable], "send-mqtt.sh": ["bash"]}
ALL = {**REST, **AMQP, **MQTT}


class Site:
    """A gateway with both brokers, and what a client's environment says of them."""

    def __init__(self, gateway: Gateway, rack: ModemRack, environment: dict[str, str]) -> None:
        self.gateway = gateway
        self.rack = rack
        self.environment = environment

    def run(
        self, name: str, *arguments: str, changed: Mapping[str, str | None] = MappingProxyType({})
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the page; `changed` are variables of its environment, None for one that is not set."""
        return run(name, *arguments, environment={**self.environment, **changed})

    def texts(self, receiver: str) -> list[str]:
        """Return what a phone has."""
        return [one.text for one in self.rack.network.messages if one.destination == "62" + receiver[1:]]


def run(
    name: str, *arguments: str, environment: Mapping[str, str | None], text: str = TEXT
) -> subprocess.CompletedProcess[str]:
    program = ALL.get(name, ["bash"])
    set_ = {key: value for key, value in environment.items() if value is not None}
    return subprocess.run(
        [*program, str(FOLDER / name), *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", **set_},
    )


@pytest.fixture(scope="module")
def site(rabbitmq: RabbitMq, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("clients")
    rabbitmq.manage("PUT", f"vhosts/{VIRTUAL_HOST}")
    rabbitmq.manage("PUT", f"permissions/{VIRTUAL_HOST}/guest", configure=".*", write=".*", read=".*")
    admin = {
        "RABBITMQ_HOST": "127.0.0.1",
        "RABBITMQ_MANAGEMENT_PORT": str(rabbitmq.management_port),
        "RABBITMQ_VHOST": VIRTUAL_HOST,
        "RABBITMQ_USER": "guest",
        "RABBITMQ_PASSWORD": "guest",
        "RABBITMQADMIN": str(rabbitmq.rabbitmqadmin()),
    }
    for _ in range(2):  # again does no harm
        done = run("rabbitmq-queue.sh", text="", environment=admin)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
    queues = rabbitmq.ctl("list_queues", "-p", VIRTUAL_HOST, "name", "type", "durable")
    assert sorted(line.split() for line in queues.splitlines()[1:]) == [
        ["sms", "quorum", "true"],
        ["sms-bulk", "quorum", "true"],
        ["sms-dead", "quorum", "true"],
    ]
    with ModemRack() as rack, Mosquitto(folder / "mosquitto", users={MQTT_USER: MQTT_PASSWORD}) as mosquitto:
        amqp = {"enable": True, "host": "127.0.0.1", "port": rabbitmq.port, "username": "guest", "password": "guest"}
        mqtt = {"enable": True, "host": "127.0.0.1", "port": mosquitto.port, "topic": "sms"}
        mqtt |= {"username": MQTT_USER, "password": MQTT_PASSWORD}
        sections: dict[str, Any] = {"ingress-rabbitmq": amqp | {"virtual_host": VIRTUAL_HOST}, "ingress-mqtt": mqtt}
        (folder / "gateway").mkdir()
        gateway = Gateway(folder / "gateway", [modem(rack.paths[0])], **sections)
        environment = {
            "OTPPI_URL": f"http://127.0.0.1:{gateway.port}",
            "OTPPI_USER": USER,
            "OTPPI_PASSWORD": PASSWORD,
            "AMQP_URL": f"{rabbitmq.url}{VIRTUAL_HOST}",
            "MQTT_HOST": "127.0.0.1",
            "MQTT_PORT": str(mosquitto.port),
            "MQTT_USER": MQTT_USER,
            "MQTT_PASSWORD": MQTT_PASSWORD,
            **admin,
        }
        try:
            gateway.start().until_ready()
            until(lambda: connected(gateway) == 2, what="both brokers are connected")
            yield Site(gateway, rack, environment)
            gateway.stop()
        finally:
            gateway.close()
    rabbitmq.manage("DELETE", f"vhosts/{VIRTUAL_HOST}")


def connected(gateway: Gateway) -> int:
    shown = json.loads(gateway.cli("status", "--json").stdout)
    return sum(bool(one.get("connected")) for one in shown["ingresses"])


def receiver_of(name: str, number: int) -> str:
    return f"0812{number:03}{sorted(ALL).index(name):04}"


# -- every program -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_it_sends_and_says_so(site: Site, name: str) -> None:
    receiver = receiver_of(name, 1)
    done = site.run(name, receiver)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"(sent|delivered) 0000 [0-9a-f]{16}\n", done.stdout)
    assert site.texts(receiver) == [TEXT]


@pytest.mark.parametrize("name", ALL)
def test_the_same_id_again_is_sent_once_and_a_success_all_the_same(site: Site, name: str) -> None:
    receiver = receiver_of(name, 2)
    first = site.run(name, receiver, f"id of {name}")
    second = site.run(name, receiver, f"id of {name}")
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert re.fullmatch(r"(sent|delivered) 1201 [0-9a-f]{16}\n", second.stdout)
    assert first.stdout.split()[2] == second.stdout.split()[2]
    assert site.texts(receiver) == [TEXT]


@pytest.mark.parametrize("name", ALL)
def test_a_receiver_that_is_blocked_is_told(site: Site, name: str) -> None:
    receiver = receiver_of(name, 3)
    with site.gateway.client() as client:
        client.command("block-msisdn", {"receiver": receiver})
    done = site.run(name, receiver)
    assert done.returncode == 1
    assert done.stdout.startswith("blocked 1204 ")
    assert "blocking list" in done.stderr
    assert site.texts(receiver) == []


@pytest.mark.parametrize("name", ALL)
def test_what_is_malformed_is_told(site: Site, name: str) -> None:
    done = site.run(name, "12")
    assert (done.returncode, done.stdout.split()[:2]) == (1, ["refused", "1206"])
    assert done.stderr.strip()


@pytest.mark.parametrize("name", ALL)
def test_wrong_use_is_told_without_waiting(site: Site, name: str) -> None:
    without: dict[str, str | None] = dict.fromkeys(("OTPPI_USER", "AMQP_URL", "MQTT_HOST", "RABBITMQ_USER"))
    for arguments, changed in (((), {}), (("08126666666",), without)):
        done = site.run(name, *arguments, changed=changed)
        assert (done.returncode, done.stdout) == (2, "")
        assert "ENVIRONMENT" in done.stderr.upper() or "usage" in done.stderr


@pytest.mark.parametrize("name", ALL)
def test_a_wrong_password_is_told(site: Site, name: str) -> None:
    wrong = "not the password"
    changed: dict[str, str | None] = {key: wrong for key in site.environment if key.endswith("_PASSWORD")}
    changed["AMQP_URL"] = (site.environment["AMQP_URL"]).replace("guest:guest", "guest:wrong")
    done = site.run(name, receiver_of(name, 4), changed=changed)
    assert done.returncode in (1, 3, 4)
    assert done.stderr.strip()
    assert wrong not in done.stdout + done.stderr
    assert site.texts(receiver_of(name, 4)) == []


@pytest.mark.parametrize("name", [*AMQP, "send_mqtt.py"])
def test_a_queue_or_topic_that_nobody_takes_from_is_told(site: Site, name: str) -> None:
    """mosquitto_pub 2.0 does not tell that nobody has subscribed."""
    done = site.run(name, receiver_of(name, 5), changed={"SMS_QUEUE": "no-such-queue", "SMS_TOPIC": "no/such/topic"})
    assert done.returncode == 4
    assert "not sent" in done.stderr


@pytest.mark.parametrize("name", [*AMQP, *MQTT])
def test_a_broker_that_is_not_there_is_told(site: Site, name: str) -> None:
    port = str(free_port())
    nowhere = {"AMQP_URL": f"amqp://guest:guest@127.0.0.1:{port}/", "MQTT_PORT": port, "RABBITMQ_MANAGEMENT_PORT": port}
    done = site.run(name, receiver_of(name, 6), changed=nowhere)
    assert done.returncode == 4
    assert done.stderr.strip()


# -- HTTP: what a gateway may answer -----------------------------------------------------------------------------------


class Scripted:
    """A gateway that answers what the test says, in turn; None hangs up without an answer."""

    def __init__(self, *answers: tuple[int, dict[str, Any], dict[str, str]] | None) -> None:
        self.requests: list[tuple[str, bytes]] = []
        script, requests = list(answers), self.requests

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                requests.append((f"{self.command} {self.path}", body))
                answer = script.pop(0)
                self.close_connection = True
                if answer is None:
                    return
                status, document, headers = answer
                raw = json.dumps(document, separators=(",", ":")).encode()
                self.send_response(status)
                for key, value in {"Content-Length": str(len(raw)), "Connection": "close", **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = _answer  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> "Scripted":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        url = f"http://127.0.0.1:{self._server.server_port}"
        environment = {"OTPPI_URL": url, "OTPPI_USER": "app", "OTPPI_PASSWORD": 'quote " and \\'}
        return run(name, "08126666666", "5", environment=environment)


def answer(code: str, state: str, **data: Any) -> dict[str, Any]:
    told = Answer(
        "send-sms", ResponseCode(code), data={"id": "5", "message_id": "5f0c8e1b2a7d4963", "state": state, **data}
    )
    document: dict[str, Any] = json.loads(told.to_json())
    return document


SENT = (200, answer("0000", "sent"), dict[str, str]())
QUEUED = (202, answer("0000", "queued"), dict[str, str]())
BUSY = (503, answer("1205", "failed", cause="the queue is full"), {"Retry-After": "1"})


@pytest.mark.parametrize("name", REST)
@pytest.mark.parametrize(
    ("answers", "code", "said"),
    [
        ((BUSY, SENT), 0, "sent 0000"),
        ((None, (200, answer("1201", "sent"), {})), 0, "sent 1201"),
        ((QUEUED, QUEUED, (200, answer("0000", "delivered"), {})), 0, "delivered 0000"),
        ((QUEUED, (200, answer("1102", "failed", cause="+CMS ERROR: 38"), {})), 1, "failed 1102"),
        (((200, answer("1201", "failed"), {}), SENT), 0, "sent 0000"),
        (((200, answer("1201", "unconfirmed"), {}),), 3, "unconfirmed 1201"),
        (((504, answer("1207", "unconfirmed"), {}),), 3, "unconfirmed 1207"),
        (((429, answer("1208", "failed"), {"Retry-After": "7"}),), 4, ""),
        (((502, answer("1102", "failed", cause="+CMS ERROR: 38"), {}),), 1, "failed 1102"),
        (((410, answer("1203", "expired"), {}),), 1, "expired 1203"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_answer_is_understood(name: str, answers: Any, code: int, said: str) -> None:
    began = time.monotonic()
    with Scripted(*answers) as gateway:
        done = gateway.run(name)
    assert (done.returncode, done.stdout.rpartition(" ")[0]) == (code, said), done.stderr
    asked = [request for request, _ in gateway.requests]
    assert len(asked) == len(answers)
    polled = sum(one is QUEUED for one in answers[:-1])
    assert asked.count("GET /api/messages/5f0c8e1b2a7d4963") == polled
    bodies = [parse(body).items[0] for request, body in gateway.requests if request.startswith("POST")]
    assert {(item.id, item.receiver, item.message) for item in bodies} == {("5", "08126666666", TEXT)}
    if answers[0] is BUSY:
        assert time.monotonic() - began >= 1, "as long as the gateway says"
    if code == 4:
        assert "7 s" in done.stderr


@pytest.mark.parametrize("name", [name for name in ALL if name.endswith(".sh")])
def test_no_secret_and_no_text_is_an_argument_of_a_program(site: Site, name: str, tmp_path: Path) -> None:
    """Every program that a shell script starts is replaced by one that writes down its arguments first."""
    log = tmp_path / "arguments"
    for program in ("curl", "mosquitto_pub", "mosquitto_sub", "sed", "date", "mktemp", "cat", "rabbitmqadmin"):
        real = subprocess.run(["which", program], capture_output=True, text=True, check=False).stdout.strip()
        target = site.environment["RABBITMQADMIN"] if program == "rabbitmqadmin" else real
        shim = tmp_path / program
        shim.write_text(f'#!/bin/bash\nprintf "%s\\n" "$0 $*" >> {log}\nexec {target} "$@"\n')
        shim.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = site.run(
        name, receiver_of(name, 7), changed={"PATH": path, "RABBITMQADMIN": str(tmp_path / "rabbitmqadmin")}
    )
    assert done.returncode == 0, done.stderr
    seen = log.read_text()
    assert any(f"{program} " in seen for program in ("curl", "mosquitto_pub", "rabbitmqadmin"))
    seen = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", seen)  # random: it may hold any four digits
    for secret in (PASSWORD, MQTT_PASSWORD, "1234"):
        assert secret not in seen


# -- the pages ---------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_files_as_they_are() -> None:
    shown = re.findall(r"^## .*?\[(?P<name>[\w.-]+)\]\(examples/clients/(?P=name)\)\n.*?^```\w+\n(.*?)^```$",
                       PAGE.read_text(), re.MULTILINE | re.DOTALL)  # fmt: skip
    assert {name for name, _ in shown} == {path.name for path in FOLDER.iterdir()}
    for name, text in shown:
        assert text == (FOLDER / name).read_text(), f"{name} has drifted: put it into docs/clients.md again"


def test_the_examples_on_the_page_of_brokers_are_what_is_read_and_answered() -> None:
    blocks = re.findall(r"^```json\n(.*?)^```$", (ROOT / "docs/brokers.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5
    for block in blocks:
        document = json.loads(block)
        if "response_code" not in document:
            assert parse(block.encode()).callback_topic
            continue
        code = ResponseCode(document["response_code"])
        assert json.loads(Answer(document["command"], code, data=document["data"]).to_json()) == document
