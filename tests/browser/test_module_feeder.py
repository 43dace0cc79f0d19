"""The document's "Pengujian Modul", Feeder Setting: "1. WSMessageBroker : OK", "2. RabbitMQ : OK".

Each is set on its page against a real broker: a wrong password shows cause and what to do, the right one has the state
become connected, and what an application hands to the broker arrives.
"""

import json
from collections.abc import Iterator

import pika
import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from otppi.testing.brokers.messenger import Messenger
from otppi.testing.brokers.rabbitmq import PASSWORD, USER, RabbitMq
from otppi.testing.waiting import PATIENCE, until
from tests.browser.conftest import DESKTOP, PHONE, Device, Visit, Visitor
from tests.browser.test_module_home import tile, until_tile

expect.set_options(timeout=PATIENCE * 1000)

WRONG = "bukan password itu"
REFUSED = "Server menolak username atau password. Perbaiki di pengaturannya."


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMq]:
    with RabbitMq(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


def set_up(visitor: Visitor, section: str, port: int, **fields: str) -> None:
    """Set a broker on its page."""
    page = visitor.open(f"/settings/{section}")
    page.check("[name=enable]")
    visitor.fill(host="127.0.0.1", port=str(port), **fields).send()
    assert "Disimpan." in visitor.text


def enter(visitor: Visitor, section: str, password: str) -> None:
    """Correct the password."""
    visitor.open(f"/settings/{section}")
    visitor.fill(password=password).send()


def until_refused(visitor: Visitor, title: str) -> None:
    def told() -> bool:
        visitor.open("/")
        return f"{title}: {REFUSED}" in " ".join(visitor.text.split())

    until(told, lambda: visitor.text)


def command(number: int, receiver: str) -> str:
    data = {"id": number, "receiver": receiver, "message": "Kode Anda 7316"}
    return json.dumps({"command": "send-sms", "data": data})


def until_arrived(visitor: Visitor, shown: str, source: str) -> None:
    """Wait until the monitor shows that a message arrived."""
    visitor.open("/monitor")
    row = visitor.page.locator("tbody tr", has_text=shown).filter(has_text=source)
    expect(row.first).to_contain_text("sampai di penerima")


def test_feeder_1_wsmessagebroker(device: Device, visit: Visit) -> None:
    device.until_ready()
    visitor = visit(device, "id", PHONE)
    visitor.login()
    with Messenger(users={"otp": "kunci-broker"}, documented=True) as broker:
        set_up(visitor, "ingress-wsmessagebroker", broker.port, path="/ws", username="otp", password=WRONG, topic="sms")
        until_refused(visitor, "WSMessageBroker")
        visitor.look("feeder-refused")
        enter(visitor, "ingress-wsmessagebroker", "kunci-broker")
        until_tile(visitor, "WSMessageBroker", "tersambung", f"127.0.0.1:{broker.port}", "sejak")
        broker.wait_for_clients(1, "sms")
        token = {"Authorization": "Basic b3RwOmt1bmNpLWJyb2tlcg=="}  # otp:kunci-broker
        with connect(f"ws://127.0.0.1:{broker.port}/ws?channel=sms", additional_headers=token, compression=None) as app:
            app.send(command(1, "081234561111"))
            until_arrived(visitor, "62812******11", "ingress-wsmessagebroker")
        visitor.open("/services/stop?service=ingress-wsmessagebroker")
        visitor.page.get_by_role("button", name="Hentikan").click()
        visitor.page.wait_for_url(f"{device.address}/")
        assert "berhenti" in tile(visitor, "WSMessageBroker")
        until(lambda: not broker.clients, "its connection has ended")


def test_feeder_2_rabbitmq(device: Device, visit: Visit, rabbitmq: RabbitMq) -> None:
    device.until_ready()
    visitor = visit(device, "id", DESKTOP)
    visitor.login()
    set_up(visitor, "ingress-rabbitmq", rabbitmq.port, username=USER, password=WRONG, queue="sms")
    until_refused(visitor, "RabbitMQ")
    enter(visitor, "ingress-rabbitmq", PASSWORD)
    until_tile(visitor, "RabbitMQ", "tersambung", f"127.0.0.1:{rabbitmq.port}", "sejak")
    visitor.look("home-connected")
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", rabbitmq.port, heartbeat=0))
    try:
        channel = connection.channel()
        channel.basic_publish("", "sms", command(2, "081234562222").encode())
        until_arrived(visitor, "62812******22", "ingress-rabbitmq")
    finally:
        connection.close()
