"""A visitor of the administration: a browser that is no more than header fields, and keeps its connection."""

import http.client
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from tests.benchmark.client import HOST
from tests.benchmark.processes import BenchmarkError

NAME, PASSWORD = "bench", "kursi hijau di teras"
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_TOKEN: Final = re.compile(r'name="form_token" value="([0-9a-f]+)"')
_LINK: Final = re.compile(r'href="(/[^"#]*)"')
_SESSION: Final = "otppi"


def sections(port: int) -> dict[str, Any]:
    """Return the settings of an administration that can be logged in to."""
    return {
        "administration": {"enable": True, "port": port, "bind_address": HOST},
        "administrators": [{"username": NAME, "password": PASSWORD, "role": "administrator"}],
    }


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as it came, and the seconds that it took."""

    status: int
    text: str
    seconds: float

    @property
    def token(self) -> str:
        """That of its form.

        Raises:
            BenchmarkError: It has none.
        """
        found = _TOKEN.search(self.text)
        if found is None:
            raise BenchmarkError("a page has no form")
        return found[1]

    @property
    def links(self) -> set[str]:
        """The pages that it leads to."""
        found = (one.replace("&amp;", "&") for one in _LINK.findall(self.text))
        return {one for one in found if not one.startswith("/static/")}


class Visitor:
    """One connection, and cookies. `address` is where it comes from, of the loopback network."""

    def __init__(self, port: int, address: str = HOST) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=60, source_address=(address, 0))
        self.cookies: dict[str, str] = {}

    @property
    def cookie(self) -> str:
        """The Cookie field."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> Seen:
        """Make a request."""
        body = None if form is None else urlencode(form)
        fields = {"Cookie": self.cookie, "Accept-Language": "id"} | ({} if form is None else FORM)
        begun = time.perf_counter()
        self._connection.request(method, path, body, fields)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        seconds = time.perf_counter() - begun
        kept = [one.partition(";")[0].partition("=") for one in answer.headers.get_all("Set-Cookie", [])]
        self.cookies |= {name: value for name, _, value in kept}
        return Seen(answer.status, text, seconds)

    def download(self, path: str) -> Iterator[bytes]:
        """Take a long answer by parts.

        Raises:
            BenchmarkError: It is no answer.
        """
        self._connection.request("GET", path, headers={"Cookie": self.cookie})
        answer = self._connection.getresponse()
        if answer.status != 200:
            raise BenchmarkError(f"{path} was answered with {answer.status}")
        while part := answer.read(65_536):
            yield part

    def log_in(self, name: str = NAME, password: str = PASSWORD) -> Seen:
        """Try to log in."""
        token = self.ask("GET", "/login").token
        return self.ask("POST", "/login", {"form_token": token, "username": name, "password": password})

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def logged_in(port: int) -> Visitor:
    """Return a visitor who has a session.

    Raises:
        BenchmarkError: The login failed.
    """
    one = Visitor(port)
    answer = one.log_in()
    if not one.cookies.get(_SESSION):
        raise BenchmarkError(f"the login was answered with {answer.status}")
    return one


def pages_of(one: Visitor) -> list[str]:
    """Return all pages that links lead to from the first one."""
    seen: set[str] = set()
    ahead = {"/"}
    while ahead:
        path = ahead.pop()
        seen.add(path)
        ahead |= one.ask("GET", path).links - seen
    return sorted(seen)
