"""The modems in a browser: how they appear while one looks, and how one that needs a person is looked at."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.waiting import PATIENCE
from tests.browser.conftest import DESKTOP, LANGUAGES, PHONE, Device, Visit, claimed

EMPTY = {
    "id": ("Belum ada modem. Pasang ke USB; ia muncul di sini dalam beberapa detik.", "Coba dengan modem simulasi"),
    "en": ("No modem yet. Plug one in: it appears here within seconds.", "Try a simulated one"),
}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A gateway without a modem."""
    with claimed(Device(tmp_path_factory.mktemp("bare"), modems=[])) as one:
        yield one


def put(device: Device, *modems: dict[str, object]) -> None:
    told = device.cli("settings", "import", "-", stdin=json.dumps({"modems": modems}))
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_modem_appears_while_one_looks(bare: Device, visit: Visit, language: str) -> None:
    put(bare)
    visitor = visit(bare, language, PHONE).login()
    page = visitor.open("/modems")
    empty, simulated = EMPTY[language]
    expect(page.locator("main")).to_contain_text(empty)
    visitor.look("modems-empty")
    put(bare, {"name": "datang", "type": "simulated"})
    expect(page.locator("h2 a:has-text('datang')")).to_be_visible(timeout=PATIENCE * 1000)
    put(bare)
    page.click(f"button:has-text('{simulated}')", timeout=PATIENCE * 1000)
    page.wait_for_url("**/modems/show?modem=m0")
    expect(page.locator("#modem-state .state.good")).to_be_visible(timeout=PATIENCE * 1000)


@pytest.mark.parametrize(("language", "width"), [("id", PHONE), ("en", DESKTOP)])
def test_a_locked_sim_card_is_looked_at(
    bare: Device, visit: Visit, tmp_path_factory: pytest.TempPathFactory, language: str, width: int
) -> None:
    """On each step: the PIN, the last try of it, the PUK."""
    profile = ModemProfile(pin="4711", puk="12345678")
    with ModemRack(profiles=[profile], directory=tmp_path_factory.mktemp("rack")) as rack:
        put(bare, {"name": "kantor", "type": "at", "port": str(rack.paths[0]), "recipient_prefixes": ["62811"]})
        visitor = visit(bare, language, width).login()
        page = visitor.open("/modems/show?modem=kantor")
        expect(page.locator("#modem-state .notice.bad")).to_be_visible(timeout=PATIENCE * 1000)
        visitor.look("modem-needs-pin")
        page.click("#modem-state a")
        visitor.look("modem-sim-pin")
        for left in ("2", "1"):
            visitor.fill(secret="9999").send()
            expect(page.locator("dl dd").first).to_have_text(left)
        visitor.look("modem-sim-last-try")
        visitor.fill(secret="9999", word="LAST TRY").send()
        expect(page.locator("[name=new_pin]")).to_be_visible()
        visitor.look("modem-sim-puk")
        visitor.fill(secret="12345678", new_pin="1122").send()
        expect(page.locator("main .state.good").first).to_be_visible()
        page = visitor.open("/settings/modems/remove?_item=kantor")
        visitor.look("modem-remove-depends")
        page = visitor.open("/settings/modems/edit?_item=kantor")
        visitor.look("modem-settings-tab")
    put(bare)
