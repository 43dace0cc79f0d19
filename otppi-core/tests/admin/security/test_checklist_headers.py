"""Security checklist, rows Headers, Host, Tracebacks: what every answer has, under which names, and what none says."""

import http.client
import re
import socket
from collections.abc import Iterator, Mapping

import pytest

from otppi.admin.security.headers import POLICY
from otppi.api.operations import Role
from otppi.testing.page_routes import page_routes
from otppi.testing.site import PASSWORD, Site
from otppi.testing.waiting import PATIENCE, until

ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "server": "OTP-Pi",
}
PAGES = [path for path, access in page_routes() if "GET" in access.methods]
OTHERS = (
    "/nothing", "/settings/nothing", "/static/nothing.css", "/language", "/admin/api/session", "/admin/api/nothing",
    "/admin/api/operations/status", "/admin/api/openapi.json", "/admin/api",
)  # fmt: skip
SECRET = "kode 7351 jangan dibagi"
PRODUCTS = re.compile(r"cherrypy|cheroot|jinja|python/|traceback|\.py\b|/src/|site-packages", re.IGNORECASE)
VERSION = re.compile(r"(?:otp-pi|otppi)[/ ]v?[0-9]+\.[0-9]", re.IGNORECASE)
_STREAMS = ("/monitor/events", "/system/log/events")


def check(headers: Mapping[str, str], text: str, about: str) -> None:
    for name, value in ALWAYS.items():
        assert headers.get(name) == value, (about, name)
    assert headers["cache-control"] == "no-store", about
    assert "x-powered-by" not in headers, about
    assert "access-control-allow-origin" not in headers, about
    assert not PRODUCTS.search(text + str(dict(headers))), about


def test_the_policy_is_that_of_the_checklist() -> None:
    parts = dict(one.split(" ", 1) for one in POLICY.split("; "))
    assert parts == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'",
        "connect-src": "'self'", "form-action": "'self'", "frame-ancestors": "'none'", "base-uri": "'none'",
    }  # fmt: skip


@pytest.mark.parametrize("role", [*Role, None])
def test_every_answer_has_the_header_fields(shared_site: Site, role: Role | None) -> None:
    browser = shared_site.browser() if role is None else shared_site.inside(role)
    for path in (*PAGES, *OTHERS):
        for method in ("HEAD", "GET", "POST", "PUT"):
            if method == "GET" and path in _STREAMS:
                continue  # its head HEAD shows
            answer = browser.ask(method, path, b"" if method in ("POST", "PUT") else None)
            check(answer.headers, answer.text, f"{method} {path}")


def test_files_alone_are_kept_by_browsers(shared_site: Site) -> None:
    page = shared_site.browser().get("/login").text
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    assert len(files) >= 3
    for path in files:
        answer = shared_site.browser().get(path)
        assert "immutable" in answer.headers["cache-control"]
        check(dict(answer.headers) | {"cache-control": "no-store"}, "", path)


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET / HTTP/1.0\r\n\r\n", 421),
        (b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", 505),
        (b"GET /" + b"x" * 17_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 17_000 + b"\r\n\r\n", 431),
        (b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n", 413),
        (b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST /login HTTP/1.1\r\nHost: localhost\r\nExpect: magic\r\nContent-Length: 1\r\n\r\n", 417),
        (b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"TRACE / HTTP/1.1\r\nHost: localhost\r\nCookie: a=b\r\n\r\n", 405),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET //evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /login\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /%c0%af%c0%ae HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /%ed%a0%80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /login?next=%00%ed%a0%80%c0%af HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    ],
)
def test_so_has_what_answers_no_request_at_all(shared_site: Site, octets: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", shared_site.port), PATIENCE) as sock:
        sock.sendall(octets)
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        text = answer.read().decode()
    assert answer.status == status
    check({name.lower(): value for name, value in answer.getheaders()}, text, str(octets[:40]))
    assert b"Cookie" not in text.encode(), "TRACE shows nobody's cookies"


def test_no_page_says_to_strangers_which_version_it_is(shared_site: Site) -> None:
    for path in (*PAGES, *OTHERS):
        if path not in _STREAMS:
            assert not VERSION.search(shared_site.browser().get(path).text), path


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8888", "localhost.evil.example", "0x7f.1"])
@pytest.mark.parametrize("path", ["/", "/login", "/admin/api/session", "/static/nothing.css", "/monitor/events"])
def test_a_strange_name_is_told_where_to_go_and_nothing_else(shared_site: Site, host: str, path: str) -> None:
    browser = shared_site.inside(Role.ADMINISTRATOR)
    answer = browser.get(path, Host=host)
    assert answer.status == 421
    assert host not in answer.text
    assert "not a name of the device" in answer.words
    assert not answer.location
    assert not answer.set_cookies


def test_a_login_under_a_strange_name_is_not_looked_at(shared_site: Site) -> None:
    browser = shared_site.browser()
    browser.get("/login")
    before = shared_site.parts.administrators.log.describe()
    assert browser.post("/login", {"username": "adi", "password": "x"}, Host="evil.example").status == 421
    assert shared_site.parts.administrators.log.describe() == before


@pytest.mark.parametrize(
    "fields",
    [
        {"X-Forwarded-For": "192.0.2.9"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"Forwarded": "for=192.0.2.9;host=evil.example;proto=https"},
        {"X-Real-IP": "192.0.2.9", "True-Client-IP": "192.0.2.9", "X-Client-IP": "192.0.2.9"},
        {"X-Original-URL": "/settings", "X-Rewrite-URL": "/settings", "X-HTTP-Method-Override": "PUT"},
        {"Remote-User": "adi", "X-Remote-User": "adi", "Authorization": "Basic YWRpOng="},
    ],
)
def test_no_field_of_a_proxy_is_believed(site: Site, fields: dict[str, str]) -> None:
    browser = site.browser()
    browser.headers |= fields
    assert browser.get("/").location == "/login?next=/"
    browser.get("/login")
    answer = browser.post("/login", {"username": "vera", "password": PASSWORD})
    assert (answer.status, answer.location) == (303, "/")
    (line,) = [one for one in answer.set_cookies if one.startswith("otppi=")]
    assert "Secure" not in line
    (session,) = site.parts.sessions.of("vera")
    assert (session.address, session.secure) == ("127.0.0.1", False)
    until(lambda: site.call("audit", limit=1), "the login is in the audit trail")
    assert site.call("audit", limit=1)[0]["address"] == "127.0.0.1"
    page = browser.get("/").text
    assert "evil" not in page
    assert "192.0.2.9" not in page


def redirects(site: Site) -> Iterator[str]:
    """Yield where all redirects lead that a browser under another of the device's names is sent by."""
    stranger, browser = site.browser(), site.inside(Role.ADMINISTRATOR)
    for session in site.parts.sessions.of("adi"):
        session.confirmed -= 301
    for path in PAGES:
        if path not in _STREAMS:
            for one in (stranger, browser):
                yield one.get(path, Host="localhost:80").location
                yield one.get(f"{path}{'&' if '?' in path else '?'}next=//evil.example", Host="localhost:80").location
    stranger.get("/login")
    for wanted in (
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/a\r\nX: y",
        "javascript:1",
    ):
        yield stranger.post("/language", {"language": "en", "next": wanted}).location
        yield stranger.get("/login?next=%2F%2Fevil.example").location


def test_no_redirect_leads_anywhere_but_to_a_path_of_ours(shared_site: Site) -> None:
    found = set(redirects(shared_site)) - {""}
    assert len(found) > 10
    for location in found:
        assert re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", location), location
        assert not re.match(r"/[^?]*evil", location), location


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [*Role, None])
def test_no_page_that_fails_says_why(
    shared_site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, role: Role | None
) -> None:
    """Whatever of a page fails, in whatever page: a number, and the place in our code in the log, without words."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    browser = shared_site.browser() if role is None else shared_site.inside(role)
    browser.get("/login")
    failed = 0
    for target in (shared_site.parts.registry, shared_site.parts.drawing):
        with monkeypatch.context() as patch:
            patch.setattr(target, "call" if target is shared_site.parts.registry else "draw", fail)
            for path in PAGES:
                answer = browser.ask("HEAD" if path in _STREAMS else "GET", path)
                assert SECRET not in answer.text, path
                # A page that is declared says of which kind a fault of its author's was, and nothing more.
                assert "RuntimeError" not in answer.text or path.startswith("/pages/"), path
                failed += answer.status == 500
                check(answer.headers, answer.text, path)
    assert failed
    assert SECRET not in caplog.text
