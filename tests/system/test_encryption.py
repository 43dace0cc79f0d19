"""Encrypted envelopes against a gateway that runs: the documented examples in four languages, keys, and secrecy."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.waiting import PATIENCE, until
from tests.system.conftest import AUTHORIZATION, PASSWORD, USER, WENT_OUT, Gateway
from tests.system.test_secrecy import forms, written

Start = Callable[..., Gateway]
ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs/examples/encryption"
DOCUMENT = (ROOT / "docs/encryption.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
LANGUAGES = {
    "python": (sys.executable, "encrypt.py", "keys.json"),
    "node": ("node", "encrypt.mjs", "keys.json"),
    "php": ("php", "encrypt.php", "keys.json"),
    "shell": ("bash", "encrypt.sh", "key.pem"),
}
SECRET = "K0DE-RAHASIA-604417"
MODEM = {"name": "m0", "type": "simulated", "network_time": 0.0, "default_modem": True}
KEYS = "encryption-keys.json"


def private_keys(gateway: Gateway) -> list[str]:
    return [entry["d"] for entry in json.loads((gateway.data / KEYS).read_bytes())["keys"]]


class Application:
    """An application server with a gateway's key: it encrypts as the examples do."""

    def __init__(self, gateway: Gateway, folder: Path) -> None:
        self.gateway = gateway
        self.folder = folder
        self.fetch()

    def fetch(self) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.gateway.port}/api/keys", timeout=PATIENCE) as answer:
            assert answer.headers["Content-Type"] == "application/jwk-set+json"
            (self.folder / "keys.json").write_bytes(answer.read())
        (self.folder / "key.pem").write_text(self.gateway.cli("keys", "--pem").stdout)

    def encrypt(self, envelope: object, language: str = "python") -> bytes:
        program, script, key = LANGUAGES[language]
        made = subprocess.run(
            [program, EXAMPLES / script, self.folder / key],
            input=json.dumps(envelope, ensure_ascii=False).encode(),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (made.returncode, made.stderr) == (0, b"")
        return made.stdout

    def post(self, body: bytes) -> tuple[int, dict[str, Any]]:
        with self.gateway.client() as client:
            return client.request("POST", "/api/message", body)

    def rotate(self) -> tuple[int, dict[str, Any]]:
        with self.gateway.client() as client:
            return client.request("POST", "/api/keys/rotate")


def sms(number: int, text: str) -> dict[str, Any]:
    return {"command": "send-sms", "data": {"id": number, "receiver": f"0812000{number:04}", "message": text}}


@pytest.fixture
def application(start: Start, tmp_path: Path) -> Application:
    return Application(start([MODEM]).until_ready(), tmp_path)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """One whose keys and settings the tests leave as they are."""
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), [MODEM])
    try:
        yield Application(gateway.start().until_ready(), tmp_path_factory.mktemp("application"))
    finally:
        gateway.close()


def on_the_phone(gateway: Gateway) -> list[str]:
    return [one["text"] for one in json.loads(gateway.cli("phone", "--json").stdout)]


def test_what_every_language_encrypts_is_sent(unchanged: Application) -> None:
    texts = {language: f"{SECRET} {language} é→日本" for language in LANGUAGES}
    for number, (language, text) in enumerate(texts.items()):
        status, answer = unchanged.post(unchanged.encrypt(sms(number, text), language))
        assert (status, answer["command"]) == (200, "send-sms"), language
        assert answer["data"]["state"] in WENT_OUT, language
        assert answer["data"]["id"] == f"{number}"
    assert set(on_the_phone(unchanged.gateway)) >= set(texts.values())


def test_the_blocks_of_the_document_do_what_they_say(application: Application, start: Start, tmp_path: Path) -> None:
    gateway = application.gateway
    work = tmp_path / "work"
    work.mkdir()
    for one in EXAMPLES.iterdir():
        (work / one.name).write_bytes(one.read_bytes())
    (work / "key.pem").write_text(gateway.cli("keys", "--pem").stdout)
    other = start([MODEM])
    (work / "other-keys.json").write_text(other.cli("keys", "--json").stdout)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, words in (("python3", '"$@"'), ("otppi", f"-m otppi \"$@\" --data '{gateway.data}'")):
        (programs / name).write_text(f"#!/bin/sh\nexec {sys.executable} {words}\n")
        (programs / name).chmod(0o755)
    posts = 0
    for number, block in enumerate(BLOCKS):
        script = block.replace("http://192.168.0.11:8899", f"http://127.0.0.1:{gateway.port}")
        script = script.replace("app:secret", f"'{USER}:{PASSWORD}'")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=work,
            env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "RUNTIME_DIRECTORY": str(gateway.runtime)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, (number, done.stderr)
        if "envelope.jwe" in block:
            posts += 1
            # The same id, receiver and text: one is sent, and the others are told so.
            code = json.loads(done.stdout)["response_code"]
            assert code == ("0000" if posts == 1 else "1201"), (number, done.stdout)
    assert posts == len(LANGUAGES) + 1
    assert on_the_phone(gateway) == ["OTP Anda adalah 1234"]
    with gateway.client() as client:  # the last block required encryption
        status, answer = client.send(1, "08120000000", "plain")
        assert (status, answer["data"]["errors"][0]["field"]) == (400, "body")
        assert "must be encrypted" in answer["data"]["errors"][0]["reason"]
    assert application.post(application.encrypt(sms(2, "sealed")))[1]["data"]["state"] in WENT_OUT


def test_echo_and_errors_of_encrypted_envelopes(unchanged: Application) -> None:
    status, answer = unchanged.post(unchanged.encrypt({"command": "echo", "data": {"x": SECRET}}))
    assert (status, answer["data"]) == (200, {"echo": {"encrypted": True}})
    status, answer = unchanged.post(unchanged.encrypt({"command": "send-sms", "data": {"message": SECRET}}))
    assert (status, [one["field"] for one in answer["data"]["errors"]]) == (400, ["data.receiver"])
    status, answer = unchanged.post(unchanged.encrypt(sms(1, SECRET)).replace(b".", b"x"))
    assert (status, [one["field"] for one in answer["data"]["errors"]]) == (400, ["body"])


def test_keys_are_replaced_by_an_api_user_who_may(application: Application) -> None:
    gateway = application.gateway
    old = application.encrypt(sms(1, "old key"))
    status, answer = application.rotate()
    assert (status, answer["response_code"]) == (403, "1100")
    assert gateway.cli("settings", "set", f"api_users.{USER}.manage_keys", "true").returncode == 0
    status, answer = application.rotate()
    assert (status, answer["command"]) == (200, "rotate-keys")
    application.fetch()
    assert json.loads((application.folder / "keys.json").read_text()) == answer["data"]
    new = application.encrypt(sms(2, "new key"))
    assert [application.post(body)[0] for body in (old, new)] == [200, 200]
    gateway.kill()
    gateway.start().until_ready()
    again = application.encrypt(sms(3, "after the restart"))
    assert application.post(again)[0] == 200
    assert gateway.cli("settings", "set", "encryption.keep_days", "0").returncode == 0
    status, answer = application.post(old)
    assert (status, answer["response_code"]) == (400, "1206")
    assert "no longer has" in answer["data"]["errors"][0]["reason"]
    assert application.post(new)[1]["response_code"] in ("0000", "1201")


def test_a_damaged_file_of_keys_stops_encrypted_envelopes_only(application: Application) -> None:
    gateway = application.gateway
    sealed = application.encrypt(sms(1, SECRET))
    good = (gateway.data / KEYS).read_bytes()
    gateway.stop()
    (gateway.data / KEYS).write_bytes(good[:-9])
    gateway.start().until_ready()
    with gateway.client() as client:
        assert client.send(2, "08120000002", "plain")[1]["data"]["state"] in WENT_OUT
        status, answer = client.request("GET", "/api/keys")
        assert (status, answer["response_code"]) == (500, "1102")
        assert any(
            "encrypted envelopes are refused" in one for one in client.request("GET", "/api/health")[1]["warnings"]
        )
    status, answer = application.post(sealed)
    assert (status, answer["response_code"]) == (400, "1206")
    assert (gateway.data / KEYS).read_bytes() == good[:-9]
    (gateway.data / KEYS).write_bytes(good)
    assert application.post(sealed)[1]["data"]["state"] in WENT_OUT, "no restart is needed"


def test_neither_text_nor_private_key_is_written_or_shown(application: Application) -> None:
    gateway = application.gateway
    gateway.cli("settings", "set", f"api_users.{USER}.manage_keys", "true")
    shown: list[str] = []
    for number, language in enumerate(LANGUAGES):
        body = application.encrypt(sms(number, f"{SECRET} {number}"), language)
        shown += [repr(application.post(body)), repr(application.post(body[:-3] + b"AA\n"))]
        shown.append(repr(application.post(b'"' + body.strip() + b'"')))
    shown.append(repr(application.post(application.encrypt({"command": SECRET, "data": {"message": SECRET}}))))
    shown.append(repr(application.post(application.encrypt({"command": "echo", "data": SECRET}))))
    shown.append(repr(application.rotate()))
    application.fetch()
    gateway.kill()
    gateway.start().until_ready()
    shown.append(repr(application.post(application.encrypt(sms(9, SECRET)))))
    for words in (
        *(["keys"], ["keys", "rotate"], ["keys", "--pem"], ["status"], ["settings", "show"]),
        *(["settings", "export"], ["settings", "export", "--secrets"]),
    ):
        output = gateway.cli(*words, "--json")
        shown.append(output.stdout + output.stderr)
    gateway.stop()
    private = private_keys(gateway)
    assert len(set(private)) == 3
    hidden = [*forms(SECRET), *(one.encode() for one in private)]
    files = written(gateway.data, gateway.runtime, gateway.folder)
    assert b"DEBUG" in files[gateway.log]
    assert b"an encrypted envelope cannot be opened: InvalidJWEData" in files[gateway.log]
    for path, content in files.items():
        for form in hidden[: len(forms(SECRET))] if path.name == KEYS else hidden:
            assert form not in content, f"{path} holds what nobody may read"
    for text in shown:
        assert not any(form in text.encode() for form in hidden), text
    assert (gateway.data / KEYS).stat().st_mode & 0o077 == 0


def test_no_thread_is_held_up_by_a_flood_of_hostile_ones(unchanged: Application) -> None:
    """The key is public, so anybody who may send can make the gateway compute; plain messages go on meanwhile."""
    body = unchanged.encrypt(sms(1, SECRET))
    hostile = [
        body[:-3] + b"AA\n",
        b"ey" + b"." * 60_000,
        b'{"ciphertext":' + b"[" * 60_000,
        body.replace(b"ey", b"eyey", 1),
    ]
    with unchanged.gateway.client() as client:
        for number in range(50):
            assert client.request("POST", "/api/message", hostile[number % 4])[0] == 400
        assert client.send(2, "08120000002", "plain")[1]["data"]["state"] in WENT_OUT
    until(lambda: "plain" in on_the_phone(unchanged.gateway))
    log = unchanged.gateway.whole_log()
    assert "an encrypted envelope cannot be opened" in log
    assert AUTHORIZATION not in log
