"""The report of a month in a browser: its list, its sums by day and by modem, in both languages and at both widths."""

import time
from collections.abc import Iterator

import pytest

from otppi.testing.reports import make_report
from otppi.testing.waiting import until
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, USERNAME, Device, Visit

SPAN = "since=2026-10-01&until=2026-10-31"


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device with a month in its report, whose sums it makes as it starts."""
    one = Device(tmp_path_factory.mktemp("reported"))
    begins, ends = (time.mktime((2026, month, 1, 0, 0, 0, 0, 0, -1)) for month in (10, 11))
    try:
        make_report(one.data / "report", "2026-10", 3000, begins, ends - 60, modems=4, prefixes=6, users=3)
        one.start()
        one.until_pages()
        assert one.cli("admin", "add", USERNAME, "--password-stdin", stdin=PASSWORD).returncode == 0
        until(lambda: "2026-10" not in one.cli("report", "sums", *SPAN_OPTIONS).stderr, "the sums are made")
        yield one
    finally:
        one.close()


SPAN_OPTIONS = ("--since", "2026-10-01", "--until", "2026-10-31")


@pytest.mark.parametrize(("language", "width"), [("id", PHONE), ("en", DESKTOP)])
def test_the_report(reported: Device, visit: Visit, language: str, width: int) -> None:
    visitor = visit(reported, language, width)
    visitor.login()
    page = visitor.open("/messages/report")
    visitor.look("report-month", also_dark=True)
    assert page.locator("table.messages tbody tr").count() == 50
    with page.expect_navigation():
        page.click(f"text={'Lebih lama' if language == 'id' else 'Older'}")
    visitor.look("report-older")
    visitor.open("/messages/report?message_id=nothing")
    visitor.look("report-nothing")
    for by in ("day", "modem"):
        page = visitor.open(f"/messages/report/sums?{SPAN}&by={by}")
        visitor.look(f"report-sums-{by}", also_dark=True)
        assert page.locator(".stacked svg rect").count() >= 14


def test_a_month_is_downloaded_and_a_state_is_chosen_by_keyboard(reported: Device, visit: Visit) -> None:
    visitor = visit(reported, "en", DESKTOP)
    visitor.login()
    page = visitor.open("/messages/report")
    page.focus("#state")
    page.keyboard.press("f")  # failed, as a list chooses by the first letter
    with page.expect_navigation():
        page.focus("#day")
        page.keyboard.press("Enter")
    assert page.input_value("#state") == "failed"
    assert "delivered" not in page.inner_text("table.messages tbody")
    with page.expect_download() as begun:
        page.click("text=Download as CSV")
    assert begun.value.suggested_filename == "report-2026-10.csv"
    assert len(begun.value.path().read_bytes().splitlines()) == 3001
