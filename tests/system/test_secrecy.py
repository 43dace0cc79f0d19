"""No text of any message is anywhere in what is written: data folder, RAM disk folder, debug log, report."""

import base64
import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.ports import free_port
from otppi.testing.waiting import until
from tests.system.conftest import PASSWORD, WENT_OUT, Gateway, modem

Start = Callable[..., Gateway]
SECRET = "K0DE-RAHASIA-982451"


def forms(text: str) -> list[bytes]:
    """The text as it might leak: plain, UTF-16, Base64, GSM-7 packed in hex."""
    from otppi.wire.gsm7 import encode, pack

    packed = pack(encode(text))
    plain = [text.encode(), text.encode("utf-16-be"), text.encode("utf-16-le"), packed, text.encode().hex().encode()]
    return [*plain, packed.hex().encode(), packed.hex().upper().encode(), base64.b64encode(text.encode())[:-4]]


def written(*folders: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def test_no_text_is_ever_written(start: Start) -> None:
    with ModemRack(2, profile=ModemProfile(network_time=0.05)) as rack:
        gateway = start(
            [
                modem(rack.paths[0], "good", result_timeout=1.0),
                modem(rack.paths[1], "bad", recipient_prefixes=["62899"]),
            ]
        ).until_ready()
        rack.modems[1].inject("cms-error", code=1)
        rack.modems[0].inject("result-lost-sent", at=3)
        rack.modems[0].inject("urc-in-reply")
        rack.modems[0].deliver("+628110000001", SECRET)
        rack.modems[0].deliver("+628110000001", SECRET * 20, flash=True)
        until(lambda: len(json.loads(gateway.cli("inbox", "list", "--json").stdout)) == 2)
        with gateway.client() as client:
            for number in range(6):
                client.send(number, f"0812000000{number}", f"{SECRET} {number}")
            client.send("bad", "08990000000", SECRET)
            client.send("expired", "08120000000", SECRET, expiration=1)
            client.send("long", "08120000000", SECRET * 100)
            client.request("POST", "/api/message", b'{"command": "send-sms", "data": {"message": "' + SECRET.encode())
            client.request("POST", f"/api/message?{SECRET}", SECRET.encode())
            client.command(SECRET, {"message": SECRET})
            client.command("request-otp", {"reference": "r", "receiver": "08120000000", "message": f"{SECRET} %s"})
            client.command("verify-otp", {"reference": "r", "otp": SECRET})
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port)
        connection.request("POST", "/api/message", SECRET, {"Authorization": f"Basic {SECRET}"})
        connection.getresponse().read()
        connection.close()
        with gateway.client() as client:
            client.send("killed", "08120000009", SECRET, "?wait=0")
            until(lambda: b'["dispatched"' in next(gateway.runtime.glob("*/journal")).read_bytes())
        gateway.kill()
        gateway.start().until_ready()
        for words in (["status"], ["modem", "list"], ["settings", "export", "--secrets"], ["doctor"]):
            output = gateway.cli(*words, "--json")
            assert not any(form in (output.stdout + output.stderr).encode() for form in forms(SECRET)), words
        gateway.stop()

    files = written(gateway.data, gateway.runtime, gateway.folder)
    del files[gateway.provision]
    assert any(path.suffix == ".jsonl" for path in files)
    assert b"DEBUG" in files[gateway.log]
    for path, content in files.items():
        for form in forms(SECRET):
            assert form not in content, f"{path} holds the text"
        assert PASSWORD.encode() not in content, f"{path} holds a password"


def test_the_report_masks_receivers(start: Start, modem_rack: ModemRack) -> None:
    gateway = start([modem(modem_rack.paths[0])]).until_ready()
    with gateway.client() as client:
        client.send(7, "08126666666", "text")
    gateway.stop()
    (report,) = (gateway.data / "report").glob("*.jsonl")
    (line,) = [json.loads(line) for line in report.read_text().splitlines()]
    assert (line["i"], line["r"], line["s"], line["by"]) == ("7", "62812*****66", "sent", "m0")
    for path, content in written(gateway.data, gateway.runtime).items():
        assert b"8126666666" not in content, path
    assert b"8126666666" not in gateway.log.read_bytes()


PIN, NEW_PIN = "73915264", "84026375"
GIVEN = {PIN, NEW_PIN, "APN-RAHASIA-5512", "HOOK-RAHASIA-8831", "INIT-RAHASIA-2207"}
"""Secrets that a person gives the gateway; but for the new PIN they are in the settings, and nowhere else."""


def test_no_pin_and_no_password_is_in_anything_but_the_settings(start: Start) -> None:
    pin, new_pin, *_ = PIN, NEW_PIN
    with ModemRack(profile=ModemProfile(pin=PIN, network_time=0.05)) as rack:
        values: dict[str, Any] = {
            "sim_card_pin": PIN,
            "apn": "internet",
            "apn_password": "APN-RAHASIA-5512",
            "init_commands": ['AT+CGAUTH=1,1,"INIT-RAHASIA-2207","user"'],
        }
        webhook = {"url": f"http://127.0.0.1:{free_port()}/hook", "secret": "HOOK-RAHASIA-8831", "states": True}
        gateway = start([modem(rack.paths[0], **values)], webhook=webhook).until_ready()
        rack.modems[0].deliver("+628110000001", SECRET)
        rack.modems[0].inject("noise")
        with gateway.client() as client:
            assert client.send(1, "08120000001", SECRET)[1]["data"]["state"] in WENT_OUT
        for stdin in (f"11112222\n{new_pin}\n", f"{pin}\n{new_pin}\n"):
            gateway.cli("sim", "change-pin", "m0", stdin=stdin)
        assert until(lambda: b"the webhook failed" in gateway.log.read_bytes())
        until(lambda: json.loads(gateway.cli("inbox", "list", "--json").stdout))
        gateway.kill()
        gateway.start()
        shown = [gateway.cli(*words).stdout for words in (["status"], ["modem", "list"], ["settings", "export"])]
        gateway.stop()
    kept = {gateway.provision, gateway.data / "settings.json", gateway.data / "settings.json.bak"}
    files = written(gateway.data, gateway.runtime, gateway.folder)
    assert any(PIN.encode() in files.get(path, b"") for path in kept - {gateway.provision})
    for path in set(files) - kept:
        for secret in GIVEN:
            assert secret.encode() not in files[path], f"{path} holds {secret}"
        for form in forms(SECRET):
            assert form not in files[path], f"{path} holds the text"
    for path in kept & set(files) - {gateway.provision}:
        assert path.stat().st_mode & 0o077 == 0, path
        assert NEW_PIN.encode() not in files[path]
    for secret in GIVEN - {"INIT-RAHASIA-2207"}:  # a person sees the commands, whatever is in them
        assert not any(secret in text for text in shown), secret
