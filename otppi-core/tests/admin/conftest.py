"""A gateway's pages on a real port."""

import http.client
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from otppi.testing.site import Site, SiteBrowser
from otppi.testing.waiting import PATIENCE, until


def _begin(folder: Path, *, claimed: bool, encrypted: bool = False) -> Iterator[Site]:
    before = set(threading.enumerate())
    site = Site(folder, claimed=claimed, encrypted=encrypted)
    yield site
    site.close()
    until(lambda: set(threading.enumerate()) <= before, "all threads have ended")


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with administrators, for the tests of a file that leave it as it was."""
    yield from _begin(tmp_path_factory.mktemp("site"), claimed=True)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site with administrators."""
    yield from _begin(tmp_path, claimed=True)


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Site]:
    """A site that nobody has claimed."""
    yield from _begin(tmp_path, claimed=False)


@pytest.fixture(scope="module")
def secure_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with administrators, by HTTP and HTTPS on one port, for the tests of a file that leave it as it was."""
    yield from _begin(tmp_path_factory.mktemp("site"), claimed=True, encrypted=True)


@pytest.fixture
def new_secure_site(tmp_path: Path) -> Iterator[Site]:
    """A site that nobody has claimed, by HTTP and HTTPS on one port."""
    yield from _begin(tmp_path, claimed=False, encrypted=True)


Raw = Callable[[SiteBrowser, str], tuple[int, Mapping[str, str], bytes]]


@pytest.fixture
def raw() -> Raw:
    """Return a function that sends an empty form, and gives the answer's status, header fields and octets."""

    def post(browser: SiteBrowser, path: str) -> tuple[int, Mapping[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=PATIENCE)
        try:
            body = urllib.parse.urlencode({"form_token": browser.token})
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, body, {"Cookie": f"otppi={browser.cookies['otppi']}", **kind})
            answer = connection.getresponse()
            return answer.status, {name.lower(): one for name, one in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    return post
