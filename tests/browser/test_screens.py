"""Each page in both languages, on a phone and on a desk, light and dark: accessible, not too wide, self-contained."""

import pytest

from tests.browser.conftest import DESKTOP, LANGUAGES, PHONE, Device, Visit

PAGES = {
    "home": "/",
    "monitor": "/monitor",
    "messages": "/messages",
    "inbox": "/messages/inbox",
    "blocked": "/messages/blocked",
    "report": "/messages/report",
    "report-sums": "/messages/report/sums",
    "blocked-file": "/messages/blocked/file",
    "modems": "/modems",
    "modem": "/modems/show?modem=m0",
    "modem-test": "/modems/test?modem=m0",
    "modem-inbox": "/modems/inbox?modem=m0",
    "modem-ussd": "/modems/ussd?modem=m0",
    "modem-sim": "/modems/sim?modem=m0",
    "administrators": "/administrators",
    "administrator-add": "/administrators/add",
    "administrator-edit": "/administrators/edit?name=rina",
    "account": "/account",
    "totp": "/account/totp",
    "plugin-list": "/pages/plugin-list",
    "system": "/system",
    "import": "/system/import",
    "audit": "/pages/audit",
    "alarm-list": "/pages/alarm-list",
    "guide-time": "/guide/time",
    "guide-modem": "/guide/modem",
    "guide-test": "/guide/test",
    "guide-api": "/guide/api",
    "guide-secure": "/guide/secure",
    "service-restart": "/services/restart?service=modem%3Am0",
    "system-log": "/system/log",
    "system-status": "/system/status",
    "system-diagnostics": "/system/diagnostics",
    "system-certificate": "/system/certificate",
    "system-certificate-new": "/system/certificate/new",
    "system-certificate-make": "/system/certificate/make",
    "gateway-restart": "/services/gateway",
    "jobs": "/jobs",
    "backup": "/system/backup",
    "error": "/nothing",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_all_pages(device: Device, visit: Visit, language: str, width: int) -> None:
    visitor = visit(device, language, width)
    visitor.open("/login")
    visitor.look("login", also_dark=True)
    visitor.fill(username="rina", password="wrong").send()
    visitor.look("login-wrong", also_dark=True)
    visitor.login()
    for name, path in PAGES.items():
        visitor.open(path)
        visitor.look(name, also_dark=True)


def test_all_pages_without_script(device: Device, visit: Visit) -> None:
    visitor = visit(device, "en", java_script_enabled=False)
    visitor.login()
    for path in PAGES.values():
        page = visitor.open(path)
        assert page.inner_text("h1")
    page = visitor.open("/messages/blocked")
    visitor.fill(receiver="08127777777").send()
    assert "628127777777 is blocked." in visitor.text
    page.click("text=Unblock")
    page.wait_for_url("**/messages/blocked")
    assert "No number is blocked." in visitor.text
