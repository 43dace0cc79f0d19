"""A stranger's first minutes: from a device that nobody owns to a message that an application has sent.

Each step is looked at in both languages; the whole way is gone with and without script, by keyboard alone, and
interrupted in each step.
"""

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from playwright.sync_api import expect

from otppi.testing.waiting import PATIENCE, until
from tests.browser.conftest import DESKTOP, LANGUAGES, PASSWORD, PHONE, Device, Visit, Visitor

expect.set_options(timeout=PATIENCE * 1000)

OWNER, NUMBER = "sari", "081234567890"
WORDS = {
    "id": {
        "ready": "siap",
        "delivered": "sampai di penerima",
        "step": "Langkah 2 dari 6",
        "right": "Jam perangkat benar.",
    },
    "en": {
        "ready": "ready",
        "delivered": "delivered",
        "step": "Step 2 of 6",
        "right": "The clock of the device is right.",
    },
}
STEPS = ("time", "modem", "test", "api", "secure")


class NewDevice(Device):
    """A device that nobody has claimed, and that has no modem and no user of its API."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, modems=[], api_users=[])

    def start(self) -> Self:
        super().start()
        self.provision.write_text("{}")  # what is set by hand stays when it starts again
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError), self.client() as client:
            return client.request("GET", "/api/health")[0] == 401  # there is nobody whom it knows
        return False


@pytest.fixture
def new(tmp_path: Path) -> Iterator[NewDevice]:
    one = NewDevice(tmp_path)
    try:
        one.start()
        one.until_pages()
        yield one
        assert one.stop() == 0
    finally:
        one.close()


def claim(visitor: Visitor, code: str) -> None:
    visitor.open("/")
    assert visitor.page.url.endswith("/claim")
    visitor.fill(username=OWNER, password=PASSWORD, phone=NUMBER, code=code).send()
    assert visitor.page.url.endswith("/guide/time")


def use_simulated(visitor: Visitor) -> None:
    """Take a simulated modem into use, and wait until it is ready."""
    page = visitor.page
    with page.expect_navigation():
        page.click("form[action='/guide/simulate'] button")
    ready = page.locator("#modems .state", has_text=re.compile(f"^{WORDS[visitor.language]['ready']}$"))
    if page.locator("[data-without-script]").is_visible():
        until(lambda: _refreshed(visitor) and ready.count(), "the modem is ready")
    expect(ready).to_have_count(1)


def _refreshed(visitor: Visitor) -> bool:
    with visitor.page.expect_navigation():
        visitor.page.click("[data-without-script]")
    return True


def have_modems(device: Device, *modems: dict[str, Any]) -> None:
    """Set the modems as somebody else does, on the device."""
    done = device.cli("settings", "import", "-", stdin=json.dumps({"modems": modems}))
    assert done.returncode == 0, done.stderr


def until_delivered(visitor: Visitor) -> None:
    arrived = visitor.page.locator(f".steps .now:has-text('{WORDS[visitor.language]['delivered']}')")
    if visitor.page.locator("[data-without-script]").is_visible():
        until(lambda: arrived.count() or (_refreshed(visitor) and arrived.count()), "the message has arrived")
    expect(arrived).to_have_count(1)


def go_on(visitor: Visitor, to: str) -> None:
    visitor.received = 0
    with visitor.page.expect_navigation():
        visitor.page.click("main .primary")
    assert visitor.page.url.endswith(to), visitor.page.url


def run_line(visitor: Visitor, device: Device) -> None:
    """Run the line as it stands on the page, and see the message arrive."""
    line = visitor.page.inner_text("#line")
    answer = subprocess.run(
        ["bash", "-c", f"{line} -s -S"], check=True, capture_output=True, text=True, timeout=PATIENCE
    ).stdout
    assert json.loads(answer)["data"]["state"] in ("sent", "delivered"), answer
    told = device.cli("phone", "--json")
    assert [one["text"] for one in json.loads(told.stdout)][-1] == "OTP-Pi"


@pytest.mark.parametrize("script", [True, False], ids=["script", "none"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_way_of_a_stranger(new: NewDevice, visit: Visit, language: str, script: bool) -> None:
    visitor = visit(new, language, PHONE, java_script_enabled=script)
    page, words = visitor.open("/"), WORDS[language]

    def look(name: str) -> None:
        if script:
            visitor.look(name)

    look("claim")
    visitor.fill(username=OWNER, password="bismillah1", code="x").send()
    assert page.locator("[aria-invalid=true]").count() >= 1
    look("claim-wrong")
    claim(visitor, new.code())
    assert words["step"] in visitor.text
    if script:
        expect(page.locator("#clock")).to_contain_text(words["right"])
    page.select_option("#time_zone", "Asia/Jakarta")
    look("guide-time")
    go_on(visitor, "/guide/modem")
    look("guide-modem-none")
    use_simulated(visitor)
    look("guide-modem")
    go_on(visitor, "/guide/test")
    assert page.input_value("[name=receiver]") == NUMBER
    look("guide-test")
    visitor.send()
    until_delivered(visitor)
    look("guide-test-sent")
    assert "Uji OTP-Pi" not in page.content()
    go_on(visitor, "/guide/api")
    assert page.input_value("[name=username]") == "app"
    look("guide-api")
    visitor.send()
    look("guide-api-added")
    if script:
        page.click("[data-copy='#line']")
        page.wait_for_function("getSelection().toString().startsWith('curl ')")
    run_line(visitor, new)
    go_on(visitor, "/guide/secure")
    look("guide-secure")
    go_on(visitor, "/")
    assert page.locator("#guide").count() == 0
    look("home-set-up")


def test_back_and_reload_after_a_mistake_ask_for_nothing_to_be_sent_again(new: NewDevice, visit: Visit) -> None:
    """The phone is in another zone than the device, too, which does not make the device's clock wrong."""
    visitor = visit(new, "id", PHONE, timezone_id="Pacific/Auckland")
    page = visitor.open("/")
    visitor.fill(username=OWNER, password=PASSWORD, code="x").send()
    page.reload()
    assert page.locator("[aria-invalid=true]").count() == 0, "the form anew"
    visitor.fill(username=OWNER, password=PASSWORD, code="x").send()
    visitor.fill(password=PASSWORD, code=new.code()).send()
    expect(page.locator("#clock")).to_contain_text(WORDS["id"]["right"])
    hours = re.findall(r"(\d\d)\.(\d\d)", page.inner_text("#clock"))
    device, phone = (int(hour) * 60 + int(minute) for hour, minute in hours)
    assert (phone - device) % (24 * 60) <= 1, "a minute may begin between the two"
    page.go_back()
    assert page.url.endswith("/claim")
    assert "Ke halaman pertama" in visitor.text


def test_interrupted_in_each_step_and_gone_on_with_elsewhere(new: NewDevice, visit: Visit) -> None:
    first = visit(new, "en", DESKTOP)
    claim(first, new.code())
    do: dict[str, Any] = {
        "time": lambda one: one.send(),
        "modem": use_simulated,
        "test": lambda one: until_delivered(one.send()),
        "api": lambda one: one.send(),
    }
    for number, step in enumerate(STEPS, 2):
        before = visit(new, "en", DESKTOP).login(OWNER)
        before.open("/guide")
        assert before.page.url.endswith(f"/guide/{step}"), "it goes on where it was left"
        before.look(f"guide-{step}-again")
        before.open("/")
        assert f"Set up: {number - 1} of 6" in before.text
        before.look("home-guide")
        if step == "modem":  # the device itself goes down in the middle of it
            new.kill()
            new.start()
            new.until_pages()
        elif step == "test":  # and here the session
            before.page.click(".who summary")
            with before.page.expect_navigation():
                before.page.click(".sheet button.quiet")
            before.open("/guide/test")
            assert before.page.url.endswith("/login?next=/guide/test")
        one = visit(new, "en", PHONE).login(OWNER)
        one.page.click("#guide ~ form .primary")
        one.page.wait_for_url(f"**/guide/{step}")
        if step in do:
            do[step](one)
        before.page.context.close()
    last = visit(new, "en", PHONE).login(OWNER)
    last.open("/guide")
    go_on(last, "/")
    assert "Set up" not in last.text


def test_by_keyboard_alone_from_the_claim_to_the_end(new: NewDevice, visit: Visit) -> None:
    visitor = visit(new, "en")
    page, keyboard = visitor.open("/"), visitor.page.keyboard

    def reach(wanted: str) -> None:
        """Press Tab until an element has the focus, and is seen to have it."""
        for _ in range(60):
            keyboard.press("Tab")
            if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
                return
        raise AssertionError(f"{wanted} is not reached")

    def press(wanted: str, to: str) -> None:
        reach(wanted)
        with page.expect_navigation():
            keyboard.press("Enter")
        assert page.url.endswith(to), page.url

    for name, value in (("username", OWNER), ("password", PASSWORD), ("phone", NUMBER), ("code", new.code())):
        reach(f"[name={name}]")
        keyboard.type(value)
    with page.expect_navigation():
        keyboard.press("Enter")
    press("main .primary", "/guide/modem")
    press("[action='/guide/simulate'] button", "/guide/modem")
    expect(page.locator("#modems .state", has_text=re.compile("^ready$"))).to_have_count(1)
    press("main .primary", "/guide/test")
    reach("main .primary")
    with page.expect_navigation():
        keyboard.press("Enter")
    until_delivered(visitor)
    press("main .primary", "/guide/api")
    press("main .primary", "/guide/api")
    run_line(visitor, new)
    press("main .primary", "/guide/secure")
    press("[action='/guide/leave'] .primary", "/")


def test_a_modem_and_a_test_are_told_as_they_come(new: NewDevice, visit: Visit) -> None:
    """What is done elsewhere is seen without a click, and what is being typed stays."""
    visitor = visit(new, "en")
    claim(visitor, new.code())
    page = visitor.open("/guide/modem")
    expect(page.locator("#modems")).to_contain_text("No modem yet.")
    locked = {"name": "m0", "type": "simulated", "faults": ["pin-required"]}
    have_modems(new, locked)
    expect(page.locator("[name=pin]")).to_be_visible()
    visitor.look("guide-modem-pin")
    page.fill("[name=pin]", "12")
    have_modems(new, locked, {"name": "m1", "type": "simulated"})
    until(lambda: "m1" in page.evaluate("fetch(location).then(one => one.text())"), "the device shows another one")
    assert page.input_value("[name=pin]") == "12"
    assert page.evaluate("document.activeElement.name") == "pin"
    page.fill("[name=pin]", "")
    page.evaluate("document.activeElement.blur()")
    expect(page.locator("#modems")).to_contain_text("m1")


def test_by_keyboard_alone(device: Device, visit: Visit) -> None:
    visitor = visit(device, "en")
    page = visitor.open("/login")
    keyboard = page.keyboard
    assert page.evaluate("document.activeElement.id") == "username"
    keyboard.type("rina")
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    with page.expect_navigation():
        keyboard.press("Enter")
    assert page.url == f"{device.address}/"
    keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
