"""The message report: what it shows, what it costs, and what a full card does to it."""

import errno
import json
import os
import stat
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otppi.api.message import State
from otppi.host.durable import report as report_module
from otppi.host.durable.report import Report
from otppi.host.records.record import Record, Status
from otppi.testing.bench import ORIGIN
from otppi.wire.envelope import ResponseCode
from otppi.wire.msisdn import mask


def record(client_id: str | None = "4711") -> Record:
    one = Record.of(ORIGIN, client_id, "6281234567890", "a secret text", time.time() + 60)
    one.amend(receiver_shown=mask("6281234567890"))
    one.become(Status(State.SENT, egress="m0", segments=2, finished=one.created + 1.25))
    return one


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]


def test_a_line_says_what_became_of_a_message_and_no_more(tmp_path: Path) -> None:
    report = Report(tmp_path / "report", 12)
    one, failed = record(), record(None)
    failed.become(Status(State.FAILED, ResponseCode.NO_MODEM, segments=2, finished=failed.finished))
    report.append(one)
    report.append(failed)
    assert not (tmp_path / "report").exists()
    report.flush()
    shown, other = lines(tmp_path / "report")
    assert shown == {
        "t": round(one.created + 1.25),
        "m": one.message_id,
        "i": "4711",
        "r": "62812******90",
        "s": "sent",
        "by": "m0",
        "n": 2,
        "from": "test/app",
        "d": 1.25,
    }
    assert other.keys() == {"t", "m", "r", "s", "from", "d", "c"}
    assert other["c"] == "1101"
    files = list((tmp_path / "report").iterdir())
    assert len(files) == 2, "the lines and their sums"
    for file in files:
        assert "secret" not in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "report").stat().st_mode) == 0o700


def test_a_message_costs_less_than_two_hundred_bytes(tmp_path: Path) -> None:
    report = Report(tmp_path, 12)
    for _ in range(100):
        report.append(record("3f0c9a52-4a8e-4a52-9df4-0a1b2c3d4e5f"))
    report.flush()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 200 * 100, "with its sums"


def test_it_is_written_in_batches(tmp_path: Path) -> None:
    report = Report(tmp_path, 12)
    report.flush()
    assert not list(tmp_path.iterdir())
    for _ in range(499):
        report.append(record())
    assert not report.full
    report.append(record())
    assert report.full
    report.flush()
    assert not report.full
    assert len(lines(tmp_path)) == 500


def test_old_months_are_dropped_and_strangers_are_left_alone(tmp_path: Path) -> None:
    for month in ("2020-01", "2020-02", "2020-03"):
        (tmp_path / f"{month}.jsonl").touch()
        (tmp_path / f"{month}.sums").touch()
    (tmp_path / "notes.txt").touch()
    report = Report(tmp_path, 2)
    report.append(record())
    report.flush()
    left = [f"{month}.{kind}" for month in ("2020-03", time.strftime("%Y-%m")) for kind in ("jsonl", "sums")]
    assert sorted(file.name for file in tmp_path.iterdir()) == [*left, "notes.txt"]


def test_a_full_card_keeps_the_lines_and_takes_none_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = os.write

    def write_a_little(descriptor: int, data: bytes) -> int:
        if os.fstat(descriptor).st_size > 300:
            raise OSError(errno.ENOSPC, "no space left")
        return write(descriptor, data[:200])

    report = Report(tmp_path, 12)
    report.append(record("before"))
    report.flush()
    for number in range(600):
        report.append(record(str(number)))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write_a_little)
        report.flush()
        assert "600 lines wait" in caplog.text
        assert not report.full  # it is not tried at each message
        report.append(record("later"))
        report.flush()
    assert [line["i"] for line in lines(tmp_path)] == ["before"]
    report.flush()
    assert [line["i"] for line in lines(tmp_path)] == ["before", *map(str, range(600)), "later"]


def test_a_card_that_stays_full_costs_no_more_than_so_much_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_module, "_KEPT", 50)
    report = Report(tmp_path, 12)
    (tmp_path / time.strftime("%Y-%m.jsonl")).mkdir()
    for number in range(100):
        report.append(record(str(number)))
        if number % 10 == 0:
            report.flush()
    report.flush()
    (tmp_path / time.strftime("%Y-%m.jsonl")).rmdir()
    report.flush()
    assert [line["i"] for line in lines(tmp_path)] == [str(number) for number in range(50, 100)]


def test_what_a_kill_took_of_it_is_found(tmp_path: Path) -> None:
    report = Report(tmp_path / "report", 12)
    written, lost = [record(str(number)) for number in range(50)], record("lost")
    for one in written:
        report.append(one)
    report.flush()
    assert report.missing([*written, lost]) == [lost]
    assert report.missing([]) == []


def test_only_the_newest_part_is_read_for_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_module, "_MARGIN", 600)
    report = Report(tmp_path / "report", 12)
    old, lost = record("old"), record("lost")
    old.become(replace(old.status, finished=time.time() - 1000))
    report.append(old)
    for number in range(50):
        report.append(record(str(number)))
    report.flush()
    lost.become(replace(lost.status, finished=time.time() + 5))
    assert report.missing([old, lost]) == [lost], "what is older than what was read is there, or was dropped"
    report.append(lost)
    report.flush()
    assert report.missing([old, lost]) == []
