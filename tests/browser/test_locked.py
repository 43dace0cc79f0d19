"""The page for who is locked out: drawings, also on a phone and in the dark, and in words."""

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Device, Visit


@pytest.mark.parametrize(
    ("language", "width", "says"), [("id", PHONE, "kode perangkat"), ("en", DESKTOP, "device code")]
)
def test_pictures_say_where_the_stick_goes(device: Device, visit: Visit, language: str, width: int, says: str) -> None:
    visitor = visit(device, language, width)
    page = visitor.open("/locked")
    visitor.look("locked", also_dark=True)
    files, sockets = (one.get_attribute("aria-label") or "" for one in page.locator("svg[role=img]").all())
    assert "optb" in files
    assert "reset.txt" in files
    assert says in files
    assert "ACT" in sockets
    for one in page.locator("main svg").all():
        box = one.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
