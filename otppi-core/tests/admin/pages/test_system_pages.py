"""The pages of the system: the log as it is filtered and downloaded, the server status, and the diagnostics."""

import io
import json
import logging
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from otppi.admin.pages.system_status import THROTTLED, span_said
from otppi.api.operations import Role
from otppi.cli.logs import KeepingHandler, LineFormatter
from otppi.host.modems.power_supply import SupplyReading
from otppi.testing.site import Site

MARKER = "kode-rahasia-7316"
RECEIVER = "081234567890"


@pytest.fixture(scope="module")
def logging_site(shared_site: Site) -> Iterator[Site]:
    """A site whose log is kept, as the command `otppi run` has it."""
    handler = KeepingHandler(io.StringIO(), LineFormatter(journal=True), shared_site.host.log)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield shared_site
    root.removeHandler(handler)
    root.setLevel(before)


def test_the_log_is_shown_newest_first_and_filtered(logging_site: Site) -> None:
    logging.getLogger("otppi.host.modems.fleet").info("modem %s is ready", "m7")
    logging.getLogger("otppi_modem_huawei.driver").error("modem %s\x1b[2J <script>", "m8")
    browser = logging_site.inside(Role.ADMINISTRATOR)
    page = browser.get("/system/log")
    assert page.status == 200
    shown = page.text.partition("<template")[0]
    assert shown.index("modem m8") < shown.index("modem m7 is ready")
    assert r"m8\x1b[2J &lt;script&gt;" in shown, "what is in a line does nothing"
    for query, m7, m8 in (
        ("level=error", False, True),
        ("room=modems", True, False),
        ("room=otppi_modem_huawei", False, True),
        ("words=READY+m7", True, False),
        ("words=nowhere", False, False),
        ("level=nonsense&room=&words=", True, True),
    ):
        for path in (f"/system/log?{query}", f"/system/log/download?{query}"):
            told = browser.get(path)
            assert told.status == 200
            found = [f"modem {one}" in told.text.partition("<template")[0] for one in ("m7", "m8")]
            assert found == [m7, m8], path
    assert "No line is like that." in browser.get("/system/log?words=nowhere").words


def test_the_log_is_downloaded_as_a_text_under_a_name_of_ours(logging_site: Site) -> None:
    logging.getLogger("otppi.host.modems.fleet").warning("modem %s is away", "m9")
    told = logging_site.inside(Role.ADMINISTRATOR).get("/system/log/download?words=m9")
    assert told.headers["content-disposition"] == 'attachment; filename="otppi-log.txt"'
    assert told.headers["content-type"].replace("; ", ";") == "text/plain;charset=utf-8"
    (line,) = told.text.splitlines()
    assert line.endswith("WARNING  otppi.host.modems.fleet: modem m9 is away")


def test_strange_words_are_only_looked_for(logging_site: Site) -> None:
    browser = logging_site.inside(Role.ADMINISTRATOR)
    for query in ("words=%00", "words=" + "x" * 5_000, "room=%0a", "level=a&level=b", "words=%3Cscript%3E"):
        page = browser.get(f"/system/log?{query}")
        assert page.status == 200, query
        assert "<script>" not in page.text.partition("<main")[2].replace('<script src="', "")


def test_the_page_of_the_log_is_for_administrators(logging_site: Site) -> None:
    for path in ("/system/log", "/system/log/events", "/system/log/download", "/system/diagnostics"):
        assert logging_site.inside(Role.OPERATOR).get(path).status == 403


# -- the server status -------------------------------------------------------------------------------------------------


def test_the_server_status_says_what_is_known_and_what_is_not(
    shared_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = shared_site.call("server_status")
    assert told["uptime"] > 0
    browser = shared_site.inside(Role.VIEWER)
    page = browser.get("/system/status")
    assert page.status == 200
    assert told["kernel"] in page.words
    for one in told["interfaces"]:
        assert one["name"] in page.words
        assert all(address in page.words for address in one["addresses"])
    supply = shared_site.host.fleet.power_supply
    monkeypatch.setattr(supply, "reading", lambda: SupplyReading(throttled=True, under_voltage_seen=True))
    page = browser.get("/system/status")
    assert "the processor is throttled" in page.words
    assert "Since the device was switched on: undervoltage" in page.words
    monkeypatch.setattr(supply, "reading", lambda: None)
    assert "Limited not known" in browser.get("/system/status").words


def test_each_reason_has_its_word() -> None:
    names = {one.removesuffix("_seen") for one in SupplyReading.__dataclass_fields__}
    assert names == THROTTLED.keys()


@pytest.mark.parametrize(
    ("seconds", "said"), [(59, "0 h 0 min"), (3_661, "1 h 1 min"), (90_000, "1 d 1 h"), (864_000, "10 d 0 h")]
)
def test_how_long_it_has_been_on(seconds: int, said: str) -> None:
    assert span_said(seconds) == said


# -- the diagnostics ---------------------------------------------------------------------------------------------------


def unpacked(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name.partition("/")[2]: archive.read(name).decode() for name in archive.namelist()}


def test_the_archive_has_what_helps_and_no_text_or_number_of_a_person(logging_site: Site, raw: Any) -> None:
    sent = logging_site.call("send", receiver=RECEIVER, message=MARKER, wait=20)
    assert sent["state"] in ("sent", "delivered")
    logging.getLogger("a.library").warning("amqp://guest:hidden1@broker.example/ for mail of rina@shop.example")
    browser = logging_site.inside(Role.ADMINISTRATOR)
    assert browser.get("/system/diagnostics").status == 200
    status, headers, content = raw(browser, "/system/diagnostics/download")
    assert status == 200
    assert headers["content-disposition"] == 'attachment; filename="otppi-diagnostics.zip"'
    files = unpacked(content)
    assert files.keys() == {
        *("about.txt", "settings.json", "status.json", "modems.json", "services.json", "plugins.json"),
        *("server.json", "metrics.json", "log.txt", "checks.json", "files.txt"),
    }
    everything = "\n".join(files.values())
    for hidden in (MARKER, RECEIVER, RECEIVER[1:], "hidden1", "rina@"):
        assert hidden not in everything
    (modem,) = logging_site.call("modems")
    for key in ("imei", "imsi", "iccid"):
        assert modem[key]
        assert modem[key] not in everything
    assert "r*****@shop.example" in files["log.txt"]
    assert json.loads(files["modems.json"])[0]["imei"].startswith(modem["imei"][:5])
    assert json.loads(files["status.json"])["version"] in files["about.txt"]
    assert json.loads(files["settings.json"])["modems"][0]["name"] == "m0"
    assert "settings.json" in files["files.txt"]
    assert "-rw-------" in files["files.txt"]
    assert json.loads(files["checks.json"])["checks"]
    (entry,) = logging_site.call("audit", limit=1)
    assert (entry["operation"], entry["outcome"]) == ("diagnostics", "done")
