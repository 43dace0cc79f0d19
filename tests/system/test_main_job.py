"""The main job: an HTTP request in, an SMS out of a modem, an honest answer back."""

import json
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from otppi.simulator import ModemProfile, ModemRack, SimulatedNetwork
from otppi.testing.waiting import PATIENCE, until
from tests.system.conftest import WENT_OUT, Gateway, modem

Start = Callable[..., Gateway]


def test_a_message_is_sent_and_told_as_sent(start: Start, modem_rack: ModemRack) -> None:
    gateway = start([modem(modem_rack.paths[0], recipient_prefixes=["0812"])]).until_ready()
    with gateway.client() as client:
        status, answer = client.send(123456, "08126666666", "OTP Anda adalah 1234")
        assert (status, answer["response_code"]) == (200, "0000")
        assert answer["data"]["state"] in WENT_OUT
        assert answer["data"]["modem_id"] == "m0"
        assert answer["data"]["segments"] == 1
        (message,) = modem_rack.network.wait_for(1)
        assert (message.destination, message.text) == ("628126666666", "OTP Anda adalah 1234")
        assert client.message(answer["data"]["message_id"])["state"] in WENT_OUT
        status, again = client.send("123456", "+62 812-666-6666", "OTP Anda adalah 1234")
        assert (status, again["response_code"]) == (200, "1201")
        assert again["data"]["message_id"] == answer["data"]["message_id"]
    assert modem_rack.network.message_count == 1
    assert gateway.stop() == 0


def test_the_provisioning_file_of_the_issue_byte_for_byte(start: Start, modem_rack: ModemRack, tmp_path: Path) -> None:
    gateway = start([modem(modem_rack.paths[0])])
    gateway.stop()
    gateway.provision.write_text(
        """{"sms": {"country_code": "62"},
 "modems": [{"name": "m0", "type": "at", "port": "/dev/ttyUSB0", "baud_rate": 115200, "recipient_prefixes": ["62812"],
             "default_modem": true, "send_from_api": true, "active": true}],
 "ingress-rest": {"http_enable": true, "http_port": 8899, "https_enable": false},
 "api_users": [{"username": "app", "password": "secret", "active": true}]}
""".replace("/dev/ttyUSB0", str(modem_rack.paths[0]))
        .replace("8899", str(gateway.port))
        .replace('"secret"', '"a password for tests"')
    )
    with gateway.start().until_ready().client() as client:
        assert client.send(1, "08121111111", "text 1")[1]["data"]["state"] in WENT_OUT
    assert modem_rack.network.message_count == 1


def test_wait_0_answers_at_once_and_the_state_can_be_asked(start: Start) -> None:
    with ModemRack(profile=ModemProfile(network_time=0.5)) as rack:
        gateway = start([modem(rack.paths[0])]).until_ready()
        with gateway.client() as client:
            status, answer = client.send(1, "08126666666", "text", "?wait=0")
            assert (status, answer["data"]["state"]) == (202, "queued")
            message_id = answer["data"]["message_id"]
            assert client.message(message_id)["state"] in ("queued", "sending")
            until(lambda: client.message(message_id)["state"] in WENT_OUT)
            status, _ = client.request("GET", "/api/messages/0000000000000000")
            assert status == 404


def test_ten_thousand_messages_through_sixteen_modems_arrive_once_each_in_order(start: Start) -> None:
    count, receivers = 10_000, 500
    network = SimulatedNetwork(keep=count)
    with ModemRack(16, network=network) as rack:
        modems = [modem(path, f"m{number}") for number, path in enumerate(rack.paths)]
        gateway = start(modems, sms={"queue_size": 10_000, "default_lifetime": 3600}).until_ready()

        def one_server(part: int) -> list[str]:
            """Send this server's receivers' messages, each receiver's in order, a hundred a request."""
            ids = []
            with gateway.client() as client:
                mine = [number for number in range(count) if number % receivers % 4 == part]
                for first in range(0, len(mine), 100):
                    data = [
                        {"id": number, "receiver": f"0812{number % receivers:07}", "message": f"message {number}"}
                        for number in mine[first : first + 100]
                    ]
                    status, answer = client.command("send-sms", data, "?wait=0")
                    assert status in (200, 202), answer
                    ids += [item["message_id"] for item in answer["data"]]
            return ids

        with ThreadPoolExecutor(4) as servers:
            ids = [one for part in servers.map(one_server, range(4)) for one in part]
        assert len(set(ids)) == count
        until(lambda: network.message_count >= count, "all have arrived", 3 * PATIENCE)
        with gateway.client() as client:
            until(lambda: all(client.message(one)["state"] in WENT_OUT for one in ids[-100:]))
            states = {client.message(one)["state"] for one in ids}
        assert states <= WENT_OUT
    numbers: dict[str, list[int]] = defaultdict(list)
    for message in network.messages:
        numbers[message.destination].append(int(message.text.split()[1]))
    assert sorted(number for sent in numbers.values() for number in sent) == list(range(count))
    assert all(sent == sorted(sent) for sent in numbers.values()), "in order per receiver"
    assert len({message.modem for message in network.messages}) == 16


def test_long_and_foreign_texts_arrive_whole(start: Start, modem_rack: ModemRack) -> None:
    texts = [
        "é€[]{}" * 60,
        "मे" * 100,
        "🔐" * 70,
        "A" * 160,
        "A" * 161,
        "x" * 152 + "€" * 9,
        "Kode Anda: 123456\nJangan bagikan",
    ]
    gateway = start([modem(modem_rack.paths[0])]).until_ready()
    with gateway.client() as client:
        for number, text in enumerate(texts):
            assert client.send(number, "08126666666", text)[1]["data"]["state"] in WENT_OUT
    assert [message.text for message in modem_rack.network.wait_for(len(texts))] == texts


@pytest.mark.parametrize("code", [38, 500, 1])
def test_a_refusal_is_told_with_its_meaning(start: Start, modem_rack: ModemRack, code: int) -> None:
    gateway = start([modem(modem_rack.paths[0])], sms={"attempts": 2}).until_ready()
    modem_rack.modems[0].inject("cms-error", code=code)
    with gateway.client() as client:
        status, answer = client.send(1, "08126666666", "text")
    told = {38: (502, "1102", "failed"), 500: (504, "1207", "unconfirmed"), 1: (502, "1102", "failed")}[code]
    assert (status, answer["response_code"], answer["data"]["state"]) == told
    assert f"+CMS ERROR: {code}" in answer["data"]["cause"]
    assert modem_rack.network.message_count == 0


def test_without_a_modem_the_sender_is_told_at_once(start: Start, tmp_path: Path) -> None:
    gateway = start([modem(tmp_path / "no-such-port")], sms={"modem_grace": 0})
    with gateway.client() as client:
        status, answer = client.send(1, "08126666666", "text")
        assert (status, answer["response_code"]) == (503, "1101")
        assert client.request("GET", "/api/health")[1]["status"] == "down"


def test_the_blocking_list_holds_over_a_restart(start: Start, modem_rack: ModemRack) -> None:
    gateway = start([modem(modem_rack.paths[0])]).until_ready()
    with gateway.client() as client:
        assert client.command("block-msisdn", {"receiver": "08126666666"})[0] == 200
    gateway.stop()
    with gateway.start().until_ready().client() as client:
        status, answer = client.send(1, "+628126666666", "text")
        assert (status, answer["response_code"], answer["data"]["state"]) == (403, "1204", "blocked")
        assert client.message(answer["data"]["message_id"])["state"] == "blocked"
        assert client.command("unblock-msisdn", {"msisdn": "628126666666"})[0] == 200
        assert client.send(1, "+628126666666", "text")[0] == 200
    assert modem_rack.network.message_count == 1


def test_two_gateways_do_not_share_a_data_folder(start: Start, modem_rack: ModemRack) -> None:
    gateway = start([modem(modem_rack.paths[0])])
    second = gateway.cli("run")
    assert second.returncode != 0
    assert "another gateway" in second.stderr
    assert json.loads(gateway.cli("status", "--json").stdout)["version"]
