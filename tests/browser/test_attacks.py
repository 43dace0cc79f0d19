"""What a page of elsewhere tries on somebody who is logged in, in a real Chromium: it gets nowhere.

Cookies overlook ports, and so does "same site": a page on another port of the device is the hardest one to tell apart.
"""

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from otppi.testing.waiting import PATIENCE
from tests.browser.conftest import PASSWORD, USERNAME, Device, Visit

MARKUP = "\"'><img src=x onerror=alert(1)><script>alert(1)</script>"


@contextmanager
def elsewhere(body: str) -> Iterator[str]:
    """Serve a page on another port of the same address, and give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(f"<!doctype html><title>elsewhere</title>{body}".encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()


def fields(**values: str) -> str:
    return "".join(f'<input name="{name}" value="{value}">' for name, value in values.items())


def token_of(device: Device, cookie: str) -> str:
    """Return the token of forms that are shown to whoever has a cookie that was made up."""
    connection = http.client.HTTPConnection("127.0.0.1", device.page_port, timeout=PATIENCE)
    connection.request("GET", "/login", headers={"Cookie": f"otppi-browser={cookie}"})
    text = connection.getresponse().read().decode()
    connection.close()
    return str(re.findall('name="form_token" value="([0-9a-f]+)"', text)[0])


@pytest.mark.parametrize("path", ["/logout", "/account/end", "/administrators/switch", "/language"])
def test_a_page_on_another_port_of_the_device_gets_nowhere(device: Device, visit: Visit, path: str) -> None:
    """Our cookie goes along with the form, Strict as it is: the origin is what tells."""
    visitor = visit(device, "en").login()
    token = visitor.page.get_attribute("[name=form_token]", "value") or ""
    form = fields(form_token=token, name=USERNAME, verb="block", language="id")
    with elsewhere(f'<form method="post" action="{device.address}{path}">{form}<button>Win</button></form>') as address:
        visitor.page.goto(address)
        with visitor.page.expect_response(f"**{path}") as answered:
            visitor.page.click("button")
        assert answered.value.status == 403
        assert "otppi=" in answered.value.request.all_headers()["cookie"], "else this test shows nothing"
    assert visitor.open("/account").url == f"{device.address}/account", "the session goes on"


def test_nobody_is_logged_in_as_somebody_else(device: Device, visit: Visit) -> None:
    """A page on another port may set the cookie that forms before a login belong to, and knows the token to it."""
    chosen = "chosen-by-the-attacker"
    form = fields(form_token=token_of(device, chosen), username=USERNAME, password=PASSWORD)
    script = f'<script>document.cookie = "otppi-browser={chosen}; path=/"</script>'
    form = f'{script}<form method="post" action="{device.address}/login">{form}<button>Win</button></form>'
    visitor = visit(device, "en")
    with elsewhere(form) as address:
        visitor.page.goto(address)
        with visitor.page.expect_response("**/login") as answered:
            visitor.page.click("button")
        assert answered.value.status == 403
        assert chosen in answered.value.request.all_headers()["cookie"], "else this test shows nothing"
    assert "otppi" not in {one["name"] for one in visitor.page.context.cookies()}


def test_no_page_of_elsewhere_reads_one_of_ours(device: Device, visit: Visit) -> None:
    visitor = visit(device, "en").login()
    with elsewhere("") as address:
        visitor.page.goto(address)
        for path in ("/account", "/admin/api/session", "/admin/api/settings"):
            read = visitor.page.evaluate(
                "url => fetch(url, {credentials: 'include'}).then(answer => answer.text()).catch(() => 'refused')",
                f"{device.address}{path}",
            )
            assert read == "refused", path


def test_no_page_is_shown_in_a_frame(device: Device, visit: Visit) -> None:
    """Nobody is made to press a button of ours that is laid under something else (ASVS 5.0, 3.4.6)."""
    visitor = visit(device, "en").login()
    for path in ("/administrators", "/login", "/nothing", "/static/nothing", "/admin/api/session"):
        with elsewhere(f'<iframe src="{device.address}{path}"></iframe>') as address:
            visitor.page.goto(address)
            (frame,) = visitor.page.main_frame.child_frames
            frame.wait_for_load_state()
            assert not frame.url.startswith(device.address), path
            assert "OTP-Pi" not in frame.content(), path


def test_cookies_of_http_and_https_do_not_meet(device: Device, visit: Visit) -> None:
    visitor = visit(device, "en", ignore_https_errors=True).login()
    page, secure = visitor.page, device.address.replace("http:", "https:")
    assert page.evaluate("document.cookie") == ""
    page.goto(f"{secure}/account")
    assert page.url == f"{secure}/login?next=/account", "by HTTPS nobody is logged in"
    visitor.fill(username=USERNAME, password=PASSWORD).send()
    assert page.url == f"{secure}/account"
    cookies = {one["name"]: one for one in page.context.cookies()}
    assert {"otppi", "__Host-otppi"} <= cookies.keys()
    assert (cookies["otppi"]["secure"], cookies["__Host-otppi"]["secure"]) == (False, True)
    for name in ("otppi", "__Host-otppi"):
        one = cookies[name]
        assert (one["httpOnly"], one["sameSite"], one["path"], one["expires"]) == (True, "Strict", "/", -1), name
    page.goto(f"{secure}/account")
    page.click(".who summary")
    page.click(".sheet button.quiet")
    page.wait_for_url("**/login*")
    assert visitor.open("/account").url == f"{device.address}/account", "that of HTTP goes on"


def test_what_a_browser_calls_itself_runs_nowhere(device: Device, visit: Visit) -> None:
    visitor = visit(device, "en", user_agent=MARKUP).login()
    page = visitor.open("/account")
    assert page.locator("img[src=x]").count() == 0
    assert MARKUP[:20] in page.inner_text("main")
    assert not visitor.faults
