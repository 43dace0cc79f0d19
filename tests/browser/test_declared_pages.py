"""A page of a plugin in a real browser, and how a broken plugin is switched off in safe mode."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.testing.waiting import until
from tests.browser.conftest import DESKTOP, PHONE, Device, Visit, claimed

PLUGIN = """
from otppi.api import hookimpl
from otppi.api.blocks import *
from otppi.api.blocks import Level
from otppi.api.operations import Operation, Role
from otppi.api.pages import Menu, Page, Tile
from otppi.api.settings import Section, integer, text

DAYS = ("1 Nov", "2 Nov", "3 Nov", "4 Nov", "5 Nov", "6 Nov", "7 Nov")


def blocks(context):
    yield Notice(Level.WARN, "2 SIM cards are below Rp 10,000.")
    yield Facts({"SIM cards": 4, "Checked": Timestamp(1_790_000_000), "Total": 1_234_567}, title="Stock")
    yield Table(
        title="SIM cards", columns=("SIM", "Operator", "Balance", "State", "Top up"), page_length=3,
        rows=[(f"sim-{n}", "Telkomsel", 4500 * n, Mark(Level.BAD if n < 3 else Level.GOOD, "low" if n < 3 else "fine"),
               OperationButton("top_up", {"modem": f"sim-{n}"})) for n in range(1, 9)])
    yield Chart(title="Spent a day", points=[(day, 900 * (n % 4) + 300) for n, day in enumerate(DAYS)], unit="Rp")
    yield Chart(title="Balance", points=[(day, 90_000 - 9000 * n) for n, day in enumerate(DAYS)], kind=ChartKind.LINE)
    yield Form("stock")
    yield Operations(["count"])
    yield "no block"


def top_up(call, modem):
    return {"modem": modem, "new_balance": 50000}


MODEM = text("modem", "Modem", "Its name.", required=True)


@hookimpl
def otppi_sections():
    return [Section(key="stock", title="Limits of the stock", help="When it warns.", reset_group="stock",
                    settings=(integer("limit", "Limit", "Below it a SIM card is low.", 10000, unit="Rp"),))]


@hookimpl
def otppi_admin_pages():
    operations = (
        Operation(name="top_up", title="Top up", help="Send the top-up code.", handler=top_up, parameters=(MODEM,),
                  role=Role.OPERATOR, confirm="This costs money.", subject="modem"),
        Operation(name="count", title="Count", help="Count them again.", handler=lambda call: [{"sim": "sim-1"}],
                  role=Role.OPERATOR, reads_only=True),
    )
    return [Page(key="sim-stock", title="SIM stock", menu=Menu.MODEMS, blocks=blocks, operations=operations,
                 tile=lambda context: Tile(Level.WARN, "2 SIM cards below Rp 10,000"))]
"""


class PluggedDevice(Device):
    """A device with a plugin, which may be started without it."""

    def start_in_safe_mode(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "otppi", "run", "--safe-mode", "--data", str(self.data)]
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment()
            )
        until(lambda: self.cli("status").returncode == 0, what="the gateway answers")
        self.until_pages()


@pytest.fixture(scope="module")
def plugged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PluggedDevice]:
    installed = tmp_path_factory.mktemp("installed")
    install(installed, "stock", PLUGIN)
    install(installed, "broken", "1 / 0")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("PYTHONPATH", str(installed))
        with claimed(PluggedDevice(tmp_path_factory.mktemp("device"))) as one:
            yield one


def install(folder: Path, name: str, source: str) -> None:
    (folder / f"otppi_{name}_of_a_test.py").write_text(source)
    about = folder / f"otppi_{name}-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: otppi-{name}\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text(f"[otppi]\n{name} = otppi_{name}_of_a_test\n")


@pytest.mark.parametrize(
    ("language", "width", "scheme"), [("id", PHONE, "light"), ("en", PHONE, "dark"), ("en", DESKTOP, "light")]
)
def test_a_page_of_a_plugin(plugged: PluggedDevice, visit: Visit, language: str, width: int, scheme: str) -> None:
    visitor = visit(plugged, language, width, scheme)
    visitor.login()
    assert "2 SIM cards below Rp 10,000" in visitor.text
    visitor.open("/pages/sim-stock")
    visitor.look("declared-page")
    page = visitor.page
    assert page.locator("main .scroll tbody tr").count() == 3
    page.click("th a:has-text('Balance')")
    page.click("th a:has-text('Balance')")
    assert page.locator("main .scroll tbody tr").first.inner_text().startswith("sim-8")
    page.locator("main .scroll button").first.click()
    page.wait_for_url("**/pages/sim-stock/top_up")
    visitor.look("declared-operation")
    page.check("[name=_confirmed]")
    visitor.send()
    assert "sim-8" in page.inner_text("#result")
    visitor.look("declared-result")
    with page.expect_navigation():
        page.locator("form[action='/pages/sim-stock/count'] button:visible").click()
    assert "sim-1" in page.inner_text("#result table")
    visitor.look("declared-table")
    told = json.loads(plugged.cli("sim-stock", "top-up", "--modem", "sim-1", "--json").stdout)
    assert told == {"modem": "sim-1", "new_balance": 50000}


def test_a_broken_plugin_is_switched_off_in_safe_mode(plugged: PluggedDevice, visit: Visit) -> None:
    assert plugged.stop() == 0
    plugged.start_in_safe_mode()
    for language, banner in (
        (
            "id",
            "Mode aman: plugin tidak dimuat, SMS tidak dikirim. Hapus atau nonaktifkan plugin yang rusak,"
            " lalu mulai ulang.",
        ),
        ("en", "Safe mode: no plugins, no SMS is sent. Remove or switch off the broken plugin, then restart."),
    ):
        visitor = visit(plugged, language, PHONE if language == "id" else DESKTOP)
        visitor.login()
        assert banner in visitor.text
        assert "modems[0]" not in visitor.text, "what is set for plugins is not broken because they are not there"
        visitor.look("safe-mode-home")
        visitor.open("/pages/plugin-list")
        visitor.look("safe-mode-plugins")
        assert "SIM stock" not in visitor.page.inner_text("body")
        assert visitor.open("/pages/sim-stock").inner_text("h1") != "SIM stock"
    visitor.open("/pages/plugin-list")
    visitor.page.click("[aria-label='Switch off: broken']")
    visitor.page.wait_for_url("**/pages/plugin-list")
    assert "broken is not loaded from the next start on." in visitor.text
    assert plugged.stop() == 0
    plugged.start()
    found = {one["name"]: one["state"] for one in json.loads(plugged.cli("plugins", "--json").stdout)}
    assert (found["broken"], found["stock"]) == ("off", "loaded")
    assert "broken" not in plugged.cli("doctor").stdout
