"""Messages found in the report: backwards, by pages, with the states that came later, and never a whole month."""

import json
import time
from pathlib import Path

import pytest

from otppi.api.message import State
from otppi.host.durable import report_export, report_search
from otppi.host.durable.report_export import exported
from otppi.host.durable.report_search import ReportFilter, ends_so, search
from otppi.testing.reports import make_report

OCTOBER = time.mktime((2026, 10, 1, 0, 0, 0, 0, 0, -1))
NOVEMBER = time.mktime((2026, 11, 1, 0, 0, 0, 0, 0, -1))
COUNT = 2000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two months."""
    folder = tmp_path_factory.mktemp("report")
    make_report(folder, "2026-10", COUNT, OCTOBER, NOVEMBER, modems=3, users=4)
    make_report(folder, "2026-11", 100, NOVEMBER, NOVEMBER + 86_400, modems=3, users=4)
    return folder


def all_pages(folder: Path, wanted: ReportFilter, length: int = 50) -> list[report_search.FoundMessage]:
    found: list[report_search.FoundMessage] = []
    place = ""
    for _ in range(500):
        page = search(folder, wanted, place, length)
        found += page.messages
        place = page.further
        if not place:
            return found
        assert len(page.messages) == length or page.stopped
    raise AssertionError("it never ends")


@pytest.mark.parametrize("block", [300, 4096, 65_536])
def test_pages_have_all_messages_newest_first(folder: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(report_search, "_BLOCK", block)
    found = all_pages(folder, ReportFilter())
    expected = [*range(99, -1, -1), *range(COUNT - 1, -1, -1)]
    assert [int(one.message.client_id) for one in found] == expected
    for one in found[100:]:
        number = int(one.message.client_id)
        later = one.message.state is State.SENT and number % 3 == 0
        assert one.state is (State.DELIVERED if later else one.message.state), number
        assert (one.changed is not None) == later


def test_filters_find_what_there_is_and_no_more(folder: Path) -> None:
    everything = all_pages(folder, ReportFilter())
    for wanted in (
        ReportFilter(egress="m1"),
        ReportFilter(user="shop2"),
        ReportFilter(user="ingress-rest/shop2", state="failed"),
        ReportFilter(state="delivered", egress="m2"),
        ReportFilter(receiver="7"),
        ReportFilter(receiver="628171234507"),
        ReportFilter(message_id="17"),
        ReportFilter(message_id=f"{1234:016x}"),
        ReportFilter(user="nobody"),
    ):
        expected = [one for one in everything if wanted.fits(one.message, one.state)]
        assert all_pages(folder, wanted, 7) == expected
        assert bool(expected) == (wanted.user != "nobody")


def test_a_receiver_is_found_by_its_end_as_far_as_its_mask_shows() -> None:
    assert ends_so("62812*****66", "66")
    assert ends_so("62812*****66", "4566")
    assert ends_so("62812*****66", "628123456766")
    assert not ends_so("62812*****66", "628133456766")
    assert not ends_so("62812*****66", "67")
    assert not ends_so("62812*****66", "0628123456766")
    assert ends_so("o*****@example.com", "@example.com")


def test_a_day_is_found_without_looking_at_all_after_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_search, "_BLOCK", 2048)
    everything = all_pages(folder, ReportFilter())
    for day in ("2026-10-01", "2026-10-17", "2026-10-31", "2026-11-01"):
        expected = [one for one in everything if time.strftime("%Y-%m-%d", time.localtime(one.message.at)) == day]
        assert expected
        monkeypatch.setattr(report_search, "STRETCH", 60_000)
        assert search(folder, ReportFilter(day=day), length=200).messages == tuple(expected[:200])
    assert search(folder, ReportFilter(day="2025-01-01")).messages == ()
    assert search(folder, ReportFilter(day="2027-01-01")).messages == ()


def test_a_search_that_finds_little_stops_and_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_search, "STRETCH", 40_000)
    page = search(folder, ReportFilter(message_id="5", egress="m2"))
    assert page.stopped
    assert page.messages[0].message.at >= NOVEMBER
    assert OCTOBER < page.reached < NOVEMBER
    again = search(folder, ReportFilter(message_id="5", egress="m2"), page.further)
    assert again.reached < page.reached
    assert [one.message.client_id for one in all_pages(folder, ReportFilter(message_id="5", egress="m2"))] == ["5", "5"]


def test_what_is_damaged_is_passed_over(tmp_path: Path) -> None:
    path = make_report(tmp_path, "2026-10", 20, OCTOBER, NOVEMBER)
    whole = path.read_bytes().splitlines()
    strange = (b'{"t":1e400,"m":"x","r":"y","s":"sent"}', b'{"t":1,"m":"x","r":"y","s":"eaten"}')
    damaged = (b"\xff\xfe", b"{", *strange, b"[]")
    path.write_bytes(b"\n".join([*damaged, *whole[:10], *damaged, b"x" * 200_000, *whole[10:], *damaged, b'{"t":17']))
    assert len(all_pages(tmp_path, ReportFilter())) == 20
    assert len(all_pages(tmp_path, ReportFilter(day="2026-10-01"))) == 1
    assert len(list(exported(path))) == 20


def test_a_place_of_a_month_that_was_dropped_goes_on_before_it(folder: Path, tmp_path: Path) -> None:
    assert search(folder, ReportFilter(), "2026-12:500").messages[0].message.at >= NOVEMBER
    assert search(folder, ReportFilter(), "2026-10:0") == report_search.ReportPage((), "", False, 0.0)
    assert search(tmp_path / "nothing", ReportFilter()).messages == ()


# -- the export --------------------------------------------------------------------------------------------------------


def test_an_export_has_all_messages_of_a_month_with_their_later_states(folder: Path) -> None:
    found = list(exported(folder / "2026-10.jsonl"))
    assert [int(one.message.client_id) for one in found] == list(range(COUNT))
    for one in found:
        later = one.message.state is State.SENT and int(one.message.client_id) % 3 == 0
        assert one.state is (State.DELIVERED if later else one.message.state)


def test_an_export_keeps_no_more_than_its_window(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_export, "WINDOW", 100)  # states come 300 lines later
    found = list(exported(folder / "2026-10.jsonl"))
    assert len(found) == COUNT
    assert not any(one.changed for one in found[:-200])


def test_an_export_goes_on_though_its_month_is_dropped_or_grows(tmp_path: Path) -> None:
    path = make_report(tmp_path, "2026-10", 1000, OCTOBER, NOVEMBER)
    begun = exported(path)
    first = next(begun)
    with path.open("a") as file:
        file.write(json.dumps({"t": 1_764_000_000, "m": "f" * 16, "r": "x", "s": "sent"}) + "\n")
    path.unlink()
    assert 1 + sum(1 for _ in begun) == 1000
    assert first.message.client_id == "0"
