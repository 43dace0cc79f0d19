"""WSMessageBroker from end to end: an application server, the broker, a gateway as a process, and a modem."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from otppi.host.control.client import ControlClient
from otppi.simulator import ModemRack
from otppi.testing.brokers.messenger import Messenger, MessengerProcess
from otppi.testing.waiting import PATIENCE, until
from tests.system.conftest import WENT_OUT, Gateway, modem

README = Path(__file__).parents[2] / "plugins/otppi-ingress-wsmessagebroker/README.md"
Start = Callable[..., Gateway]
Join = Callable[[int, str], ClientConnection]
SECRET = "K0DE-RAHASIA-771905"
PASSWORD = "broker-RAHASIA-3307"


def section(port: int, **more: Any) -> dict[str, Any]:
    values = {"enable": True, "host": "127.0.0.1", "port": port, "path": "/ws", "username": "otp", "password": PASSWORD}
    return {"ingress-wsmessagebroker": {**values, "reconnect_delay": 0.1, **more}}


@pytest.fixture
def join() -> Iterator[Join]:
    """Return a function that connects an application server to a channel."""
    with ExitStack() as stack:

        def one(port: int, channel: str) -> ClientConnection:
            url = f"ws://127.0.0.1:{port}/?channel={channel}"
            token = base64.b64encode(f"otp:{PASSWORD}".encode()).decode()
            header = {"Authorization": f"Basic {token}"}
            return stack.enter_context(connect(url, additional_headers=header, compression=None, close_timeout=1))

        yield one


def state(gateway: Gateway) -> dict[str, Any]:
    ingresses = ControlClient(gateway.data / "control").call("status", {})["ingresses"]
    return next(dict(one) for one in ingresses if one["name"] == "ingress-wsmessagebroker")


def command(number: int, text: str, **more: Any) -> str:
    data = {"id": number, "receiver": "08126666666", "message": text}
    return json.dumps({"command": "send-sms", "data": data, **more})


def answers(client: ClientConnection) -> Iterator[dict[str, Any]]:
    while True:
        document = json.loads(client.recv(timeout=PATIENCE))
        if "response_code" in document:
            yield document


@pytest.mark.parametrize("documented", [True, False])
def test_a_code_is_sent_and_its_states_are_told(
    start: Start, join: Join, modem_rack: ModemRack, documented: bool
) -> None:
    with Messenger(users={"otp": PASSWORD}, documented=documented) as broker:
        gateway = start([modem(modem_rack.paths[0])], **section(broker.port)).until_ready()
        broker.wait_for_clients(1, "sms")
        told, sender = answers(join(broker.port, "told")), join(broker.port, "sms")
        sender.send(command(1, f"{SECRET} 1", callback_topic="told"))
        states = [next(told)["data"]["state"] for _ in range(2)]
        assert states == ["sent", "delivered"]
        sender.send(command(1, f"{SECRET} 1", callback_topic="told"))
        assert next(told)["response_code"] == "1201"
        sender.send(json.dumps({"command": "send-sms", "callback_topic": "told", "data": {"message": SECRET}}))
        assert next(told)["data"]["errors"] == [{"field": "data.receiver", "reason": "is missing"}]
        for name in ("get-modem-list", "echo"):
            sender.send(json.dumps({"command": name, "callback_topic": "told"}))
            assert (answer := next(told))["command"] == name, answer
        assert [message.text for message in modem_rack.network.messages] == [f"{SECRET} 1"]
        gateway.stop()
    log = gateway.log.read_bytes()
    assert b"ingress-wsmessagebroker: connected to" in log
    for secret in (SECRET, PASSWORD, "b3RwOmJyb2tlci"):  # the last is how the credentials begin in Base64
        assert secret.encode() not in log
        for path in gateway.runtime.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_two_gateways_on_one_server_do_not_talk_to_each_other_for_ever(
    start: Start, join: Join, tmp_path: Path
) -> None:
    with ModemRack(2) as rack, Messenger() as broker:
        gateways = [
            start([modem(path)], **section(broker.port, inbox_topic="inbox")).until_ready() for path in rack.paths
        ]
        broker.wait_for_clients(2, "sms")
        sender = join(broker.port, "sms")
        for number in range(5):
            sender.send(command(number, f"Kode {number}", callback_topic="sms"))
        rack.modems[0].deliver("+6281200000001", SECRET)
        # Each gateway gets each command, since the server knows no competing consumers: five commands, two messages for
        # each, two states of each message, and what came in.
        everything = 5 + 2 * 2 * 5 + 1
        broker.wait_for_messages(everything)
        for gateway in gateways:
            until(lambda one=gateway: sum(state(one)[key] for key in ("echoes", "answers")) >= 20)  # type: ignore[misc]
            assert (state(gateway)["taken"], state(gateway)["malformed"]) == (5, 0)
        assert len(broker.relayed) == everything
        assert len(rack.network.messages) == 10


def test_a_server_that_dies_and_comes_back(start: Start, join: Join, modem_rack: ModemRack, tmp_path: Path) -> None:
    with MessengerProcess(tmp_path / "messenger", "--user", f"otp:{PASSWORD}") as broker:
        gateway = start([modem(modem_rack.paths[0])], **section(broker.port)).until_ready()
        until(lambda: state(gateway).get("connected"))
        broker.kill()
        until(lambda: not state(gateway).get("connected"))
        with gateway.client() as client:  # the other ingresses are not held up
            assert client.send(1, "08126666661", "Kode 1")[1]["data"]["state"] in WENT_OUT
        broker.start()
        until(lambda: state(gateway).get("connected"))
        told = answers(join(broker.port, "told"))
        join(broker.port, "sms").send(command(2, "Kode 2", callback_topic="told"))
        assert next(told)["data"]["state"] == "sent"


def test_a_code_that_was_taken_survives_a_crash_of_the_gateway(start: Start, join: Join, tmp_path: Path) -> None:
    """The server keeps nothing, so the gateway's spool does."""
    with ModemRack() as rack, Messenger() as broker:
        rack.modems[0].inject("silence")
        gateway = start([modem(rack.paths[0])], **section(broker.port))
        broker.wait_for_clients(1, "sms")
        told = answers(join(broker.port, "told"))
        join(broker.port, "sms").send(command(1, "Kode 1", callback_topic="told"))
        until(lambda: ControlClient(gateway.data / "control").call("status", {})["queued"] == 1)
        gateway.kill()
        rack.modems[0].heal("silence")
        gateway.start().until_ready()
        assert [message.text for message in rack.network.wait_for(1)] == ["Kode 1"]
        assert next(told)["data"]["state"] in ("sent", "delivered")


@pytest.mark.parametrize("options", [(), ("--documented",)])
def test_the_readme_s_example_works(
    start: Start, modem_rack: ModemRack, tmp_path: Path, options: tuple[str, ...]
) -> None:
    readme = README.read_text()
    (settings,) = re.findall(r"```json\n(.*?)```", readme, re.DOTALL)
    (program,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert "--user otp:secret" in readme
    with MessengerProcess(tmp_path / "messenger", "--user", "otp:secret", *options) as broker:
        values = json.loads(settings.replace("8890", str(broker.port)))
        gateway = start([modem(modem_rack.paths[0])], **values).until_ready()
        until(lambda: state(gateway).get("connected"))
        done = subprocess.run(
            [sys.executable, "-c", program.replace("8890", str(broker.port))],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("0000 sent\n", "")
        assert f"prints `{done.stdout.strip()}`" in readme
    assert [message.text for message in modem_rack.network.messages] == ["OTP Anda adalah 1234"]
