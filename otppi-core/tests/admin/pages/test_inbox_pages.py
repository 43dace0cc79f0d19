"""The pages of the inbox: searched, paged, marked, deleted, answered by the modem that a message came to, exported."""

import csv
import io
import re
from pathlib import Path

import pytest

from otppi.api.events import InboundPart
from otppi.api.operations import Role
from otppi.host.inbox.inbox import Inbox
from otppi.testing.site import Site, SiteAnswer, SiteBrowser
from otppi.testing.waiting import until

SECRET = "kode 4471"


def came_in(site: Site, sender: str, text: str, sent: float = 0.0, *, damaged: bool = False) -> str:
    """Have a message come in by m0; return its id."""
    part = InboundPart(
        sender, text, sent or 1_700_000_000.0 + len(site.call("inbox_list")), None, 1, 1, damaged=damaged
    )
    assert site.registry.part(Inbox).received("m0", part)
    return str(site.call("inbox_list")[-1]["message_id"])


@pytest.fixture
def browser(site: Site) -> SiteBrowser:
    one = site.inside(Role.OPERATOR)
    until(lambda: site.call("modems")[0]["state"] == "ready")
    return one


def senders_in(page: SiteAnswer) -> list[str]:
    return re.findall(r"<bdi>([^<]+)</bdi></label>", page.text)


def post(browser: SiteBrowser, path: str, fields: list[tuple[str, str]]) -> SiteAnswer:
    from urllib.parse import urlencode

    body = urlencode([("form_token", browser.token), *fields]).encode()
    return browser.ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})


def test_what_came_in_is_paged_and_searched_without_its_words_in_an_address(site: Site, browser: SiteBrowser) -> None:
    for number in range(45):
        came_in(site, f"+62812000000{number:02}", f"text {number}" + (f", {SECRET}" if number == 3 else ""))
    page = browser.get("/messages/inbox")
    assert senders_in(page) == [f"+62812000000{number:02}" for number in range(44, 24, -1)]
    assert "1 to 20 of 45" in page.words
    assert senders_in(browser.get("/messages/inbox?first=41"))[-1] == "+6281200000000"
    found = browser.post("/messages/inbox", {"search": SECRET.upper()})
    assert senders_in(found) == ["+6281200000003"]
    assert "Found: 1." in found.words
    assert senders_in(browser.post("/messages/inbox", {"search": "0812-0000-0044"})) == ["+6281200000044"]
    assert senders_in(browser.get(f"/messages/inbox?search={SECRET[-4:]}")) == senders_in(page), "not by an address"
    more = browser.post("/messages/inbox", {"search": "text", "first": "21"})
    assert senders_in(more)[0] == "+6281200000024"
    assert "search=" not in more.text
    assert senders_in(browser.get("/modems/inbox?modem=m0&first=41"))[-1] == "+6281200000000"


def test_messages_are_marked_and_deleted_together(site: Site, browser: SiteBrowser) -> None:
    ids = [came_in(site, f"+628120000000{number}", "x") for number in range(4)]
    chosen = [("id", one) for one in ids[:2]]
    assert post(browser, "/messages/inbox/selected", [*chosen, ("verb", "read")]).location == "/messages/inbox"
    assert [one["read"] for one in site.call("inbox_list")] == [True, True, False, False]
    assert senders_in(browser.get("/messages/inbox?unread=1")) == ["+6281200000003", "+6281200000002"]
    post(browser, "/messages/inbox/selected", [*chosen[:1], ("id", "gone"), ("verb", "unread")])
    assert [one["read"] for one in site.call("inbox_list")] == [False, True, False, False]
    back = "/modems/inbox?modem=m0"
    assert post(browser, "/messages/inbox/selected", [*chosen, ("verb", "delete"), ("next", back)]).location == back
    assert "2 messages are deleted." in browser.get(back).words
    assert [one["message_id"] for one in site.call("inbox_list")] == ids[2:]
    assert post(browser, "/messages/inbox/selected", [("verb", "delete")]).status == 303
    assert "Choose messages first." in browser.get("/messages/inbox").words


def test_a_reply_goes_by_the_modem_that_the_message_came_to(site: Site, browser: SiteBrowser) -> None:
    message = came_in(site, "+6281200000001", "Yes?")
    opened = browser.post("/messages/inbox/selected", {"open": message})
    assert (opened.status, opened.location) == (303, f"/messages/inbox/show?id={message}")
    page = browser.get(opened.location)
    assert "It is sent by m0, which the message came to." in page.words
    assert site.call("inbox_list")[0]["read"]
    sent = browser.post(f"/messages/inbox/show?id={message}", {"id": message, "message": f"{SECRET}\r\nbye"})
    assert sent.status == 303, sent.words
    assert sent.location.startswith("/messages/sent?id=")
    until(lambda: 'class="done now" aria-current="step">delivered' in browser.get(sent.location).text)
    assert [(one["to"], one["text"]) for one in site.call("phone")] == [("6281200000001", f"{SECRET}\nbye")]
    assert SECRET not in browser.get(sent.location).text


def test_looking_at_a_message_marks_nothing(site: Site, browser: SiteBrowser) -> None:
    message = came_in(site, "+6281200000001", "Yes?")
    assert browser.get(f"/messages/inbox/show?id={message}").status == 200
    assert not site.call("inbox_list")[0]["read"]


@pytest.mark.parametrize(("sender", "damaged"), [("TELKOMSEL", False), ("+6281200000001", True)])
def test_nobody_replies_to_a_name_or_to_what_came_damaged(
    site: Site, browser: SiteBrowser, sender: str, damaged: bool
) -> None:
    message = came_in(site, sender, "Promo", damaged=damaged)
    listed = browser.get("/messages/inbox")
    assert ("Answer" in listed.words, "Open" in listed.words) == (False, True)
    page = browser.get(f"/messages/inbox/show?id={message}")
    assert ('id="no-reply"' in page.text, "<textarea" in page.text) == (True, False)
    answer = browser.post("/messages/inbox/show", {"id": message, "message": "x"})
    assert answer.status == 422
    assert site.call("phone") == []


def test_a_reply_that_cannot_be_sent_is_told_and_not_lost(site: Site, browser: SiteBrowser) -> None:
    message = came_in(site, "+6281200000001", "Yes?")
    answer = browser.post("/messages/inbox/show", {"id": message, "message": ""})
    assert (answer.status, 'role="alert"' in answer.text) == (422, True)
    long = "ab " * 1500
    answer = browser.post("/messages/inbox/show", {"id": message, "message": long})
    assert (answer.status, long in answer.text) == (422, True)
    assert browser.post("/messages/inbox/show", {"id": "gone", "message": "x"}).status == 404
    assert browser.get("/messages/inbox/show?id=gone").status == 404


def test_only_an_administrator_takes_the_texts_away_and_that_is_told(site: Site, browser: SiteBrowser) -> None:
    came_in(site, "+6281200000001", f'=SUM(1)\n"{SECRET}"')
    assert browser.get("/messages/inbox/export").status == 403
    assert "Export" not in browser.get("/messages/inbox").words
    administrator = site.inside(Role.ADMINISTRATOR)
    assert "The file holds the texts of all messages" in administrator.get("/messages/inbox").words
    answer = administrator.get("/messages/inbox/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="inbox.csv"'
    assert answer.headers["cache-control"] == "no-store"
    titles, row = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""))
    found = dict(zip(titles, row, strict=True))
    assert found["text"] == f'\'=SUM(1)\n"{SECRET}"'
    assert found["sender"] == "'+6281200000001"
    assert (found["sent"], found["read"], found["damaged"]) == ("2023-11-14T22:13:20Z", "no", "no")
    assert not site.call("inbox_list")[0]["read"]
    told = [one for one in site.call("audit", limit=50) if one["operation"] == "inbox_export"]
    assert [(one["actor"], one["outcome"]) for one in told] == [("adi", "done")]


def test_texts_of_the_inbox_are_in_no_file(site: Site, browser: SiteBrowser, tmp_path: Path) -> None:
    """Whatever was done by the pages: `inbox.retention` is `ram` (spec, 4)."""
    message = came_in(site, "+6281200000001", SECRET)
    browser.post("/messages/inbox", {"search": SECRET})
    site.inside(Role.ADMINISTRATOR).get("/messages/inbox/export")
    browser.post("/messages/inbox/show", {"id": message, "message": SECRET})
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert files
    assert [one for one in files if SECRET.encode() in one.read_bytes()] == []
