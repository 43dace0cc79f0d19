"""What a crash, a restart and a power cut do to messages on their way: nothing lost in silence, nothing sent twice."""

import json
import random
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.waiting import PATIENCE, until
from tests.system.conftest import WENT_OUT, Gateway, modem
from tests.system.test_secrecy import forms

Start = Callable[..., Gateway]
COUNT, RECEIVERS = 200, 20
SECRET = "K0DE-RAHASIA-551207"


def queue(gateway: Gateway, first: int, last: int) -> list[str]:
    """Hand messages over in turn to the receivers, fifty a request, and give their ids."""
    ids = []
    with gateway.client() as client:
        for begin in range(first, last, 50):
            data = [
                {
                    "id": number,
                    "receiver": f"0812{number % RECEIVERS:07}",
                    "message": f"{SECRET} {number}",
                    "priority": "otp",
                }
                for number in range(begin, min(begin + 50, last))
            ]
            status, answer = client.command("send-sms", data, "?wait=0")
            assert status in (200, 202), answer
            ids += [item["message_id"] for item in answer["data"]]
    return ids


def files_with(text: str, *folders: Path) -> list[Path]:
    """Return the files that hold a text in any form."""
    files = {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}
    assert files
    return [path for path, content in files.items() for form in forms(text) if form in content]


def report(gateway: Gateway) -> list[dict[str, Any]]:
    files = sorted((gateway.data / "report").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def assert_each_once_in_order(rack: ModemRack, count: int, unknown: int = 0) -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    for message in rack.network.messages:
        numbers[message.destination].append(int(message.text.split()[1]))
    arrived = sorted(number for sent in numbers.values() for number in sent)
    assert len(arrived) == len(set(arrived)), "nothing twice"
    assert count - unknown <= len(arrived) <= count
    assert all(sent == sorted(sent) for sent in numbers.values()), "in order per receiver"


def settled(gateway: Gateway, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Wait until every message is final, and give what is told of each."""
    with gateway.client() as client:
        for one in ids:
            until(lambda one=one: client.message(one)["state"] not in ("queued", "sending"))  # type: ignore[misc]
        return {one: client.message(one) for one in ids}


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_two_hundred_messages_survive_two_ends_in_a_row(start: Start, how: str) -> None:
    rng = random.Random(how)
    with ModemRack(profile=ModemProfile(network_time=0.02)) as rack:
        gateway = start([modem(rack.paths[0])]).until_ready()
        ids = queue(gateway, 0, COUNT)
        for _ in range(2):
            rack.network.wait_for(min(rack.network.message_count + rng.randint(10, 30), COUNT))
            assert not files_with(SECRET, gateway.data, gateway.runtime)
            getattr(gateway, how)()
            assert not files_with(SECRET, gateway.data, gateway.runtime)
            held = next(gateway.runtime.glob("*/spool")).read_bytes().strip(b"\0")
            # On a busy machine all of them may have gone before the end.
            assert held or rack.network.message_count == COUNT, "the spool holds what is left"
            gateway.start()
        told = settled(gateway, ids)
        states = [data["state"] for data in told.values()]
        unknown = states.count("unconfirmed")
        assert set(states) <= WENT_OUT | {"unconfirmed"}
        assert unknown <= (2 if how == "kill" else 0), "what was between Ctrl-Z and its answer"
        assert_each_once_in_order(rack, COUNT, unknown)
        assert not files_with(SECRET, gateway.data, gateway.runtime)
        spool = next(gateway.runtime.glob("*/spool"))
        # Its state is told a moment before the last one's place is wiped.
        until(lambda: not spool.read_bytes().strip(b"\0"), "nothing is left of them, not even sealed")
        with gateway.client() as client:
            assert client.request("GET", "/api/health")[1]["warnings"] == []
        assert gateway.stop() == 0
        reported = [line["m"] for line in report(gateway) if "r" in line]
        assert sorted(reported) == sorted(ids), "each has its line, once"
        assert not files_with(SECRET, gateway.data, gateway.runtime)
        assert SECRET.encode() not in gateway.log.read_bytes()


def test_what_is_restored_goes_before_what_is_new_and_expires_in_time(start: Start) -> None:
    with ModemRack(profile=ModemProfile(network_time=0.2)) as rack:
        gateway = start([modem(rack.paths[0])]).until_ready()
        ids = queue(gateway, 0, 10)
        with gateway.client() as client:
            soon = client.send("soon", "08129999999", "too late", "?wait=0", expiration=int(time.time()) + 3)
        soon_id = soon[1]["data"]["message_id"]
        gateway.kill()
        expired = time.monotonic() + 3
        until(lambda: time.monotonic() > expired, what="the message has expired")
        gateway.start()
        with gateway.client() as client:
            assert client.message(soon_id)["state"] == "expired"
            assert client.send("new", "08120000000", f"{SECRET} 10", "?wait=30")[1]["data"]["state"] in WENT_OUT
        settled(gateway, ids)
        assert rack.network.messages[-1].text == f"{SECRET} 10"
        assert "too late" not in [message.text for message in rack.network.messages]


def test_a_duplicate_of_what_was_restored_is_recognised_and_waits_for_it(start: Start) -> None:
    with ModemRack(profile=ModemProfile(network_time=0.3)) as rack:
        gateway = start([modem(rack.paths[0])]).until_ready()
        ids = queue(gateway, 0, 5)
        gateway.kill()
        with gateway.start().client() as client:
            status, answer = client.send(4, "08120000004", f"{SECRET} 4", "?wait=30")
            assert (status, answer["response_code"], answer["data"]["message_id"]) == (200, "1201", ids[4])
            assert answer["data"]["state"] in WENT_OUT
        settled(gateway, ids)
        assert_each_once_in_order(rack, 5, 1)


def test_a_modem_that_is_gone_after_the_restart_is_told(start: Start) -> None:
    with ModemRack(profile=ModemProfile(network_time=1.0)) as rack:
        gateway = start([modem(rack.paths[0])], sms={"modem_grace": 1}).until_ready()
        ids = queue(gateway, 0, 4)
        rack.network.wait_for(1)
        gateway.kill()
        rack.modems[0].unplug()
        gateway.start()
        told = settled(gateway, ids)
        assert {data["state"] for data in told.values()} <= {"sent", "delivered", "unconfirmed", "failed"}
        assert told[ids[-1]]["state"] == "failed"
        assert told[ids[-1]]["cause"].startswith("no modem is connected that may send this")


def power_cut(gateway: Gateway) -> None:
    """What is in RAM is gone, and the process with it."""
    gateway.kill()
    for folder in gateway.runtime.iterdir():
        shutil.rmtree(folder)


def test_what_the_power_took_is_told_as_lost(start: Start) -> None:
    events: list[dict[str, Any]] = []
    with ModemRack(profile=ModemProfile(network_time=1.5)) as rack, webhook(events) as url:
        gateway = start([modem(rack.paths[0])], webhook={"url": url, "states": True}).until_ready()
        with gateway.client() as client:
            sent = client.send("sent", "08120000007", f"{SECRET} first", "?wait=10")[1]["data"]
            assert sent["state"] in WENT_OUT
        ids = queue(gateway, 0, 20)
        notes = gateway.data / "open"
        until(lambda: notes.exists() and notes.stat().st_size > 100, what="they are noted")
        until_noted = time.monotonic() + 1.0  # what was taken in the last seconds before a power cut is not known
        until(lambda: time.monotonic() > until_noted)
        assert not files_with(SECRET, gateway.data, gateway.runtime)
        assert notes.stat().st_mode & 0o077 == 0
        assert b"8120000001" not in notes.read_bytes()
        power_cut(gateway)
        events.clear()
        gateway.start()
        with gateway.client() as client:
            told = {one: client.request("GET", f"/api/messages/{one}") for one in ids}
            lost = [one for one in ids if told[one][0] != 404]
            assert len(lost) >= 10
            assert not {line["m"] for line in report(gateway) if line["s"] != "lost"} & set(lost)
            for one in lost:
                data = told[one][1]["data"]
                assert data["state"] == "lost"
                assert data["cause"].startswith("the power failed before its end was written down")
            ended = rack.network.messages[: len(ids) - len(lost) + 1]
            assert {message.text for message in ended[1:]} == {
                f"{SECRET} {number}" for number, one in enumerate(ids) if one not in lost
            }, "the others had ended, and are in the report"
            status, answer = client.request("GET", f"/api/messages/{lost[0]}")
            assert (status, answer["response_code"]) == (200, "1207")
            assert answer["data"]["id"] == str(ids.index(lost[0]))
            # Whoever sends it again gets it sent: nothing is known of its text any more.
            assert client.send(19, "08120000019", f"{SECRET} 19", "?wait=10")[1]["response_code"] == "0000"
        until(lambda: {one["data"]["message_id"] for one in events if one["data"]["state"] == "lost"} == set(lost))
        until(lambda: f"message {lost[0]} to 62812" in gateway.log.read_text(), what="the log tells of it")

        power_cut(gateway)  # a second one tells it no second time
        events.clear()
        gateway.start()
        with gateway.client() as client:
            assert client.request("GET", f"/api/messages/{lost[0]}")[0] == 404
        gateway.stop()
        assert notes.stat().st_size == 0
        assert not [one for one in events if one["data"]["message_id"] in lost]
        lines = report(gateway)
        assert sorted(line["m"] for line in lines if line["s"] == "lost") == sorted(lost)
        assert not files_with(SECRET, gateway.data, gateway.runtime)


def test_what_waited_when_it_was_stopped_and_switched_off_was_not_sent(start: Start) -> None:
    with ModemRack(profile=ModemProfile(network_time=1.0)) as rack:
        gateway = start([modem(rack.paths[0])]).until_ready()
        ids = queue(gateway, 0, 5)
        rack.network.wait_for(1)
        assert gateway.stop() == 0
        arrived = {message.text for message in rack.network.messages}
        for folder in gateway.runtime.iterdir():
            shutil.rmtree(folder)
        gateway.start()
        with gateway.client() as client:
            for number, one in enumerate(ids):
                if f"{SECRET} {number}" in arrived:
                    assert client.request("GET", f"/api/messages/{one}")[0] == 404, "it had ended: the report has it"
                else:
                    told = client.message(one)
                    assert told["state"] == "lost"
                    assert "switched off before it was sent" in told["cause"]


def test_a_spool_that_is_not_in_ram_is_none(start: Start, tmp_path: Path) -> None:
    with ModemRack() as rack:
        gateway = start([modem(rack.paths[0])]).until_ready()
        gateway.stop()
        shutil.rmtree(gateway.runtime)
        gateway.runtime = tmp_path / "run"
        gateway.runtime.mkdir()
        if not on_a_disk(gateway.runtime):
            pytest.skip("the folder for tests is on a RAM disk here")
        gateway.start().until_ready()
        with gateway.client() as client:
            assert client.send(1, "08121111111", SECRET)[1]["data"]["state"] in WENT_OUT
            warnings = client.request("GET", "/api/health")[1]["warnings"]
        assert any("is not on a RAM disk" in warning for warning in warnings)
        assert not list(gateway.runtime.glob("*/spool*"))


def on_a_disk(folder: Path) -> bool:
    from otppi.host.durable.spool import on_ram_disk

    return not on_ram_disk(folder)


class webhook:  # noqa: N801 - used as a function
    """A server that writes down what is posted to it."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        from http.server import BaseHTTPRequestHandler, HTTPServer

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(PATIENCE)
        self._server.server_close()
