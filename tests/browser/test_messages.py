"""The pages of messages as people use them: numbers imported from a file, the inbox, and SMS counted while typed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.simulator import ModemRack
from otppi.testing.waiting import until
from otppi.wire.segment import segment
from tests.browser.conftest import DESKTOP, PHONE, Device, Visit, Visitor, claimed

NUMBERS = "Nomor;Nama\r\n0812-0000-0001;Budi\r\n0812-0000-0002;Ani\r\n0812-0000-0003;Citra\r\n"
SIZES = pytest.mark.parametrize(("language", "width"), [("id", PHONE), ("en", DESKTOP)])


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A gateway whose modem has some messages that came in."""
    with ModemRack(directory=tmp_path_factory.mktemp("rack")) as rack:
        modem = {"name": "m0", "type": "at", "port": str(rack.paths[0]), "default_modem": True}
        with claimed(Device(tmp_path_factory.mktemp("device"), modems=[modem])) as one:
            one.until_ready()
            for number in range(8):
                rack.modems[0].deliver(f"62812000000{number:02}", f"Halo {number}, balas ya. " * (number + 1))
            until(lambda: one.cli("inbox", "list", "--json").stdout.count('"message_id"') == 8, "messages came in")
            yield one


def words(visitor: Visitor, indonesian: str, english: str) -> str:
    return indonesian if visitor.language == "id" else english


@SIZES
def test_numbers_are_imported_searched_and_unblocked(
    device: Device, visit: Visit, tmp_path: Path, language: str, width: int
) -> None:
    visitor = visit(device, language, width).login()
    page = visitor.open("/messages/blocked/file")
    visitor.look("blocked-file", also_dark=True)
    page.fill("[name=numbers]", "0812\n6.28E+12")
    visitor.send()
    visitor.look("blocked-wrong", also_dark=True)
    assert page.input_value("[name=numbers]") == "0812\n6.28E+12"
    page.fill("[name=numbers]", "")
    file = tmp_path / "numbers.csv"
    file.write_text(NUMBERS, newline="")
    page.set_input_files("[name=file]", file)
    visitor.send()
    visitor.look("blocked-try", also_dark=True)
    visitor.send()
    assert page.url.endswith("/messages/blocked")
    assert page.locator("tbody tr").count() == 3
    visitor.look("blocked-list", also_dark=True)
    with page.expect_download() as download:
        page.click("a[href='/messages/blocked/export']")
    assert download.value.suggested_filename == "blocking-list.csv"
    assert "'+6281200000001," in Path(download.value.path()).read_text()
    page.fill("[name=search]", "0003")
    with page.expect_navigation():
        page.press("[name=search]", "Enter")
    assert page.locator("tbody tr").count() == 1
    visitor.open("/messages/blocked")
    for box in page.locator("[name=chosen]").all():
        box.check()
    with page.expect_navigation():
        page.click("button.danger")
    assert words(visitor, "3 nomor tidak lagi diblokir.", "3 numbers are no longer blocked.") in visitor.text


@SIZES
def test_the_inbox_is_read_answered_and_tidied(device: Device, visit: Visit, language: str, width: int) -> None:
    visitor = visit(device, language, width).login()
    page = visitor.open("/messages/inbox")
    page.on("dialog", lambda dialog: dialog.accept())
    visitor.look("inbox-full", also_dark=True)
    with page.expect_navigation():
        page.locator("article button").first.click()
    assert page.locator("#reply-help").count() == 1
    page.fill("[name=message]", "Terima kasih")
    visitor.look("inbox-reply", also_dark=True)
    visitor.send()
    delivered = words(visitor, "sampai di penerima", "delivered")
    page.wait_for_selector(f".steps .now:has-text('{delivered}')")
    visitor.open("/messages/inbox")
    before = page.locator("article.unread").count()
    boxes = page.locator("article [name=id]")
    page.locator("[data-all] input").check()
    assert all(box.is_checked() for box in boxes.all())
    page.locator("[data-all] input").uncheck()
    boxes.nth(1).check()
    with page.expect_navigation():
        page.click("button[value=read]")
    assert page.locator("article.unread").count() == before - 1
    shown = page.locator("article").count()
    boxes.nth(0).check()
    with page.expect_navigation():
        page.click("button[value=delete]")
    assert words(visitor, "1 pesan dihapus.", "1 message is deleted.") in visitor.text
    assert page.locator("article").count() <= shown


def test_an_inbox_in_which_something_is_chosen_is_not_drawn_anew(device: Device, visit: Visit) -> None:
    """The inbox of a modem looks again by itself, but for while somebody is at work there."""
    visitor = visit(device, "en", DESKTOP).login()
    page = visitor.open("/modems/inbox?modem=m0")
    at_work = "document.activeElement.blur(), worked(document.getElementById('received'))"
    assert page.evaluate(at_work) is False
    page.locator("article [name=id]").first.check()
    assert page.evaluate(at_work) is True


def test_sms_are_counted_as_they_are_cut(device: Device, visit: Visit) -> None:
    visitor = visit(device, "en", PHONE).login()
    page = visitor.open("/messages")
    shown = page.locator("[data-count]")
    assert not shown.is_visible()
    texts = [
        "a", "a" * 160, "a" * 161, "a" * 306, "a" * 307, "€" * 80, "€" * 81, "a" + "€" * 153, "[{}]~^|\\" * 20,
        "é" * 161, "ê", "ê" * 70, "ê" * 71, "ê" * 135, "😀" * 35, "😀" * 36, "a" + "😀" * 67,
        "Kode Anda: 123456\nJangan", "\n" * 161, "кириллица " * 30, "x" * 1600,
    ]  # fmt: skip
    for text in texts:
        page.fill("[name=message]", text)
        assert shown.inner_text().split()[0] == str(len(segment(text))), text
    page.fill("[name=message]", "Halo")
    assert shown.inner_text() == "1 SMS, room for 156 more characters"
    visitor.look("messages-counted", also_dark=True)
