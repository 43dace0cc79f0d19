"""The rack as a process of its own, and its control commands."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from otppi.simulator import FAULTS, ModemProfile, ModemRack
from otppi.testing.rack.control import answer_line
from otppi.testing.waiting import PATIENCE
from otppi.wire.address import Address
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsSubmit, pdu_line

TEXT = "Kode 1234"
PDU, LENGTH = pdu_line(SmsSubmit(Address.parse("+6281200000001"), segment(TEXT)[0]))


@pytest.fixture
def rack() -> Iterator[ModemRack]:
    with ModemRack(2, profile=ModemProfile(echo=False)) as rack:
        yield rack


@contextmanager
def process(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    command = [sys.executable, "-m", "otppi.testing.rack", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            ready = json.loads(child.stdout.readline())
            assert ready["ready"] is True
            yield child, ready["paths"]
        finally:
            child.terminate()


def send(path: str) -> None:
    port = os.open(path, os.O_RDWR | os.O_NOCTTY)
    for data, end in ((b"ATE0\r", b"OK\r\n"), (b"AT+CMGS=%d\r" % LENGTH, b"> "), (PDU.encode() + b"\x1a", b"OK\r\n")):
        os.write(port, data)
        answer = b""
        while not answer.endswith(end):
            assert select.select([port], [], [], 30)[0]
            answer += os.read(port, 4096)
    os.close(port)


def ask(child: "subprocess.Popen[str]", **command: object) -> dict[str, Any]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(command) + "\n")
    child.stdin.flush()
    answer: dict[str, Any] = json.loads(child.stdout.readline())
    return answer


def test_a_process_of_its_own(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    arguments = ("--count", "2", "--dir", str(tmp_path / "ports"), "--log", str(log), "--network-time", "0.01")
    with process(*arguments) as (child, paths):
        assert paths == [str(tmp_path / "ports" / name) for name in ("modem0", "modem1")]
        send(paths[1])
        arrived = ask(child, do="arrived", since=0, wait=10.0)
        assert [(each["modem"], each["text"]) for each in arrived["arrived"]] == [("modem1", TEXT)]
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(PATIENCE) == 0
    assert list((tmp_path / "ports").iterdir()) == []
    record = json.loads(log.read_text())
    assert record["first_byte"] < record["ctrl_z"] < record["answered"]
    assert record["answered"] - record["ctrl_z"] >= 0.01
    assert TEXT not in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it(number: signal.Signals, tmp_path: Path) -> None:
    with process("--no-stdin", "--dir", str(tmp_path), "--fault", "noise") as (child, _):
        child.send_signal(number)
        assert child.wait(PATIENCE) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_control_socket(tmp_path: Path) -> None:
    path = tmp_path / "control"
    with process("--control", str(path)) as (_, paths), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        with client.makefile("rw") as stream:
            for command in ({"do": "unplug"}, {"do": "status"}, {"do": "replug"}, {"do": "status"}):
                stream.write(json.dumps(command) + "\n")
            stream.flush()
            answers = [json.loads(stream.readline()) for _ in range(4)]
    assert [each["modems"][0]["plugged"] for each in (answers[1], answers[3])] == [False, True]
    assert answers[1]["modems"][0]["path"] == paths[0]
    assert not path.exists()


def test_commands(rack: ModemRack) -> None:
    def obey(**command: object) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(answer_line(rack, json.dumps(command)))
        return answer

    assert obey(do="inject", fault="cms-error", modem="modem1", at=2, code=8) == {"ok": True}
    assert rack.modems[1].faults == ("cms-error",)
    assert obey(do="heal", modem=1, fault="noise") == {"ok": True}
    assert rack.modems[1].faults == ("cms-error",)
    assert obey(do="heal", modem=1) == {"ok": True}
    assert not rack.modems[1].faults
    assert obey(do="unplug", modem=1, seconds=60)["ok"]
    assert not obey(do="status")["modems"][1]["plugged"]
    assert obey(do="replug", modem=1)["ok"]
    assert obey(do="coverage", covered=False) == obey(do="coverage", covered=True) == {"ok": True}
    assert obey(do="deliver", originator="BANK", text="Halo", flash=True) == {"ok": True}
    long = {"originator": "BANK", "text": "x" * 400}
    assert obey(do="deliver_parts", **long, reference=7, wide=True, order=[3, 1], missing=[1]) == {"ok": True}
    assert obey(do="deliver_binary", originator="BANK", payload="00ff") == {"ok": True}
    stored = rack.modems[0]._peer.memory.messages
    assert len(stored) == 2
    assert obey(do="arrived") == {"ok": True, "parts": 0, "messages": 0, "arrived": []}
    assert {each["name"] for each in obey(do="faults")["faults"]} == set(FAULTS)


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[]",
        "{}",
        '{"do": "dance"}',
        '{"do": ["inject"]}',
        '{"do": "inject"}',
        '{"do": "inject", "fault": "rain"}',
        '{"do": "inject", "fault": "noise", "modem": 9}',
        '{"do": "inject", "fault": "noise", "at": "x"}',
        '{"do": "unplug", "seconds": "x"}',
        '{"do": "deliver", "originator": "BANK"}',
        '{"do": "deliver", "originator": "", "text": "x"}',
        '{"do": "deliver", "originator": 1, "text": 2}',
        '{"do": "arrived", "since": "x"}',
        '{"do": "deliver_parts", "originator": "1", "text": "x", "order": [2]}',
        '{"do": "deliver_parts", "originator": "1", "text": "x", "order": ["x"]}',
        '{"do": "deliver_parts", "originator": "1", "text": "x", "wide": 1}',
        '{"do": "deliver_binary", "originator": "1", "payload": "x"}',
    ],
)
def test_what_is_not_understood_is_told(rack: ModemRack, line: str) -> None:
    answer = json.loads(answer_line(rack, line))
    assert answer["ok"] is False
    assert answer["error"]
    assert answer_line(rack, '{"do": "status"}').startswith('{"ok": true')
