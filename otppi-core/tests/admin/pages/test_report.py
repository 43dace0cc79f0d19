"""The report's pages: messages by pages, sums with their chart, and exports that are made while they are taken."""

import http.client
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from otppi.api.operations import Role
from otppi.host.durable import report_search
from otppi.testing.html import HtmlPage
from otppi.testing.reports import make_report
from otppi.testing.site import Site, SiteBrowser
from otppi.testing.waiting import PATIENCE, until
from otppi.web.timeouts import Timeouts

OCTOBER = time.mktime((2026, 10, 1, 0, 0, 0, 0, 0, -1))
NOVEMBER = time.mktime((2026, 11, 1, 0, 0, 0, 0, 0, -1))
COUNT = 15_000
SPAN = "since=2026-10-01&until=2026-10-31"


@pytest.fixture(scope="module")
def reported(shared_site: Site) -> Site:
    """A site with a month in its report, whose sums were made."""
    shared_site.call("report_sums_make")
    make_report(shared_site.data.path / "report", "2026-10", COUNT, OCTOBER, NOVEMBER - 60, modems=3, users=4)
    shared_site.call("report_sums_make")
    until(lambda: not shared_site.call("report_sums", since="2026-10-01", until="2026-10-31")["lacking"], "the sums")
    return shared_site


@pytest.fixture
def browser(reported: Site) -> SiteBrowser:
    return reported.inside(Role.VIEWER)


def link(text: str, word: str) -> str:
    found = re.search(rf'<a class="button" href="([^"]*)">{word}</a>', text)
    assert found, text
    return found[1].replace("&amp;", "&")


def test_pages_lead_from_the_newest_message_to_older_ones(browser: SiteBrowser) -> None:
    first = browser.get("/messages/report")
    assert first.status == 200
    assert HtmlPage(first.text).faults() == []
    assert first.text.count('<tr role="row">') == 51
    assert f"{COUNT - 1}</span>" in first.text
    second = browser.get(link(first.text, "Older"))
    assert f"{COUNT - 51}</span>" in second.text
    assert f"{COUNT - 50}</span>" not in second.text
    assert link(second.text, "Newest") == "/messages/report?"


def test_filters_stay_while_one_searches_further_back(browser: SiteBrowser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_search, "STRETCH", 200_000)
    answer = browser.get("/messages/report?message_id=5000&state=sent&user=&receiver=&day=")
    for _ in range(30):
        if 'role="cell"' in answer.text:
            break
        assert "Searched back to" in answer.words
        further = link(answer.text, "Go on searching further back")
        assert "message_id=5000" in further
        answer = browser.get(further)
    assert "5000</span>" in answer.text
    assert 'value="5000"' in answer.text


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(browser: SiteBrowser) -> None:
    answer = browser.get("/messages/report?day=yesterday&user=%3Cb%3E")
    assert answer.status == 422
    assert "must be a day" in answer.words
    assert "&lt;b&gt;" in answer.text
    answer = browser.get("/messages/report?place=../../etc")
    assert answer.status == 422
    answer = browser.get("/messages/report/sums?since=2026-10-31&until=2026-10-01")
    assert answer.status == 422
    assert "is before the first day" in answer.words


@pytest.mark.parametrize("by", ["day", "modem", "prefix", "user", "state"])
def test_sums_are_shown_as_a_chart_and_as_a_table_of_the_same_numbers(browser: SiteBrowser, by: str) -> None:
    answer = browser.get(f"/messages/report/sums?{SPAN}&by={by}")
    assert answer.status == 200
    assert HtmlPage(answer.text).faults() == []
    assert " style=" not in answer.text
    for kind in ("out", "unsure", "not"):
        assert f'<pattern id="part-{kind}"' in answer.text
    assert 'fill="url(#part-out)"' in answer.text
    total = answer.text.rpartition("<tr>")[2]
    assert "Total" in total
    assert f"{COUNT:,}" in total
    csv = browser.get(f"/messages/report/csv?{SPAN}&by={by}")
    assert csv.headers["content-disposition"] == f'attachment; filename="report-2026-10-01-2026-10-31-by-{by}.csv"'
    *rows, last = csv.text.splitlines()[1:]
    assert sum(int(row.split(",")[1]) for row in rows) == int(last.split(",")[1]) == COUNT


def test_sums_of_one_modem_and_of_one_state(browser: SiteBrowser) -> None:
    answer = browser.get(f"/messages/report/csv?{SPAN}&by=state&modem=m1")
    found = {row.split(",")[0].strip('"'): int(row.split(",")[1]) for row in answer.text.splitlines()[1:]}
    assert found["Total"] == COUNT * 8 // 10 // 3
    page = browser.get(f"/messages/report/sums?{SPAN}&by=day&state=failed")
    assert f"{COUNT // 10:,}" in page.words


def test_sums_of_a_modem_a_user_and_a_state_by_prefix(browser: SiteBrowser) -> None:
    wanted = "modem=m1&user=ingress-rest/shop1&state=delivered&by=prefix"
    answer = browser.get(f"/messages/report/csv?{SPAN}&{wanted}")
    found = {row.split(",")[0].strip('"'): int(row.split(",")[1]) for row in answer.text.splitlines()[1:]}
    outcomes = ("sent", "sent", "sent", "delivered", "delivered", "sent", "failed", "delivered", "sent", "expired")
    delivered: dict[str, int] = {}
    for number in range(1, COUNT, 12):  # each 12th is of m1 and of shop1
        outcome = outcomes[number % 10]
        if outcome == "delivered" or (outcome == "sent" and number % 3 == 0):
            prefix = str(62810 + number % 20)
            delivered[prefix] = delivered.get(prefix, 0) + 1
    assert found == delivered | {"Total": sum(delivered.values())}
    assert "left out" not in browser.get(f"/messages/report/sums?{SPAN}&{wanted}").words


def test_sums_by_two_things_say_what_there_was_no_room_for(
    browser: SiteBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otppi.host.durable.day_sums._MOST_TOGETHER", 10)
    page = browser.get(f"/messages/report/sums?{SPAN}&modem=m1&by=user")
    left_out = re.search(r"([0-9,]+) messages are left out", page.words)
    assert left_out
    assert 0 < int(left_out[1].replace(",", "")) < COUNT
    assert "left out" not in browser.get(f"/messages/report/sums?{SPAN}&modem=m1&by=day").words


def test_sums_that_are_being_made_say_so(site: Site) -> None:
    make_report(site.data.path / "report", "2026-09", 20, OCTOBER - 86_400, OCTOBER - 60)
    answer = site.inside(Role.OPERATOR).get("/messages/report/sums?since=2026-09-01&until=2026-09-30")
    assert "The sums of 2026-09 are being made" in answer.words


def test_a_new_message_is_in_the_report_when_somebody_looks(site: Site) -> None:
    sent = site.call("send", receiver="081234567890", message="Halo", wait=PATIENCE)
    browser = site.inside(Role.OPERATOR)
    assert sent["message_id"] in browser.get("/messages/report").text
    assert "1" in browser.get("/messages/report/sums?by=modem").words


# -- the export --------------------------------------------------------------------------------------------------------


def export_of(
    browser: SiteBrowser, month: str = "2026-10"
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=PATIENCE)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    connection.request("GET", f"/messages/report/export?month={month}", headers={"Cookie": cookies} | browser.headers)
    return connection, connection.getresponse()


@pytest.fixture
def report_file(reported: Site) -> Iterator[Path]:
    path = reported.data.path / "report" / "2026-10.jsonl"
    aside = path.with_name("aside")
    yield path
    if aside.exists():
        aside.replace(path)


def is_open(path: Path) -> bool:
    for one in Path("/proc/self/fd").iterdir():
        try:
            if str(one.readlink()).startswith(str(path)):
                return True
        except OSError:
            continue
    return False


def test_an_export_is_made_while_it_is_taken(browser: SiteBrowser, report_file: Path) -> None:
    connection, answer = export_of(browser)
    assert answer.getheader("Transfer-Encoding") == "chunked", "nobody knew its length"
    assert answer.getheader("Content-Disposition") == 'attachment; filename="report-2026-10.csv"'
    begun = answer.read(1000)
    assert is_open(report_file), "the rest is not made yet"
    aside = report_file.with_name("aside")
    report_file.replace(aside)  # as where the month is dropped meanwhile
    text = (begun + answer.read()).decode("utf-8-sig")
    connection.close()
    titles, *rows = text.splitlines()
    assert titles.startswith('"Time","Message id"')
    assert [row.split(",")[2] for row in rows] == [f'"{number}"' for number in range(COUNT)]
    until(lambda: not is_open(aside), "the file is closed")


def test_a_client_that_goes_leaves_nothing_open(browser: SiteBrowser, report_file: Path) -> None:
    connection, answer = export_of(browser)
    answer.read(1000)
    assert is_open(report_file)
    answer.close()
    connection.close()
    until(lambda: not is_open(report_file), "the file is closed")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Site:
    """A site that waits a second for a client, with a month that no socket's buffers hold."""
    monkeypatch.setattr("otppi.testing.site.Timeouts", partial(Timeouts, write=1.0))
    site: Site = request.getfixturevalue("site")
    make_report(site.data.path / "report", "2026-10", 150_000, OCTOBER, NOVEMBER - 60)
    return site


def test_a_client_that_takes_no_more_keeps_nobody_waiting_and_is_let_go(impatient: Site) -> None:
    """Neither the file stays open for it, nor does one of the few threads."""
    browser = impatient.inside(Role.OPERATOR)
    slow = []
    for _ in range(30):  # more than there are threads
        slow.append(export_of(browser))
        slow[-1][1].read(1000)
    assert browser.get("/messages/report").status == 200, "others are answered meanwhile"
    until(lambda: not is_open(impatient.data.path / "report" / "2026-10.jsonl"), "all files are closed")
    for connection, answer in slow:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.read()
        connection.close()


def test_an_export_of_no_month_is_not_found(browser: SiteBrowser) -> None:
    for month in ("2026-13", "..", "2019-01", ""):
        assert browser.get(f"/messages/report/export?month={month}").status == 404


def test_cells_that_a_spreadsheet_would_run_are_quoted(site: Site) -> None:
    path = make_report(site.data.path / "report", "2026-09", 1, OCTOBER - 86_400, OCTOBER - 60)
    path.write_text(path.read_text().replace('"i":"0"', '"i":"=1+1"'))
    answer = site.inside(Role.OPERATOR).get("/messages/report/export?month=2026-09")
    assert '"\'=1+1"' in answer.text


def test_a_filter_without_a_message_on_these_days_is_shown_as_it_is(browser: SiteBrowser) -> None:
    page = browser.get(f"/messages/report/sums?{SPAN}&user=ingress-rest/nobody")
    assert '<option value="ingress-rest/nobody" selected>' in page.text
