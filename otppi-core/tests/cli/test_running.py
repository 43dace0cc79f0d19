"""Commands with a gateway that runs."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE

Cli = Callable[..., Any]
MODEMS = ["good", "mute", "slow", "gone"]


@pytest.fixture(autouse=True)
def _on_its_folder(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTPPI_DATA", str(gateway.data))
    # The gateway's environment is not ours: it is found all the same.
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/nowhere")


def on_the_phone(otppi: Cli, receiver: str) -> list[str]:
    return [one["text"] for one in otppi("phone", "--json").json if one["to"] == receiver]


def test_status(otppi: Cli) -> None:
    status = otppi("status", "--json").json
    assert (status["status"], status["problems"]) == ("degraded", [])
    assert [one["modem_id"] for one in status["modems"]] == MODEMS
    (ingress,) = status["ingresses"]
    assert (ingress["name"], ingress["state"], ingress["last_error"]) == ("ingress-rest", "running", None)
    text = otppi("status").out
    # Not "degraded", or "down": what answers here runs; some of its modems do not.
    assert text.startswith("gateway runs, 3 of 4 modems can send, version ")
    assert "ingress-rest  running  listening yes" in text
    (good,) = [line for line in text.splitlines() if line.startswith("good ")]
    assert len(good) <= 80


def test_send_and_phone(otppi: Cli) -> None:
    result = otppi("send", "081230000001", "Hello\nto you \u2764", "--json")
    assert result.code == 0
    assert result.json.pop("message_id")
    assert result.json | {"message_id": ""} == {
        "response_code": "0000",
        "id": None,
        "message_id": "",
        "state": "sent",
        "modem_id": "good",
        "modemID": "good",
        "segments": 1,
    }
    assert on_the_phone(otppi, "6281230000001") == ["Hello\nto you \u2764"]
    assert "good → 6281230000001: Hello\n    to you \u2764\n" in otppi("phone").out


def test_send_a_flash_sms(otppi: Cli) -> None:
    assert otppi("send", "081230000008", "look", "--flash").code == 0
    (shown,) = [one for one in otppi("phone", "--json").json if one["to"] == "6281230000008"]
    assert (shown["text"], shown["flash"]) == ("look", True)
    assert "6281230000008 (flash): look\n" in otppi("phone").out
    assert not any(one["flash"] for one in otppi("phone", "--json").json if one != shown)


def test_send_from_stdin(otppi: Cli) -> None:
    result = otppi("send", "081230000002", "-", "--modem", "good", stdin="one\ntwo\n\n")
    assert result.code == 0
    assert result.out.startswith("sent by good (message ")
    assert on_the_phone(otppi, "6281230000002") == ["one\ntwo\n"]


def test_the_phone_shows_no_raw_control_characters(otppi: Cli) -> None:
    assert otppi("send", "081230000003", "\x1b[2Jgone").code == 0
    assert r"6281230000003: \x1b[2Jgone" in otppi("phone").out


def test_all_that_is_wrong_with_a_message_at_once(otppi: Cli) -> None:
    result = otppi("send", "12", "", "--modem", "nobody")
    assert (result.code, result.out) == (2, "")
    assert [line.split(": ")[1] for line in result.err.splitlines()] == ["receiver", "message", "modem"]
    assert otppi("send", "081230000004", "x" * 5000).err.startswith("otppi: message: is longer than ")
    assert otppi("send", "081230000004", "half \ud83d").err == "otppi: message: is not valid UTF-8\n"


def test_send_without_waiting(otppi: Cli) -> None:
    result = otppi("send", "081230000005", "later", "--modem", "slow", "--wait", "0", "--json")
    assert result.code == 0
    assert result.json["state"] in ("queued", "sending")
    assert "is on its way" not in result.err


def test_refused_now(otppi: Cli) -> None:
    result = otppi("send", "081230000006", "hello", "--modem", "gone", "--json")
    assert (result.code, result.json["response_code"], result.json["state"]) == (4, "1101", "failed")
    assert result.err == "otppi: failed: no modem is connected that may send this (1101)\n"


def test_unconfirmed(otppi: Cli) -> None:
    result = otppi("send", "081230000007", "hello", "--modem", "mute")
    assert (result.code, result.out) == (5, "")
    assert result.err.startswith("otppi: unconfirmed by mute (message ")
    assert result.err.endswith(" (1207)\n")


def test_a_blocked_receiver(otppi: Cli) -> None:
    assert otppi("block", "add", "081230000008").code == 0
    result = otppi("send", "081230000008", "hello", "--json")
    assert (result.code, result.json["response_code"], result.json["state"]) == (1, "1204", "blocked")
    assert otppi("block", "list", "--json").json[0]["receiver"] == "6281230000008"
    assert otppi("block", "remove", "081230000008").code == 0
    assert otppi("send", "081230000008", "hello").code == 0


def test_modem_list(otppi: Cli) -> None:
    modems = {one["modem_id"]: one for one in otppi("modem", "list", "--json").json}
    assert list(modems) == MODEMS
    assert modems["good"]["state"] == "ready"
    assert modems["good"]["imei"]
    assert modems["good"]["smsc"]
    assert "there is no /dev/nowhere" in modems["gone"]["detail"]
    assert otppi("modem", "list").out.startswith("MODEM")
    assert modems["good"]["imei"] in otppi("modem", "list").out


def test_usage(otppi: Cli) -> None:
    assert otppi("send", "081230000012", "hello", "--modem", "good").code == 0
    usage = {one["modem_id"]: one for one in otppi("usage", "--json").json}
    assert list(usage) == MODEMS
    assert usage["good"]["today"]["segments"] == usage["good"]["this_month"]["segments"] > 0
    title, *lines = otppi("usage").out.splitlines()
    titles = " ".join(title.split())
    assert titles == "MODEM TODAY MONTH ON THE WAY RECEIVERS PRICE SPENT TODAY THIS MONTH NOTE"
    assert lines[0].split()[:2] == ["good", str(usage["good"]["today"]["segments"])]


def test_modem_test(otppi: Cli) -> None:
    assert otppi("modem", "test", "good", "--json").json["modem"]["state"] == "ready"
    told = otppi("modem", "test", "good").out
    assert "state         ready\n" in told
    assert re.search(r"^since +\d{4}-\d\d-\d\d ", told, re.MULTILINE)
    assert "usage" not in told
    sent = otppi("modem", "test", "good", "--to", "081230000009", "--json")
    assert (sent.code, sent.json["state"], sent.json["modem"]["modem_id"]) == (0, "sent", "good")
    assert on_the_phone(otppi, "6281230000009") == ["OTP-Pi: this is a test message."]
    told = otppi("modem", "test", "good", "--to", "081230000019")
    assert told.code == 0
    assert re.search(r"^state +ready$(.|\n)*^sent by good \(message ", told.out, re.MULTILINE)
    gone = otppi("modem", "test", "gone", "--to", "081230000009")
    assert gone.code == 1
    assert "there is no /dev/nowhere" in gone.err
    unknown = otppi("modem", "test", "nobody")
    assert unknown.code == 2
    assert unknown.err == "otppi: modem: there is no active modem 'nobody'; there are good, mute, slow, gone\n"


def test_settings_are_used_at_once(otppi: Cli) -> None:
    assert otppi("settings", "set", "sms.country_code", "63").code == 0
    assert otppi("block", "add", "08123456789", "--json").json["receiver"] == "638123456789"
    assert otppi("settings", "set", "sms.country_code", "62", "--json").json == {"changed": ["sms"]}
    assert otppi("settings", "set", "sms.country_code", "no").err.startswith(
        "otppi: sms.country_code: is not a country code, such as 62"
    )
    assert otppi("block", "remove", "+638123456789").code == 0
    (pin, *_) = [one["sim_card_pin"] for one in otppi("settings", "show", "--json").json["modems"]]
    assert pin == "********"
    assert "1234" not in otppi("settings", "show").out + otppi("settings", "export").out


def test_a_new_user_may_send(otppi: Cli) -> None:
    # A changed country code, as the test before leaves it, opens the modems anew.
    until(lambda: any(one["state"] == "ready" for one in otppi("modem", "list", "--json").json))
    token = otppi("user", "add", "shop", "--token", "--json").json["token"]
    (ingress,) = otppi("status", "--json").json["ingresses"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{ingress['http_port']}/api/message",
        data=json.dumps({"command": "send-sms", "data": {"receiver": "081230000010", "message": "by REST"}}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        assert json.load(answer)["response_code"] == "0000"
    assert on_the_phone(otppi, "6281230000010") == ["by REST"]
    assert otppi("user", "remove", "shop").code == 0


def test_doctor(otppi: Cli, gateway: Any) -> None:
    result = otppi("doctor", "--json")
    assert result.code == 1
    assert result.json["healthy"] is False
    checks = {one["check"]: one for one in result.json["checks"]}
    problems = {name for name, one in checks.items() if one["level"] == "problem"}
    assert problems == {"port of gone", "modem gone"}, "a modem that is not active is no problem"
    assert checks["gateway"]["text"] == f"it is running (process {gateway.process.pid})"
    assert checks["ingress-rest"]["text"].endswith("answers (200 at /api/health)")
    assert all(one["advice"] for one in result.json["checks"] if one["level"] != "ok")
    lines = otppi("doctor").out.splitlines()
    assert len(lines) == len(result.json["checks"])
    assert "problem  port of gone: there is no /dev/nowhere → plug the modem in" in "\n".join(lines)


def test_following_the_phone_as_a_script_does(otppi: Cli, gateway: Any) -> None:
    command = [sys.executable, "-m", "otppi", "phone", "--follow", "--json", "--data", str(gateway.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as following:
        assert following.stdout
        for number in range(3):
            assert otppi("send", "081230000011", f"message {number}").code == 0
        texts = []
        for line in following.stdout:
            message = json.loads(line)
            if message["to"] == "6281230000011":
                texts.append(message["text"])
            if len(texts) == 3:
                break
        following.send_signal(signal.SIGINT)
        rest, errors = following.communicate(timeout=PATIENCE)
    assert texts == ["message 0", "message 1", "message 2"]
    assert (following.returncode, rest, errors) == (130, "", "")


def test_a_second_gateway_is_refused(gateway: Any) -> None:
    command = [sys.executable, "-m", "otppi", "run", "--data", str(gateway.data)]
    environment = os.environ | {"RUNTIME_DIRECTORY": "/dev/shm"}  # noqa: S108
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment)
    assert (done.returncode, done.stderr) == (4, f"otppi: another gateway uses the data folder {gateway.data}\n")


def test_no_text_is_in_the_log_or_the_data_folder(otppi: Cli, gateway: Any) -> None:
    secret = f"unheard-of-{time.time_ns()}"
    assert otppi("send", "081230000012", secret).code == 0
    gateway.wait_for(r"message \w+ to 62812\*+12 from .*: sent")
    otppi("modem", "test", "nobody")  # its line comes after those of the message
    gateway.wait_for("modem_test 'nobody'")
    assert not any(secret in line for line in gateway.log)
    folders = (gateway.data, gateway.data.parent / "run")
    written = b"".join(path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file())
    assert b"6281230000012" not in written
    assert secret.encode() not in written
    assert Path(gateway.data).stat().st_mode & 0o077 == 0
