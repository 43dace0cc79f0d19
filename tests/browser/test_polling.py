"""Parts of pages that are looked at again by themselves: when the login, or the device, is gone, nothing old stays."""

from tests.browser.conftest import PHONE, Device, Visit


def test_a_page_whose_login_has_ended_goes_to_the_login(device: Device, visit: Visit) -> None:
    visitor = visit(device, "en", PHONE).login()
    visitor.open("/modems")
    visitor.page.context.clear_cookies()
    visitor.page.wait_for_url(lambda url: url.endswith("/login?next=/modems"))


def test_a_page_whose_device_is_gone_says_so_and_no_more_once_it_is_back(device: Device, visit: Visit) -> None:
    visitor = visit(device, "en", PHONE).login()
    visitor.open("/modems")
    assert not visitor.page.locator("#lost").is_visible()
    visitor.page.route("**/modems", lambda route: route.abort())
    visitor.page.wait_for_selector("#lost:visible")
    visitor.page.unroute("**/modems")
    visitor.page.wait_for_selector("#lost", state="hidden")
    visitor.faults.clear()  # what was aborted
