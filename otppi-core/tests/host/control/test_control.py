"""The control socket and the operations behind it: whatever comes in is answered, and nothing half done."""

import errno
import json
import socket
import socketserver
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.events import InboundPart
from otppi.api.ingress import Sender
from otppi.host.control import server as control
from otppi.host.control.client import ControlClient
from otppi.host.control.server import ControlServer
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import COMMAND_LINE, NotRunning
from otppi.host.runtime.supervisor import Supervised
from otppi.host.settings.changes import SettingsChanges
from otppi.testing.bench import ORIGIN
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import parse


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control"


@pytest.fixture
def client(host: Host, path: Path) -> Iterator[ControlClient]:
    server = ControlServer(path, registry_of(host.data, host))
    serving = Supervised("control", server.run, server.stop)
    serving.start()
    yield ControlClient(path)
    serving.stop()
    assert serving.join(PATIENCE)
    server.close()
    assert not path.exists()


def raw(path: Path, request: bytes) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(path))
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answers:
            answer: dict[str, Any] = json.loads(answers.readline())
    return answer


def test_a_connection_that_cannot_be_accepted_waits_and_costs_nothing(
    client: ControlClient, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, tries = socketserver.UnixStreamServer.get_request, 0

    def full(server: socketserver.UnixStreamServer) -> Any:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise OSError(errno.EMFILE, "too many open files")
        return accept(server)

    monkeypatch.setattr(control, "_REST", 0.05)
    monkeypatch.setattr(socketserver.UnixStreamServer, "get_request", full)
    started = time.monotonic()
    assert "error" in raw(path, b"{}\n")
    assert time.monotonic() - started >= 0.1
    assert tries == 3


BAD = [
    b"\n",
    b"nonsense\n",
    b"{",
    b"[]\n",
    b"7\n",
    b"null\n",
    b"{}\n",
    b'{"operation": "status"}\n',
    b'{"operation": 5, "arguments": {}}\n',
    b'{"operation": null, "arguments": {}}\n',
    b'{"operation": ["send"], "arguments": {}}\n',
    b'{"operation": "nowhere", "arguments": {}}\n',
    b'{"operation": "_running", "arguments": {}}\n',
    b'{"operation": "__init__", "arguments": {}}\n',
    b'{"operation": "call", "arguments": {"name": "status", "arguments": {}}}\n',
    b'{"operation": "status", "arguments": []}\n',
    b'{"operation": "status", "arguments": null}\n',
    b'{"operation": "status", "arguments": {"more": 1}}\n',
    b'{"operation": "send", "arguments": {"receiver": 81234567890, "message": "a"}}\n',
    b'{"operation": "send", "arguments": {"receiver": "081234567890", "message": 5}}\n',
    b'{"operation": "send", "arguments": {"receiver": "081234567890", "message": "a", "wait": "x"}}\n',
    b'{"operation": "send", "arguments": {"receiver": "081234567890", "message": "a", "modem": ["m0"]}}\n',
    b'{"operation": "settings_set", "arguments": {"path": 5, "value": "x"}}\n',
    b'{"operation": "settings_set", "arguments": {"path": "sms.attempts", "value": 5}}\n',
    b'{"operation": "settings_import", "arguments": {"document": [1]}}\n',
    b'{"operation": "user_add", "arguments": {"username": ["a"], "password": "x"}}\n',
    b'{"operation": "user_add", "arguments": {"username": "a", "password": 5}}\n',
    b'{"operation": "user_remove", "arguments": {"username": {}}}\n',
    b'{"operation": "block_add", "arguments": {"receiver": []}}\n',
    b'{"operation": "phone", "arguments": {"after": "x"}}\n',
    b"\xff\xfe\n",
    b"[" * 100_000 + b"\n",
    b'{"operation": "status", "arguments": {"' + b"x" * (5 * 1024 * 1024) + b'": 1}}\n',
]


@pytest.mark.parametrize("request_", BAD, ids=lambda request: request[:60].decode("latin-1"))
def test_bad_requests_are_answered_and_change_nothing(
    client: ControlClient, host: Host, path: Path, request_: bytes, doubles: Any
) -> None:
    before = host.data.config.export(secrets=True)
    try:
        answer = raw(path, request_)
    except (BrokenPipeError, ConnectionResetError):
        assert len(request_) > 4 * 1024 * 1024  # it hangs up on what is too long
        answer = {"error": ""}
    assert answer.keys() <= {"error", "problems"}
    assert host.data.config.export(secrets=True) == before
    assert all(not modem.attempts for modem in doubles.modems)
    assert client.call("status", {})["status"] in ("ok", "down")


def test_whoever_says_nothing_holds_up_nobody(client: ControlClient, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent, socket.socket(socket.AF_UNIX) as slow:
        silent.connect(str(path))
        slow.connect(str(path))
        slow.sendall(b'{"operation"')
        assert client.call("plugins", {}) == []
    assert client.reachable()


def test_only_the_owner_may_ask(client: ControlClient, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_stop_before_the_start_and_twice(host: Host, path: Path) -> None:
    server = ControlServer(path, registry_of(host.data, host))
    serving = Supervised("control", server.run, server.stop)
    serving.stop()
    serving.start()
    assert serving.join(PATIENCE)
    serving.stop()
    server.stop()
    server.close()


def test_a_socket_that_was_left_over_is_replaced(client: ControlClient, host: Host, tmp_path: Path) -> None:
    left = tmp_path / "left"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(left))
    assert not ControlClient(left).reachable()
    server = ControlServer(left, registry_of(host.data, host))
    serving = Supervised("control", server.run, server.stop)
    serving.start()
    assert ControlClient(left).call("plugins", {}) == []
    serving.stop()
    assert serving.join(PATIENCE)
    server.close()


def test_many_ask_at_once(client: ControlClient, host: Host) -> None:
    errors: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                client.call("user_add", {"username": f"user{number}-{turn}", "token": True})
                client.call("block_add", {"receiver": f"0812{number:04}{turn:04}"})
                client.call("status", {})
                client.call("user_remove", {"username": f"user{number}-{turn}"}) if turn % 2 else None
        except Exception as error:  # noqa: BLE001 - shown below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert errors == []
    assert len(client.call("users", {})) == 18
    assert len(client.call("blocked", {})) == 30
    stored = json.loads((host.data.path / "settings.json").read_text())
    assert len(stored["api_users"]) == 18
    assert len((host.data.path / "blocking-list").read_text().splitlines()) == 30


def test_nobody_who_reads_or_sends_waits_for_a_change_that_hangs(
    client: ControlClient, host: Host, doubles: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    until(lambda: doubles.modems and doubles.modems[0].is_open)
    hanging, go_on, begun = threading.Event(), threading.Event(), list[object]()
    update = SettingsChanges.update

    def slow(self: SettingsChanges, document: object, revision: int | None = None) -> list[str]:
        begun.append(document)
        hanging.set()
        assert go_on.wait(PATIENCE)
        return update(self, document, revision)

    monkeypatch.setattr(SettingsChanges, "update", slow)
    changes = [
        threading.Thread(target=client.call, args=("settings_set", {"path": "sms.attempts", "value": value}))
        for value in ("4", "5")
    ]
    try:
        for thread in changes:
            thread.start()
        assert hanging.wait(PATIENCE)
        assert client.call("status", {})["status"] == "ok"
        assert client.call("settings_show", {})["sms"]["attempts"] not in (4, 5)
        assert client.call("send", {"receiver": "081234567890", "message": "a text"})["state"] == "sent"
        assert len(begun) == 1, "the other change waits"
    finally:
        go_on.set()
        for thread in changes:
            thread.join(PATIENCE)
    assert len(begun) == 2
    assert host.data.config.one("sms")["attempts"] in (4, 5)


def test_errors_come_back_as_they_are(client: ControlClient) -> None:
    with pytest.raises(InvalidSettings) as caught:
        client.call("settings_import", {"document": {"sms": {"attempts": 0}, "nowhere": {}}})
    assert [problem.field for problem in caught.value.problems] == ["sms.attempts", "nowhere"]
    with pytest.raises(OtpPiError, match="no operation 'nowhere'"):
        client.call("nowhere", {})


def test_a_manual_sms(client: ControlClient, host: Host, doubles: Any) -> None:
    until(lambda: doubles.modems and doubles.modems[0].is_open)
    answer = client.call("send", {"receiver": "081234567890", "message": "a text", "modem": "scripted"})
    assert (answer["response_code"], answer["state"], answer["modem_id"]) == ("0000", "sent", "scripted")
    with pytest.raises(InvalidSettings) as caught:
        client.call("send", {"receiver": "1", "message": "", "modem": "gone"})
    assert {problem.field for problem in caught.value.problems} == {"receiver", "message", "modem"}
    client.call("block_add", {"receiver": "081234567890"})
    answer = client.call("send", {"receiver": "+62 812-3456-7890", "message": "a text"})
    assert (answer["response_code"], answer["state"]) == ("1204", "blocked")
    assert host.dispatch.records.get(answer["message_id"]), "a refusal can be asked for as any other"
    assert host.dispatch.counts.ended["blocked", "command-line"] == 1
    assert len(doubles.modems[0].attempts) == 1


def test_an_operator_s_service_number_is_for_people_and_not_for_the_api(
    client: ControlClient, host: Host, doubles: Any
) -> None:
    until(lambda: doubles.modems and doubles.modems[0].is_open)
    for number in ("4444", "*888#"):
        answer = client.call("send", {"receiver": number, "message": "REG", "modem": "scripted"})
        assert (answer["response_code"], answer["state"]) == ("0000", "sent")
        assert doubles.modems[0].outbox[-1].destination == number
        body = json.dumps({"command": "send-sms", "data": {"id": 1, "receiver": number, "message": "REG"}}).encode()
        refused: Any = host.gateway.submit(parse(body), ORIGIN).answer()
        assert (refused.code.value, refused.data["errors"][0]["field"]) == ("1206", "data.receiver")
    for number in ("44", "0812", "1234567", "BANK"):
        with pytest.raises(InvalidSettings):
            client.call("send", {"receiver": number, "message": "REG"})


def test_what_came_from_a_service_number_is_replied_to_and_what_came_damaged_is_not(
    client: ControlClient, host: Host, doubles: Any
) -> None:
    until(lambda: doubles.modems and doubles.modems[0].is_open)
    events = doubles.contexts["scripted"].events
    events.received(InboundPart("4444", "Reply YES", 1_700_000_000.0))
    events.received(InboundPart("+6281234567890", "cut o", 1_700_000_000.0, damaged=True))
    service, damaged = client.call("inbox_list", {})
    answer = client.call("inbox_reply", {"message_id": service["message_id"], "message": "YES"})
    assert answer["state"] == "sent"
    assert (doubles.modems[0].outbox[-1].destination, doubles.modems[0].outbox[-1].text) == ("4444", "YES")
    with pytest.raises(InvalidSettings, match="damaged"):
        client.call("inbox_reply", {"message_id": damaged["message_id"], "message": "YES"})
    assert damaged["text"] == "cut o[it came damaged: its end may be missing]"


def test_settings_one_at_a_time(client: ControlClient, host: Host) -> None:
    client.call(
        "settings_import", {"document": {"modems": [{"name": "m.0", "type": "scripted", "sim_card_pin": "1234"}]}}
    )
    assert client.call("settings_set", {"path": "sms.attempts", "value": "5"}) == ["sms"]
    assert client.call("settings_set", {"path": "modems.m.0.recipient_prefix", "value": "0812, 0813"}) == ["modems"]
    assert client.call("settings_set", {"path": "modems.m.0.speed", "value": "2.5"}) == ["modems"]
    (modem,) = host.data.config.many("modems")
    assert (modem["recipient_prefixes"], modem["speed"], modem["sim_card_pin"]) == (["62812", "62813"], 2.5, "1234")
    assert host.data.config.one("sms")["attempts"] == 5
    for path, value in (
        ("sms.attempts", "0"),
        ("sms.attempts", "many"),
        ("sms.nothing", "1"),
        ("sms", "1"),
        ("nowhere.attempts", "1"),
        ("modems.m1.port", "x"),
        ("modems.m.0.colour", "x"),
        ("modems.m.0.type", "nothing"),
        ("", ""),
    ):
        with pytest.raises(InvalidSettings):
            client.call("settings_set", {"path": path, "value": value})
    shown = client.call("settings_show", {})
    assert shown["modems"][0]["sim_card_pin"] == "********"
    assert "sim_card_pin" not in client.call("settings_export", {})["modems"][0]


def test_users(client: ControlClient, host: Host) -> None:
    token = client.call("user_add", {"username": "app", "password": "secret", "token": True})["token"]
    login = host.gateway.authenticate("app", "secret", "192.0.2.1")
    assert isinstance(login, Future)
    assert login.result(PATIENCE) == host.gateway.authenticate("app", "secret", "192.0.2.1") == Sender("app")
    assert isinstance(client.call("status", {})["logins"]["failed"]["wrong"], int)
    assert host.gateway.authenticate_token(token, "192.0.2.1").name == "app"
    (shown,) = client.call("users", {})
    assert (shown["username"], shown["password"], shown["tokens"]) == ("app", True, 1)
    assert token not in json.dumps(client.call("settings_export", {"secrets": True}))
    for wrong in ({"username": "app", "password": "x"}, {"username": "other"}, {"username": "a b", "password": "x"}):
        with pytest.raises(InvalidSettings):
            client.call("user_add", wrong)
    assert client.call("user_remove", {"username": "app"})
    assert not client.call("user_remove", {"username": "app"})


def test_without_a_gateway(data: DataFolder) -> None:
    operations = registry_of(data)
    assert operations.call("users", {}, COMMAND_LINE) == []
    assert operations.call("settings_set", {"path": "sms.attempts", "value": "5"}, COMMAND_LINE) == ["sms"]
    for name in ("status", "modems", "phone"):
        with pytest.raises(NotRunning):
            operations.call(name, {}, COMMAND_LINE)
