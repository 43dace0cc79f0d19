"""What was used outlives restarts, power cuts, full cards and damage; and no number is in it."""

import errno
import json
import logging
import os
import stat
from calendar import timegm
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.host.meter.file import UsageFile
from otppi.host.meter.limits import Limits
from otppi.host.meter.meter import Account, Plan
from otppi.host.meter.prices import Promotion, Tariff
from otppi.host.settings.renames import Rename
from otppi.kit.files import replace_whole

ANI, BUDI = "6287100000001", "6281200000001"
NOW = float(timegm((2026, 11, 22, 12, 0, 0)))
PLAN = Plan(Limits(monthly_receivers=100), Tariff(10, (("62871", 5),), (Promotion("62871", 9, "day", 1),)))


@pytest.fixture(autouse=True)
def _utc(time_zone: Callable[[str], None]) -> None:
    time_zone("UTC0")


def opened(folder: Path, now: float = NOW) -> UsageFile:
    return UsageFile(folder / "usage", folder / "report", clock=lambda: now)


def save(usage: UsageFile) -> None:
    snapshot = usage.snapshot()
    assert snapshot is not None
    usage.write(snapshot)


def used(folder: Path, *counts: tuple[str, int], now: float = NOW) -> None:
    """Count and save, as a run of the gateway does."""
    usage = opened(folder, now)
    account = usage.account("m0", PLAN)
    for receiver, segments in counts:
        account.count(receiver, segments)
    save(usage)


def read(folder: Path, now: float = NOW) -> Account:
    return opened(folder, now).account("m0", PLAN)


def month(account: Account) -> tuple[int, int, float, int]:
    shown = account.describe()
    return (*shown["this_month"].values(), shown["receivers"])


def report(folder: Path, *lines: Any) -> None:
    (folder / "report").mkdir()
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    (folder / "report" / "2026-11.jsonl").write_text(text)


def line(number: float, **values: Any) -> dict[str, Any]:
    base = {"t": int(NOW) + number, "m": str(number), "r": "62871*****01", "s": "sent", "by": "m0", "n": 2}
    return base | values


def test_a_restart_goes_on_with_all_counters(tmp_path: Path) -> None:
    used(tmp_path, (ANI, 2), (BUDI, 1))
    account = read(tmp_path)
    assert month(account) == (2, 3, 20.0, 2)
    assert account.days["2026-11-22"].by_prefix == {"62871": 1}
    assert opened(tmp_path).saved == NOW
    used(tmp_path, (BUDI, 1), (BUDI + "1", 1))
    assert month(read(tmp_path)) == (4, 5, 40.0, 3)


def test_a_restart_in_the_next_month_begins_anew_and_old_receivers_are_dropped(tmp_path: Path) -> None:
    used(tmp_path, (ANI, 2))
    later = NOW
    for count in range(1, 5):
        later += 31 * 86_400
        assert month(read(tmp_path, later)) == (0, 0, 0.0, 0)
        used(tmp_path, (BUDI, 1), now=later)
        assert len(list((tmp_path / "usage").glob("receivers-*"))) == min(1 + count, 3)
    assert month(read(tmp_path, later)) == (1, 1, 10.0, 1)


def test_the_files_hold_no_number_and_are_the_owners_alone(tmp_path: Path) -> None:
    used(tmp_path, (ANI, 2), (BUDI, 1))
    files = {file.name: file for file in (tmp_path / "usage").iterdir()}
    assert files.keys() == {"counters.json", "key", "receivers-2026-11"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files.values()} == {0o600}
    assert stat.S_IMODE((tmp_path / "usage").stat().st_mode) == 0o700
    content = b"".join(file.read_bytes() for file in files.values())
    assert ANI[5:].encode() not in content
    assert BUDI[5:].encode() not in content


def test_nothing_is_written_where_nothing_changed_and_a_receiver_once(tmp_path: Path) -> None:
    usage = opened(tmp_path)
    account = usage.account("m0", PLAN)
    assert usage.snapshot() is None
    for number in range(1000):
        account.count(f"62812{number:07}", 1)
    save(usage)
    assert usage.snapshot() is None
    receivers = tmp_path / "usage" / "receivers-2026-11"
    before = receivers.stat().st_size
    assert before < 1000 * 12
    account.count("628120000000", 1)
    save(usage)
    assert receivers.stat().st_size == before
    assert (tmp_path / "usage" / "counters.json").stat().st_size < 250


def test_a_card_that_is_full_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    usage = opened(tmp_path)
    usage.account("m0", PLAN).count(ANI, 2)

    def full(path: Path, data: object) -> None:
        path.write_bytes(b'{"saved":1')
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("otppi.kit.files._write_synced", full)
        save(usage)
    assert "cannot be written" in caplog.text
    assert read(tmp_path).describe()["this_month"]["messages"] == 0
    save(usage)
    assert month(read(tmp_path)) == (1, 2, 10.0, 1)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"null", b'{"saved":0}', b'{"saved":0,"modems":{"m0":{"days":{"x":[1]},"months":{}}}}', b"\xff"]
    + [
        b'{"saved":0,"modems":{"m0":{"days":{"x":[1,1,%s,{}]},"months":{"x":[%s,1,0.0,{}]}}}}' % pair
        for pair in ((b"Infinity", b"1"), (b"NaN", b"1"), (b"1.0", b"1e999"))
    ]
    + [b'{"saved":NaN,"modems":{}}'],
)
def test_damaged_counters_are_counted_from_the_report(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    used(tmp_path, (ANI, 200))
    (tmp_path / "usage" / "counters.json").write_bytes(damage)
    report(
        tmp_path,
        line(1),
        line(2, s="unconfirmed", r="62812*****01", n=1),
        line(3, s="failed"),
        line(4, s="delivered", n=0),
        line(5, by="another"),
        {"t": int(NOW), "m": "1", "s": "delivered"},
        "torn {",
        line(1e300),
        line(float("nan")),
        line(6, n=float("inf")),
    )
    usage = opened(tmp_path)
    account = usage.account("m0", PLAN)
    assert "is damaged" in caplog.text
    assert month(account) == (3, 4, 2 * 5 + 10 + 5, 1)
    assert account.days["2026-11-22"].by_prefix == {"62871": 2}
    assert usage.saved == NOW + 5.5
    save(usage)
    assert month(read(tmp_path)) == (3, 4, 25.0, 1)


def test_a_gateway_that_never_counted_begins_with_the_report(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    report(tmp_path, line(1, by="a modem with a n"))
    assert month(opened(tmp_path).account("a modem with a name of many words", PLAN)) == (1, 2, 10.0, 0)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_card_that_cannot_be_written_from_the_start_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "usage").mkdir()

    def full(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", full)
        usage = opened(tmp_path)
        usage.account("m0", PLAN).count(ANI, 1)
        save(usage)
    assert caplog.text.count("cannot be written") == 2
    assert month(usage.account("m0", PLAN)) == (1, 1, 5.0, 1)


def test_torn_lines_of_receivers_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    used(tmp_path, (ANI, 1))
    receivers = tmp_path / "usage" / "receivers-2026-11"
    with receivers.open("ab") as file:
        file.write(b'{"a":1}\n[1]\n["m0",2]\n[\n["m0","half of a t')
    used(tmp_path, (BUDI, 1))
    assert month(read(tmp_path))[3] == 2
    assert "a damaged line" in caplog.text


def test_without_the_key_receivers_are_counted_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    used(tmp_path, (ANI, 1))
    (tmp_path / "usage" / "key").write_bytes(b"short")
    assert month(read(tmp_path)) == (1, 1, 5.0, 0)
    assert "its key is gone" in caplog.text


def test_a_folder_that_cannot_be_read_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    used(tmp_path, (ANI, 1))

    def fails(self: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", fails)
        assert month(read(tmp_path)) == (0, 0, 0.0, 0)
    assert "cannot be read" in caplog.text


# -- renaming ----------------------------------------------------------------------------------------------------------


def renamed(number: int, at: float = NOW, **names: str) -> Rename:
    return Rename(str(number), at, "modems", names)


def shown(usage: UsageFile, *names: str) -> list[tuple[int, int, float, int]]:
    return [month(usage.account(name, PLAN)) for name in names]


NOTHING = (0, 0, 0.0, 0)


def test_a_renamed_modem_goes_on_with_its_account_and_leaves_nothing_under_the_former_name(tmp_path: Path) -> None:
    used(tmp_path, (ANI, 2), (BUDI, 1))
    usage = opened(tmp_path)
    before = usage.account("m0", PLAN)
    usage.follow([renamed(1, m0="m1")])
    assert usage.account("m1", PLAN) is before  # what it is sending is charged there
    save(usage)
    assert usage.snapshot() is None
    again = opened(tmp_path)
    again.follow([renamed(1, m0="m1")])
    assert shown(again, "m1", "m0") == [(2, 3, 20.0, 2), NOTHING]
    assert again.snapshot() is None  # it was followed before


def test_names_that_are_exchanged_and_a_name_that_is_taken_over(tmp_path: Path) -> None:
    used(tmp_path, (ANI, 2), (BUDI, 1))
    usage = opened(tmp_path)
    usage.account("m1", PLAN).count(BUDI, 5)
    usage.follow([renamed(1, m0="m1", m1="m0")])
    save(usage)
    assert shown(opened(tmp_path), "m0", "m1") == [(1, 5, 50.0, 1), (2, 3, 20.0, 2)]
    usage.follow([renamed(1, m0="m1", m1="m0"), renamed(2, m0="m1")])
    save(usage)
    assert shown(opened(tmp_path), "m0", "m1") == [NOTHING, (1, 5, 50.0, 1)]


@pytest.mark.parametrize("step", ["the counters", "the former lines"])
def test_a_crash_within_a_rename_loses_no_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    used(tmp_path, (ANI, 2), (BUDI, 1))
    usage = opened(tmp_path)
    usage.follow([renamed(1, m0="m1")])

    def crash(path: Path, content: bytes) -> None:
        if (path.name == "counters.json") is (step == "the counters"):
            raise SystemExit
        replace_whole(path, content)

    with monkeypatch.context() as patch:
        patch.setattr("otppi.host.meter.file.replace_whole", crash)
        with pytest.raises(SystemExit):
            save(usage)
    again = opened(tmp_path)
    again.follow([renamed(1, m0="m1")])
    assert shown(again, "m1") == [(2, 3, 20.0, 2)]
    again.account("m1", PLAN).count(ANI, 1)
    save(again)
    assert shown(opened(tmp_path), "m1") == [(3, 4, 25.0, 2)]


def test_a_card_that_is_full_when_former_names_are_dropped_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(tmp_path, (ANI, 2))
    usage = opened(tmp_path)
    usage.follow([renamed(1, m0="m1")])

    def full(path: Path, content: bytes) -> None:
        if path.name != "counters.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        replace_whole(path, content)

    with monkeypatch.context() as patch:
        patch.setattr("otppi.host.meter.file.replace_whole", full)
        save(usage)
    assert shown(opened(tmp_path), "m0") == [(0, 0, 0.0, 1)]
    save(usage)
    assert shown(opened(tmp_path), "m0", "m1") == [NOTHING, (1, 2, 10.0, 1)]


def test_what_was_sent_before_a_rename_and_is_counted_later_counts_for_the_new_name(tmp_path: Path) -> None:
    used(tmp_path, (ANI, 2))
    usage = opened(tmp_path)
    usage.count_later("m0", (NOW + 1, BUDI, 1))
    usage.count_later("m0", (NOW + 12, BUDI, 1))  # it was being sent when the modem was renamed
    usage.count_later("m0", (NOW + 200, BUDI, 1))  # by another modem that has the name now
    for _ in range(2):
        usage.follow([renamed(1, NOW + 10, m0="m1")])
    assert shown(usage, "m1", "m0") == [(3, 4, 30.0, 2), (2, 2, 20.0, 1)]


def test_what_is_counted_from_a_report_is_counted_for_the_new_name_and_receivers_for_both(tmp_path: Path) -> None:
    used(tmp_path, (ANI, 2))
    (tmp_path / "usage" / "counters.json").write_bytes(b"torn")
    report(tmp_path, line(1), line(2))
    usage = opened(tmp_path)
    usage.follow([renamed(1, NOW + 10, m0="m1")])
    assert shown(usage, "m1", "m0") == [(2, 4, 20.0, 1), (0, 0, 0.0, 1)]
    usage.follow([renamed(2, NOW + 20, m1="m2")])  # one of this run moves all
    save(usage)
    assert shown(opened(tmp_path), "m2", "m1") == [(2, 4, 20.0, 1), NOTHING]
