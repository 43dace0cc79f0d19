"""A gateway without modems, the API of its administration, and a small server for it with users of each role."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from otppi.admin.api.admin_api import AdminApi, ApiAnswer
from otppi.admin.api.problems import WRONG_TOKEN, Problem
from otppi.api.operations import Actor, Role
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import Registry
from otppi.host.settings.config import Config
from otppi.testing.leaks import leaves_nothing
from otppi.testing.waiting import PATIENCE
from otppi.web.listener import Listener, open_port
from otppi.web.request import Refusal, Request
from otppi.web.response import Response, plain
from otppi.web.server import HttpServer, ServerLimits
from otppi.web.timeouts import Timeouts

TOKEN = "the-token-of-the-session"
PREFIX = "/admin/api/"


def actor(role: Role) -> Actor:
    return Actor(f"the {role.value}", "administration", role, "192.0.2.1")


class Asking:
    """Asks an API as a program in a user's name does."""

    def __init__(
        self, api: AdminApi, role: Role | None = Role.ADMINISTRATOR, language: str = "en", *, fresh: bool = True
    ) -> None:
        self.fresh = fresh
        self.api = api
        self.role = role
        self.language = language

    def raw(self, method: str, path: str, query: str = "", content_type: str = "", body: bytes = b"") -> ApiAnswer:
        who = None if self.role is None else actor(self.role)
        return self.api.answer(method, path, query, content_type, body, who, self.language, fresh=self.fresh)

    def get(self, path: str, query: str = "") -> tuple[int, Any]:
        answer = self.raw("GET", path, query)
        return answer.status, json.loads(answer.body)

    def post(self, name: str, arguments: Any = None, **more: Any) -> tuple[int, Any]:
        body = json.dumps({"arguments": {} if arguments is None else arguments, **more}).encode()
        answer = self.raw("POST", f"operations/{name}", "", "application/json", body)
        return answer.status, json.loads(answer.body)


@contextmanager
def running(folder: Path, document: Callable[[Config], dict[str, Any]] = lambda config: {}) -> Iterator[Registry]:
    """Run a gateway of all rooms and plugins, with no port, and with what a document sets; give its operations."""
    with leaves_nothing():
        data = DataFolder(folder / "data", plugins=load_plugins())
        settings = document(data.config)
        settings["ingress-rest"] = settings.get("ingress-rest", {}) | {"http_enable": False, "https_enable": False}
        data.config.update(settings)
        (folder / "boot").mkdir(mode=0o700)
        host = Host(data, folder / "boot")
        host.start()
        try:
            yield registry_of(data, host)
        finally:
            host.stop()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with running(tmp_path) as operations:
        yield operations


@pytest.fixture
def api(registry: Registry) -> AdminApi:
    return AdminApi(registry)


@pytest.fixture
def administrator(api: AdminApi) -> Asking:
    return Asking(api)


class Door:
    """Serves an API to whoever has the cookie `otppi=ROLE`, and for POST the token; as the pages' shell does."""

    def __init__(self, api: AdminApi) -> None:
        self.api = api

    def body_limit(self, request: Request) -> int:
        return 300_000

    def recognises(self, request: Request) -> bool:
        return True

    def is_quick(self, request: Request) -> bool:
        return False

    def refuse(self, refusal: Refusal, path: str) -> Response:
        return plain(refusal)

    def respond(self, request: Request) -> Response:
        _name, _equals, role = request.field("cookie").partition("otppi=")
        who = actor(Role(role)) if role in list(Role) else None
        if who is not None and request.method == "POST" and request.field("x-csrf-token") != TOKEN:
            return written(self.api.tell(Problem(WRONG_TOKEN), "en"))
        path = request.path.removeprefix(PREFIX)
        language = request.field("accept-language")
        return written(
            self.api.answer(
                request.method, path, request.query, request.field("content-type"), request.body, who, language
            )
        )


def written(answer: ApiAnswer) -> Response:
    (_name, content_type), *headers = answer.headers
    return Response(answer.status, answer.body, tuple(headers), content_type)


@contextmanager
def serving(registry: Registry, limits: ServerLimits | None = None) -> Iterator[tuple[int, HttpServer]]:
    """Serve the API; give the port and the server."""
    servers: list[HttpServer] = []
    api = AdminApi(registry, lambda: servers[0].waiting())
    with open_port("127.0.0.1", 0, "the.port") as sock:
        listener = Listener(sock)
        servers.append(HttpServer("api", [listener], Door(api), limits, Timeouts(stop=1.0)))
        thread = Thread(target=servers[0].run, name="api")
        thread.start()
        try:
            yield listener.port, servers[0]
        finally:
            servers[0].stop()
            thread.join(PATIENCE)
            assert not thread.is_alive()


Serving = Callable[..., Any]


@pytest.fixture(scope="session")
def serve() -> Serving:
    return serving


@pytest.fixture(scope="session")
def run() -> Callable[..., Any]:
    return running


@pytest.fixture(scope="session")
def asking() -> type[Asking]:
    return Asking
