"""The page of the blocking list: who blocked whom, a part at a time, and files that are tried before they are taken."""

import csv
import io
import re

import pytest

from otppi.api.operations import Role
from otppi.testing.site import Site, SiteAnswer, SiteBrowser

FILE = b"number,since,by\r\n0812-0000-0001,2026-11-29T19:00:00+07:00,=x\r\n+6281200000002,,\r\n0812 0000 0001,,\r\n"


@pytest.fixture
def browser(site: Site) -> SiteBrowser:
    one = site.inside(Role.OPERATOR)
    one.get("/messages/blocked")
    return one


def many(site: Site, count: int) -> None:
    site.call("block_import", lines=[f"0813{one:08}" for one in range(count)])


def shown_in(page: SiteAnswer) -> list[str]:
    return re.findall(r'name="chosen" value="([^"]+)"', page.text)


def kept_in(page: SiteAnswer) -> str:
    found = re.search(r'name="kept" value="([0-9a-f]+)"', page.text)
    assert found, page.words
    return found[1]


# -- looked at, and one by one -----------------------------------------------------------------------------------------


def test_who_blocked_each_and_since_when_is_shown(site: Site, browser: SiteBrowser) -> None:
    browser.post("/messages/blocked", {"receiver": "0812-0000-0001"})
    page = browser.get("/messages/blocked")
    assert "6281200000001 is blocked." in page.words
    assert "administration/oki" in page.words
    assert re.search(r'data-title="Since">[0-9]{2}:[0-9]{2}<', page.text)
    browser.post("/messages/blocked", {"receiver": "0812-0000-0001"})
    assert "6281200000001 was blocked already." in browser.get("/messages/blocked").words


def test_a_long_list_is_shown_a_part_at_a_time_and_searched(site: Site, browser: SiteBrowser) -> None:
    many(site, 120)
    first = browser.get("/messages/blocked")
    assert shown_in(first) == [f"62813{one:08}" for one in range(119, 69, -1)]
    assert "1 to 50 of 120" in first.words
    last = browser.get("/messages/blocked?first=101")
    assert len(shown_in(last)) == 20
    assert "Older" not in last.words
    found = browser.get("/messages/blocked?search=0813-0000-007")
    assert shown_in(found) == [f"62813{one:08}" for one in range(79, 69, -1)]
    assert "Found: 10." in found.words
    assert shown_in(browser.get("/messages/blocked?search=%3Cscript%3E")) == []
    for query in ("first=0", "first=-1", "first=x", "first=999999", "first=" + "9" * 30, "search=" + "9" * 2000):
        assert browser.get(f"/messages/blocked?{query}").status == 200, query
    assert shown_in(browser.get("/messages/blocked?first=999999")) == shown_in(last)


def test_several_are_unblocked_at_once_or_one(site: Site, browser: SiteBrowser) -> None:
    many(site, 60)
    back = "/messages/blocked?first=51"
    fields = {"receiver": "6281300000000", "next": back}
    answer = browser.post("/messages/blocked/unblock", fields)
    assert (answer.status, answer.location) == (303, back)
    body = f"form_token={browser.token}&chosen=6281300000001&chosen=6281300000002".encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.ask("POST", "/messages/blocked/unblock", body, kind).status == 303
    assert "2 numbers are no longer blocked." in browser.get("/messages/blocked").words
    assert len(site.call("blocked")) == 57
    nothing = browser.post("/messages/blocked/unblock", {"next": "//elsewhere.example"})
    assert (nothing.status, nothing.location) == (303, "/")
    told = [one for one in site.call("audit", limit=50) if one["operation"] == "block_remove_several"]
    assert [one["fields"] for one in told] == [["2 removed"]]


def test_a_number_of_abroad_is_unblocked_as_it_is_listed(site: Site, browser: SiteBrowser) -> None:
    browser.post("/messages/blocked", {"receiver": "+14155552671"})
    assert browser.post("/messages/blocked/unblock", {"receiver": "14155552671"}).status == 303
    assert site.call("blocked") == []


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_file_is_tried_then_taken_and_told_to_the_audit(site: Site, browser: SiteBrowser) -> None:
    site.call("block_add", receiver="081200000002")
    before = site.call("blocked")
    tried = browser.upload("/messages/blocked/file", {"file": FILE})
    assert tried.status == 200
    assert "New 1 Already blocked 1 Repeated in the file 1" in tried.words
    assert site.call("blocked") == before, "nothing was taken yet"
    taken = browser.post("/messages/blocked/confirm", {"kept": kept_in(tried)})
    assert (taken.status, taken.location) == (303, "/messages/blocked")
    page = browser.get("/messages/blocked")
    assert "1 numbers are new, 1 were known, 0 are no longer blocked." in page.words
    kept = {one["receiver"]: one for one in site.call("blocked")}
    assert (kept["6281200000001"]["since"], kept["6281200000001"]["by"]) == (1795953600, "=x")
    assert kept["6281200000002"] == before[0]
    told = [one["fields"] for one in site.call("audit", limit=50) if one["operation"] == "block_import"]
    assert told == [["1 added", "1 known", "0 removed"]]
    again = browser.post("/messages/blocked/confirm", {"kept": kept_in(tried)})
    assert (again.status, "not here any more" in again.words) == (409, True)


def test_the_whole_list_is_replaced_where_that_is_asked_for(site: Site, browser: SiteBrowser) -> None:
    many(site, 5)
    tried = browser.upload("/messages/blocked/file", {"file": b""}, {"numbers": "081200000001", "replace": "1"})
    assert "Numbers that are not in the file, and can be sent to again: 5." in tried.words
    assert browser.post("/messages/blocked/confirm", {"kept": kept_in(tried)}).status == 303
    assert [one["receiver"] for one in site.call("blocked")] == ["6281200000001"]


def test_wrong_lines_are_told_and_nothing_is_taken(site: Site, browser: SiteBrowser) -> None:
    pasted = "081200000001\n<script>alert(1)</script>\n" + "x\n" * 100
    answer = browser.upload("/messages/blocked/file", {"file": b""}, {"numbers": pasted})
    assert answer.status == 422
    assert "Nothing was imported. Lines that cannot be taken: 101" in answer.words
    assert "Line 2: the number" in answer.words
    assert "and 81 more" in answer.words
    assert "<script>alert" not in answer.text
    assert "081200000001" in answer.text, "what was pasted is still there"
    assert 'name="kept"' not in answer.text
    assert site.call("blocked") == []


@pytest.mark.parametrize(
    "octets", [b"\0" * 3000, bytes(range(256)) * 50, b"\xff\xfe" * 100, b'"' * 9000, b",;\t" * 500]
)
def test_hostile_octets_are_told(shared_site: Site, octets: bytes) -> None:
    browser = shared_site.inside(Role.OPERATOR)
    answer = browser.upload("/messages/blocked/file", {"file": octets})
    assert answer.status == 422
    assert len(answer.text) < 20_000


@pytest.mark.parametrize("text", ["", " \n\t\n", "# only this\n", "Number\n"])
def test_a_file_without_numbers_is_told(shared_site: Site, text: str) -> None:
    answer = shared_site.inside(Role.OPERATOR).upload("/messages/blocked/file", {"file": b""}, {"numbers": text})
    assert (answer.status, 'role="alert"' in answer.text) == (422, True)


def test_what_another_login_has_tried_is_not_taken(site: Site, browser: SiteBrowser) -> None:
    kept = kept_in(browser.upload("/messages/blocked/file", {"file": FILE}))
    assert site.inside(Role.OPERATOR).post("/messages/blocked/confirm", {"kept": kept}).status == 409
    assert site.call("blocked") == []


def test_what_is_exported_is_imported_again_exactly(site: Site, browser: SiteBrowser) -> None:
    site.call("block_import", lines=["number,since,by", "+14155552671,2020-01-02T03:04:05Z,x/@a", "a@example.com,,"])
    browser.post("/messages/blocked", {"receiver": "0812-0000-0001"})
    before = site.call("blocked")
    answer = browser.get("/messages/blocked/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="blocking-list.csv"'
    assert answer.headers["content-type"] == "text/csv;charset=utf-8"
    rows = [*csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""))]
    assert rows[1] == ["'+14155552671", "2020-01-02T03:04:05Z", "x/@a"]
    site.call("block_remove_several", receivers=[f"+{before[0]['receiver']}", "a@example.com", "081200000001"])
    assert site.call("blocked") == []
    tried = browser.upload("/messages/blocked/file", {"file": answer.text.encode()})
    browser.post("/messages/blocked/confirm", {"kept": kept_in(tried)})
    after = site.call("blocked")
    assert [(one["receiver"], one["by"], round(one["since"])) for one in after] == [
        (one["receiver"], one["by"], round(one["since"])) for one in before
    ]


def test_the_files_are_the_operators_own(shared_site: Site) -> None:
    viewer = shared_site.inside(Role.VIEWER)
    assert viewer.get("/messages/blocked/export").status == 403
    assert viewer.upload("/messages/blocked/file", {"file": FILE}).status == 403
