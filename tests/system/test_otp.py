"""One-time passwords from an HTTP request to the phone and back, over kills; the examples of docs/otp.md."""

import json
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.waiting import PATIENCE
from tests.system.conftest import PASSWORD, USER, WENT_OUT, Gateway, modem

Start = Callable[..., Gateway]
DOCUMENT = Path(__file__).parents[2] / "docs/otp.md"
REQUEST = {"reference": "login-1", "receiver": "08126666666", "message": "Kode Anda %s."}
VERIFY = {"reference": "login-1", "receiver": "08126666666"}
PATHS = ("/api/otp", "/api/message", "/api/sms", "/api/email")


def code_of(rack: ModemRack) -> str:
    found = re.search(r"Kode Anda (\w+)\.", rack.network.messages[-1].text)
    assert found is not None
    return found[1]


def wrong_of(code: str) -> str:
    return str((int(code) + 1) % 1_000_000).zfill(6)


def test_the_examples_of_the_document(start: Start, modem_rack: ModemRack) -> None:
    gateway = start([modem(modem_rack.paths[0])]).until_ready()
    examples = re.findall(r"```sh\n(curl .*?)```\n\n```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert len(examples) == 2
    for command, answer in examples:
        script = command.replace("app:secret", f"'{USER}:{PASSWORD}'").replace(":8899/", f":{gateway.port}/")
        if "482913" in script:
            script = script.replace("482913", code_of(modem_rack))
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, timeout=PATIENCE, check=True)
        given, shown = json.loads(done.stdout), json.loads(answer)
        own = {"message_id", "date_time", "expiration"}
        assert given["data"].keys() == shown["data"].keys()
        for document in (given["data"], shown["data"]):
            for key in own & document.keys():
                del document[key]
        assert given == shown


def test_every_path_takes_both_commands_and_the_statuses_are_right(start: Start, modem_rack: ModemRack) -> None:
    rules = {"resend_interval": 0, "attempts": 2, "per_receiver_per_hour": len(PATHS) + 1, "wrong_per_hour": 0}
    gateway = start([modem(modem_rack.paths[0])], otp=rules, rest={"metrics_enable": True}).until_ready()

    def post(path: str, name: str, data: Any) -> tuple[int, str, dict[str, Any]]:
        status, answer = client.request("POST", path, json.dumps({"command": name, "data": data}).encode())
        return status, answer["response_code"], answer["data"]

    with gateway.client() as client:
        for path in PATHS:
            status, code, data = post(path, "request-otp", REQUEST)
            assert (status, code) == (200, "0000")
            assert data["state"] in WENT_OUT
            status, code, data = post(path, "verify-otp", {**VERIFY, "otp": wrong_of(code_of(modem_rack))})
            assert (status, code, data["attempts_left"]) == (200, "1202", 1)
            assert post(path, "verify-otp", {**VERIFY, "otp": code_of(modem_rack)})[:2] == (200, "0000")
        post("/api/otp", "request-otp", REQUEST)
        wrong = {**VERIFY, "otp": wrong_of(code_of(modem_rack))}
        assert [post("/api/otp", "verify-otp", wrong)[:2] for _ in range(2)] == [(200, "1202"), (429, "1208")]
        status, code, data = post("/api/otp", "request-otp", REQUEST)
        assert (status, code) == (429, "1208")
        assert 3500 < data["retry_after"] <= 3600
        status, code, data = post("/api/otp", "request-otp", {**REQUEST, "message": "Kode Anda"})
        assert (status, data["errors"][0]["field"]) == (400, "data.message")
        metrics = client_text(gateway, "/metrics")
        assert 'otppi_otp_total{result="requested"} 5' in metrics
        assert 'otppi_otp_total{result="limited"} 2' in metrics


def client_text(gateway: Gateway, path: str) -> str:
    url = f"http://127.0.0.1:{gateway.port}{path}"
    return subprocess.run(
        ["curl", "-s", "-u", f"{USER}:{PASSWORD}", url], capture_output=True, text=True, timeout=PATIENCE, check=True
    ).stdout


def test_429_says_when_to_come_again(start: Start, modem_rack: ModemRack) -> None:
    gateway = start([modem(modem_rack.paths[0])]).until_ready()
    body = json.dumps({"command": "request-otp", "data": REQUEST})
    url = f"http://127.0.0.1:{gateway.port}/api/otp"
    curl = ["curl", "-s", "-i", "-u", f"{USER}:{PASSWORD}", "-d", body, url]
    subprocess.run(curl, capture_output=True, timeout=PATIENCE, check=True)
    head = subprocess.run(curl, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    assert head.startswith("HTTP/1.1 429 ")
    found = re.search(r"^Retry-After: (\d+)", head, re.MULTILINE)
    assert found is not None
    assert 30 < int(found[1]) <= 60


def test_of_many_that_verify_at_once_one_is_right(start: Start, modem_rack: ModemRack) -> None:
    gateway = start([modem(modem_rack.paths[0])]).until_ready()
    with gateway.client() as client:
        client.command("request-otp", REQUEST)
    code = code_of(modem_rack)

    def one(_: int) -> str:
        with gateway.client() as client:
            return str(client.command("verify-otp", {**VERIFY, "otp": code})[1]["response_code"])

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(8))) == ["0000"] + 7 * ["1202"]


def test_a_kill_makes_no_code_void_and_gives_no_fresh_attempts(start: Start, modem_rack: ModemRack) -> None:
    gateway = start([modem(modem_rack.paths[0])], otp={"attempts": 3}).until_ready()
    with gateway.client() as client:
        first = client.command("request-otp", {**REQUEST, "id": "A"})[1]["data"]
        code = code_of(modem_rack)
        wrong = {**VERIFY, "otp": wrong_of(code)}
        assert client.command("verify-otp", wrong)[1]["data"]["attempts_left"] == 2
        gateway.kill()
    with gateway.start().until_ready().client() as client:
        assert client.command("request-otp", REQUEST)[0] == 429, "the resend interval goes on"
        again = client.command("request-otp", {**REQUEST, "id": "A"})[1]
        assert (again["response_code"], again["data"]["message_id"]) == ("1201", first["message_id"])
        assert client.command("verify-otp", wrong)[1]["data"]["attempts_left"] == 1
    gateway.kill()
    with gateway.start().until_ready().client() as client:
        assert client.command("verify-otp", {**VERIFY, "otp": code})[1]["response_code"] == "0000"
    gateway.kill()
    with gateway.start().until_ready().client() as client:
        assert client.command("verify-otp", {**VERIFY, "otp": code})[1]["response_code"] == "1202"
    assert modem_rack.network.message_count == 1


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_code_whose_message_still_waits_goes_out_after_a_restart_and_is_right(start: Start, end: str) -> None:
    with ModemRack(profile=ModemProfile(network_time=0.5)) as rack:
        gateway = start([modem(rack.paths[0])]).until_ready()
        with gateway.client() as client:
            for number in range(3):
                receiver = f"0812666666{number}"
                client.command("request-otp", {**REQUEST, "receiver": receiver, "reference": str(number)}, "?wait=0")
            getattr(gateway, end)()
        with gateway.start().until_ready().client() as client:
            rack.network.wait_for(3)
            codes = {message.destination[-1]: message.text[10:16] for message in rack.network.messages}
            for reference, code in codes.items():
                data = {"reference": reference, "otp": code}
                assert client.command("verify-otp", data)[1]["response_code"] == "0000", reference
        assert rack.network.message_count == 3


def test_no_code_and_no_hash_is_in_anything_that_is_written(start: Start) -> None:
    with ModemRack(profile=ModemProfile(network_time=0.05)) as rack:
        gateway = start(
            [modem(rack.paths[0])], otp={"alphabet": "letters", "code_length": 12}, rest={"metrics_enable": True}
        ).until_ready()
        shown = b""
        with gateway.client() as client:
            for number in range(4):
                item = {"reference": str(number), "receiver": f"0812666666{number}", "message": "Kode Anda %s."}
                client.command("request-otp", item)
            codes = [message.text[10:22] for message in rack.network.messages]
            for number, code in enumerate(codes[:3]):
                answer = client.command(
                    "verify-otp", {"reference": str(number), "otp": code, "param1": str(number % 2 or "")}
                )
                shown += json.dumps(answer).encode()
            shown += json.dumps(client.request("GET", "/api/health")).encode()
        gateway.kill()
        gateway.start().until_ready()
        shown += (metrics := client_text(gateway, "/metrics")).encode()
        shown += gateway.cli("status", "--json").stdout.encode()
        files = {
            path: path.read_bytes()
            for folder in (gateway.data, gateway.runtime, gateway.folder)
            for path in folder.rglob("*")
            if path.is_file()
        }
        gateway.stop()
    assert any(path.name == "otp" for path in files), "there is a file of codes"
    assert "otppi_otp_open 2" in metrics
    assert len(set(codes)) == 4
    for code in codes:
        assert re.fullmatch(r"[A-Z]{12}", code)
        for form in (code.encode(), code.encode("utf-16-be"), code.encode().hex().encode()):
            assert form not in shown
            for path, content in files.items():
                assert form not in content, path
    for path, content in files.items():
        assert path == gateway.provision or b"6281266666" not in content, path
