"""Security checklist, rows Files and Limits: sizes, depths and numbers are bounded, and nobody starves anybody.

Connections and slow clients in `tests/web/`; watchers in `../live/test_hub.py`; JSON in `../api/test_strict_json.py`.
"""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from otppi.admin import service
from otppi.admin.api.strict_json import DEEPEST
from otppi.api.operations import Role
from otppi.testing.ports import free_port
from otppi.testing.site import Site, SiteBrowser
from otppi.testing.waiting import PATIENCE, until

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
ROUNDS = 10


def test_the_bounds_of_the_port() -> None:
    limits = service._LIMITS
    assert (limits.connections, limits.connections_per_client, limits.threads) == (300, 100, 20)


def raw(site: Site, *octets: bytes) -> int:
    """Send octets as they are, and return the status of the answer."""
    with socket.create_connection(("127.0.0.1", site.port), PATIENCE) as sock:
        for one in octets:
            sock.sendall(one)
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        return answer.status


@pytest.mark.parametrize(
    ("path", "kind", "most"), [("/language", FORM, 65_536), ("/admin/api/operations/status", JSON, 262_144)]
)
def test_a_body_is_refused_by_its_head_before_it_comes(shared_site: Site, path: str, kind: str, most: int) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    assert raw(shared_site, f"{head}Content-Length: {most + 1}\r\n\r\n".encode()) == 413
    assert raw(shared_site, f"{head}Content-Length: 999999999999\r\n\r\n".encode()) == 413
    chunk = b"%x\r\n%b\r\n" % (most + 1, b"x" * (most + 1))
    assert raw(shared_site, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode(), chunk) == 413


def test_a_million_fields_are_no_form(shared_site: Site) -> None:
    browser = shared_site.inside(Role.VIEWER)
    body = f"form_token={browser.token}".encode() + b"&a=1" * 1_000_000
    head = f"POST /language HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n"
    assert raw(shared_site, head.encode()) == 413
    assert browser.get("/").status == 200


@pytest.mark.parametrize("body", [b"[" * (DEEPEST + 1), b"[" * 200_000, b'{"arguments":' * 20_000, b'{"a":1,"a":2}'])
def test_json_is_bounded_before_it_is_used(shared_site: Site, body: bytes) -> None:
    program = shared_site.inside(Role.ADMINISTRATOR)
    headers = {"Content-Type": JSON, "X-CSRF-Token": program.token}
    answer = program.ask("POST", "/admin/api/operations/settings_import", body, headers)
    assert (answer.status, json.loads(answer.text)["type"]) == (400, "/admin/api/problems/malformed")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../service.py", "/static/%2e%2e/service.py", "/static/..%2fservice.py", "/static//etc/passwd",
        "/static/admin.css", "/static/", "/static/%00", "/../../etc/passwd", "/static/....//....//etc/passwd",
    ],
)  # fmt: skip
def test_no_path_of_a_request_reaches_the_file_system(
    shared_site: Site, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shared_site.browser().get("/nothing").status == 404, "what its page is made of is read once"
    opened: list[object] = []
    real = open

    def noted(name: Any, *more: Any, **named: Any) -> Any:
        opened.append(name)
        return real(name, *more, **named)

    monkeypatch.setattr("builtins.open", noted)
    assert raw(shared_site, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()) == 404
    assert not opened


# -- nobody starves ----------------------------------------------------------------------------------------------------


def test_slow_clients_keep_no_page_waiting(shared_site: Site) -> None:
    """Heads, bodies and TLS handshakes that never end; each waits in a socket, and none in a thread."""
    begun = [
        b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nusername=",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nus", b"\x16\x03\x01", b"",
    ]  # fmt: skip
    with ExitStack() as stack:
        for number in range(60):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", shared_site.port), PATIENCE))
            sock.sendall(begun[number % len(begun)])
        browser = shared_site.inside(Role.OPERATOR)
        for path in ("/", "/messages", "/modems") * 4:
            assert browser.get(path).status == 200


@contextmanager
def flooding(ask: Callable[[], object], threads: int = 8) -> Iterator[list[object]]:
    """Ask again and again meanwhile, by some threads."""
    over, answers = threading.Event(), list[object]()

    def flood() -> None:
        while not over.is_set():
            answers.append(ask())

    running = [threading.Thread(target=flood) for _ in range(threads)]
    for one in running:
        one.start()
    try:
        until(lambda: len(answers) > threads, "the flood has begun")
        yield answers
    finally:
        over.set()
        for one in running:
            one.join(PATIENCE)


def open_api(site: Site) -> tuple[int, str]:
    """Have the senders' API listen; return its port, and what a program of ours shows there."""
    port = free_port()
    document = {"ingress-rest": {"http_enable": True, "http_port": port, "https_enable": False}}
    site.call("settings_import", document=document)
    token = site.call("user_add", username="app", token=True)["token"]
    until(lambda: site.call("modems")[0]["state"] == "ready", "the modem is ready")

    def listens() -> bool:
        states = {one["name"]: one["state"] for one in site.call("status")["ingresses"]}
        return bool(states["ingress-rest"] == "running")

    until(listens, "the API listens")
    return port, f"Bearer {token}"


def send(port: int, authorization: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        message = {"command": "send-sms", "data": {"receiver": "08126666666", "message": "Halo"}}
        headers = {"Content-Type": JSON, "Authorization": authorization}
        connection.request("POST", "/api/message", json.dumps(message), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def test_neither_api_nor_pages_starve_the_other(site: Site) -> None:
    """Each has a port, connections and workers of its own."""
    port, ours = open_api(site)
    inside = site.inside(Role.OPERATOR)
    with flooding(lambda: send(port, "Basic YXBwOnJhdGhlcg==")) as refused:
        before = len(refused)
        for _ in range(ROUNDS):
            assert inside.get("/messages").status == 200
        until(lambda: len(refused) > before, "the flood went on")
    assert 200 not in refused
    stranger = SiteBrowser(site.port)
    stranger.get("/login")
    wrong = {"username": "nobody", "password": "x"}
    with flooding(lambda: SiteBrowser(site.port, dict(stranger.cookies), stranger.token).post("/login", wrong).status):
        for _ in range(ROUNDS):
            assert send(port, ours) == 200
