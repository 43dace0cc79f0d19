"""The report's sums: what is in them, what a later state moves, and what a kill or the power leaves of them."""

import json
import os
import time
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from otppi.api.message import State
from otppi.host.durable import day_sums, sums_files
from otppi.host.durable.day_sums import DaySums, day_of
from otppi.host.durable.report import Report
from otppi.host.durable.report_folder import ReportFolder
from otppi.host.durable.sums_files import SumsFiles, read_sums, sums_path
from otppi.host.records.record import Record, Status
from otppi.host.records.report_lines import read_report_line
from otppi.testing.bench import ORIGIN
from otppi.testing.reports import made_lines, make_report
from otppi.wire.msisdn import mask

TODAY = time.strftime("%Y-%m-%d")


def ended(receiver: str = "6281234567890", egress: str | None = "m0", *, shown: str = "", at: float = 0.0) -> Record:
    one = Record.of(ORIGIN, "4711", receiver, None, time.time() + 60)
    one.amend(receiver_shown=shown or mask(receiver))
    one.become(Status(State.SENT, egress=egress, segments=2, finished=at or time.time()))
    one.price = 700.0
    return one


def report_file(folder: Path) -> Path:
    return folder / time.strftime("%Y-%m.jsonl")


def kept(folder: Path) -> dict[str, Any]:
    """Return the cells that the files have, and see to it that they are of the whole report."""
    sums = DaySums()
    report = report_file(folder)
    assert read_sums(report, sums) == report.stat().st_size
    return cells(sums)


def cells(sums: DaySums) -> dict[str, Any]:
    return {
        f"{day} {dimension} {value} {state}": cell
        for dimension in ("egress", "prefix", "user", "together")
        for day, value, state, cell in sums.cells(dimension, sums.document())
    }


def folded(folder: Path) -> dict[str, Any]:
    """Return what there is to be: all lines of the report, added up at once."""
    sums = DaySums()
    for line in report_file(folder).read_bytes().splitlines():
        sums.add_line(read_report_line(line) if line else None)
    return cells(sums)


def test_each_batch_is_added_up_by_egress_by_prefix_by_user_and_by_all_three(tmp_path: Path) -> None:
    report = Report(tmp_path, 12)
    failed = ended("6287134567890", None)
    failed.become(replace(failed.status, state=State.FAILED))
    failed.price = 0.0
    for one in (ended(), ended("6287134567890"), failed):
        report.append(one)
    report.flush()
    report.append(ended("shop@example.com", "mail/office", shown="s*****@example.com"))
    report.flush()
    assert kept(tmp_path) == {
        f"{TODAY} egress m0 sent": [2, 4, 1400],
        f"{TODAY} egress  failed": [1, 0, 0],
        f"{TODAY} egress mail/office sent": [1, 2, 700],
        f"{TODAY} prefix 62812 sent": [1, 2, 700],
        f"{TODAY} prefix 62871 sent": [1, 2, 700],
        f"{TODAY} prefix 62871 failed": [1, 0, 0],
        f"{TODAY} prefix @example.com sent": [1, 2, 700],
        f"{TODAY} user test/app sent": [3, 6, 2100],
        f"{TODAY} user test/app failed": [1, 0, 0],
        f"{TODAY} together m0\t62812\ttest/app sent": [1, 2, 700],
        f"{TODAY} together m0\t62871\ttest/app sent": [1, 2, 700],
        f"{TODAY} together \t62871\ttest/app failed": [1, 0, 0],
        f"{TODAY} together mail/office\t@example.com\ttest/app sent": [1, 2, 700],
    }


@pytest.mark.parametrize("shown", ["", "6281234567890"])
def test_the_prefix_is_the_same_whether_receivers_are_masked_or_not(tmp_path: Path, shown: str) -> None:
    report = Report(tmp_path, 12)
    report.append(ended(shown=shown))
    report.flush()
    assert f"{TODAY} prefix 62812 sent" in kept(tmp_path)


def test_a_later_state_moves_a_message_on_the_day_on_which_it_ended(tmp_path: Path) -> None:
    report, yesterday = Report(tmp_path, 12), time.time() - 86_400
    one = ended(at=yesterday)
    report.append(one)
    report.flush()
    report.changed(State.SENT, one, State.UNDELIVERED)
    report.changed(State.UNDELIVERED, one, State.DELIVERED)
    report.flush()
    where = ("egress m0", "prefix 62812", "user test/app", "together m0\t62812\ttest/app")
    assert kept(tmp_path) == {f"{day_of(yesterday)} {kind} delivered": [1, 2, 700] for kind in where}


def test_a_state_that_comes_before_the_line_was_written_is_moved_by_nothing(tmp_path: Path) -> None:
    report, one = Report(tmp_path, 12), ended()
    report.append(one, State.SENT)
    one.become(replace(one.status, state=State.DELIVERED))  # as the message path does, before it tells the report
    report.flush()
    report.changed(State.SENT, one, State.DELIVERED)
    report.flush()
    assert [key for key in kept(tmp_path) if "user" in key] == [f"{TODAY} user test/app delivered"]
    other = ended()
    report.append(other, State.SENT)
    report.changed(State.SENT, other, State.DELIVERED)
    report.flush()
    assert kept(tmp_path)[f"{TODAY} user test/app delivered"] == [2, 4, 1400]
    lines = [json.loads(line) for line in report_file(tmp_path).read_text().splitlines()]
    assert [line["s"] for line in lines] == ["sent", "delivered", "delivered"]


def test_the_files_are_put_together_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums_files, "_PUT_TOGETHER_AT", 2000)
    report = Report(tmp_path, 12)
    for number in range(60):
        report.append(ended(f"62812345678{number:02}"))
        report.flush()
    path = sums_path(report_file(tmp_path))
    assert path.stat().st_size < 4000
    assert kept(tmp_path)[f"{TODAY} egress m0 sent"] == [60, 120, 42_000]


def test_two_dimensions_at_once_are_told_as_they_were(tmp_path: Path) -> None:
    report = Report(tmp_path, 12)
    for receiver, modem in (("6281234567890", "m0"), ("6287134567890", "m0"), ("6287134567890", "m1")):
        report.append(ended(receiver, modem))
    report.flush()
    sums = DaySums()
    read_sums(report_file(tmp_path), sums)
    found = [(names["egress"], names["prefix"], cell[0]) for _day, names, _state, cell in told(sums)]
    assert sorted(found) == [("m0", "62812", 1), ("m0", "62871", 1), ("m1", "62871", 1)]


def test_what_combinations_there_was_no_room_for_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_sums, "_MOST_TOGETHER", 3)
    sums = DaySums()
    for line in made_lines(100, 1_764_000_000, 1_764_000_100, modems=5, users=10):
        sums.add_line(read_report_line(line.encode()))
    found = list(told(sums))
    assert sum(cell[0] for *_names, cell in found) == 100
    rest = [cell[0] for _day, names, _state, cell in found if set(names.values()) == {"*"}]
    assert 0 < sum(rest) < 100
    again = DaySums()
    again.merge(sums.document())
    assert list(told(again)) == found


def told(sums: DaySums) -> Iterator[Any]:
    return sums.told_by(("egress", "prefix"), sums.document())


def test_there_are_only_so_many_values_of_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_sums, "_MOST_VALUES", 3)
    sums = DaySums()
    for line in made_lines(100, 1_764_000_000, 1_764_000_100, modems=5, users=10):
        sums.add_line(read_report_line(line.encode()))
    for dimension in ("egress", "prefix", "user"):
        found = list(sums.cells(dimension, sums.document()))
        assert len({value for _day, value, _state, _cell in found}) == 4
        assert sum(cell[0] for *_names, cell in found) == 100, "whatever has no place of its own is among the others"


# -- what a kill leaves ------------------------------------------------------------------------------------------------


def all_made(report: Report) -> None:
    for _ in range(1000):
        if not report.make_sums():
            return
    raise AssertionError("there is always more to make")


def begun(folder: Path, *, more: int = 3) -> Report:
    """Return a new run's report, after it has written a batch."""
    report = Report(folder, 12)
    for _ in range(more):
        report.append(ended())
    report.flush()
    return report


def torn(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 7)


def gone(path: Path) -> None:
    path.unlink()


def a_batch_short(path: Path) -> None:
    *lines, _last, _end = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(lines) + b"\n")


def nonsense(path: Path) -> None:
    path.write_bytes(b'{"from":0,"to":"x"}\n[]\n\xff\n')


@pytest.mark.parametrize("damage", [torn, gone, a_batch_short, nonsense])
@pytest.mark.parametrize("writes_first", [False, True])
def test_what_is_missing_after_a_kill_is_made_anew(tmp_path: Path, damage: Any, *, writes_first: bool) -> None:
    begun(tmp_path)
    begun(tmp_path, more=2)
    damage(sums_path(report_file(tmp_path)))
    again = begun(tmp_path) if writes_first else Report(tmp_path, 12)
    all_made(again)
    assert kept(tmp_path) == folded(tmp_path)
    again.append(ended())
    again.flush()
    assert kept(tmp_path) == folded(tmp_path)
    assert kept(tmp_path)[f"{TODAY} egress m0 sent"][0] == (9 if writes_first else 6)


def test_a_line_of_the_report_that_the_power_cut_short_takes_none_with_it(tmp_path: Path) -> None:
    begun(tmp_path)
    torn(report_file(tmp_path))
    again = begun(tmp_path, more=1)
    all_made(again)
    assert kept(tmp_path) == folded(tmp_path)
    assert kept(tmp_path)[f"{TODAY} egress m0 sent"][0] == 3, "two that were whole, and the new one"


def test_a_month_without_sums_is_made_in_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums_files, "_STEP", 5000)
    monkeypatch.setattr(sums_files, "_SAVE_EACH", 20_000)
    begins = time.mktime((2026, 10, 1, 0, 0, 0, 0, 0, -1))
    path = make_report(tmp_path, "2026-10", 400, begins, begins + 31 * 86_400 - 1)
    files, steps = SumsFiles(tmp_path), 0
    while files.go_on():
        steps += 1
    assert steps > path.stat().st_size // 5000, "it reads no more than that at once"
    sums, lacking = ReportFolder(tmp_path).sums(date(2026, 10, 1), date(2026, 10, 31))
    assert lacking == []
    days = [f"2026-10-{day:02}" for day in range(1, 32)]
    found = list(sums.cells("egress", days))
    assert sum(cell[0] for *_names, cell in found) == 400
    assert {day for day, *_rest in found} == set(days)
    assert sum(cell[0] for _day, _value, state, cell in found if state == "delivered") == 120 + 66


def whole_months(folder: Path, *months: int) -> ReportFolder:
    """Return a report of some months of 2026 with their sums, of as many messages a day as its number in the month."""
    for month in months:
        lines: list[str] = []
        for day in range(1, monthrange(2026, month)[1] + 1):
            noon = time.mktime((2026, month, day, 12, 0, 0, 0, 0, -1))
            lines += made_lines(day, noon, noon + 60)
        (folder / f"2026-{month:02}.jsonl").write_text("".join(lines))
    report = ReportFolder(folder)
    report.make_sums()
    return report


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(
    ("since", "until"),
    [(date(2026, 8, 31), date(2026, 11, 30)), (date(2026, 7, 15), date(2026, 10, 14)), (date(2026, 9, 9),) * 2],
    ids=["over four months", "from the middle of a month on", "one day"],
)
def test_each_day_of_a_long_span_has_its_own_messages(
    tmp_path: Path, since: date, until: date, *, together: bool
) -> None:
    report = whole_months(tmp_path, 7, 8, 9, 10, 11)
    sums, lacking = report.sums(since, until, together=together)
    assert lacking == []
    days = [since + timedelta(days=number) for number in range((until - since).days + 1)]
    found = dict.fromkeys(map(str, days), 0)
    for dimension in ("user", *(["together"] if together else [])):
        found = dict.fromkeys(found, 0)
        for day, _value, _state, cell in sums.cells(dimension, found):
            found[day] += cell[0]
        assert found == {f"{day}": day.day for day in days}
    assert list(sums.document()) == list(found), "no other day is kept"


def test_a_month_that_lacks_part_of_its_sums_says_so(tmp_path: Path) -> None:
    begun(tmp_path)
    sums_path(report_file(tmp_path)).unlink()
    today = date.fromisoformat(TODAY)
    sums, lacking = ReportFolder(tmp_path).sums(today, today, together=True)
    assert (cells(sums), lacking) == ({}, [TODAY[:7]])
    ReportFolder(tmp_path).make_sums()
    sums, lacking = ReportFolder(tmp_path).sums(today, today, together=True)
    assert (cells(sums), lacking) == (folded(tmp_path), [])


def half_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the sums of the oldest month kept half made, as a restart leaves them."""
    path = sums_path(folder / "2026-06.jsonl")
    path.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(sums_files, "_STEP", 2000)
        patch.setattr(sums_files, "_SAVE_EACH", 10_000)
        files = SumsFiles(folder)
        while not path.exists():
            assert files.go_on()
    assert json.loads(path.read_bytes())["to"] < (folder / "2026-06.jsonl").stat().st_size


def without_its_end(folder: Path, _monkeypatch: pytest.MonkeyPatch) -> None:
    torn(sums_path(folder / "2026-06.jsonl"))


def with_a_state_that_there_is_not(folder: Path, _monkeypatch: pytest.MonkeyPatch, key: bytes = b'"sent":[') -> None:
    path = sums_path(folder / "2026-06.jsonl")
    before, state, after = path.read_bytes().rpartition(key)
    path.write_bytes(before + state.replace(b"sent", b"sect") + after)


def with_one_among_the_combinations(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_a_state_that_there_is_not(folder, monkeypatch, rb"\"sent\":[")


@pytest.mark.parametrize(
    "damage", [half_made, without_its_end, with_a_state_that_there_is_not, with_one_among_the_combinations]
)
def test_sums_of_a_month_long_ago_that_lack_part_are_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Any
) -> None:
    whole_months(tmp_path, 6, 7, 8, 9, 10)
    damage(tmp_path, monkeypatch)
    june = date(2026, 6, 1), date(2026, 6, 30)
    assert ReportFolder(tmp_path).sums(*june, together=True)[1] == ["2026-06"]
    others = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.sums") if path.stem != "2026-06"}
    files = SumsFiles(tmp_path)
    while files.go_on():
        pass
    sums, lacking = ReportFolder(tmp_path).sums(*june, together=True)
    assert lacking == []
    assert sum(cell[0] for *_names, cell in sums.cells("user", sums.document())) == sum(range(1, 31))
    assert {path: path.stat().st_mtime_ns for path in others} == others, "what lacks nothing is not written again"


def test_a_month_is_deleted_before_its_sums_were_looked_at(tmp_path: Path) -> None:
    whole_months(tmp_path, 6, 7)
    files = SumsFiles(tmp_path)
    assert files.go_on()
    for month in (6, 7):
        (tmp_path / f"2026-{month:02}.jsonl").unlink()
    files.drop(tmp_path / "2026-06.jsonl")
    while files.go_on():
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["2026-07.sums"]


def test_a_full_card_keeps_the_report_and_the_sums_follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = begun(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(sums_files, "append_whole", fails)
        report.append(ended())
        assert report.flush(), "the lines are on the card"
    report.append(ended())
    report.flush()
    all_made(report)
    assert kept(tmp_path) == folded(tmp_path)


def fails(*_arguments: object) -> None:
    raise OSError("no space left")
