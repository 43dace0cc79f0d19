"""The service that serves the pages: its end, whenever that comes."""

import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from otppi.admin import service as service_module
from otppi.admin.service import Administration
from otppi.host.administrators.page import ADMINISTRATION
from otppi.testing.ports import free_port
from otppi.testing.site import Site
from otppi.testing.waiting import PATIENCE, until
from otppi.web.own_certificate import CERTIFICATE, PRIVATE_KEY


class Settings:
    """What the service asks the settings for."""

    def one(self, _section: object) -> Any:
        return ADMINISTRATION.defaults() | {"enable": False}


class EndedInBetween(threading.Event):
    """Is cleared just as somebody else stops the service."""

    def __init__(self, service: Administration) -> None:
        super().__init__()
        self.stopping = threading.Thread(target=service.stop)

    def clear(self) -> None:
        if self.stopping.ident is None:
            self.stopping.start()
            self.stopping.join(0.5)  # it may have to wait for us
        super().clear()


def test_an_end_that_comes_as_it_begins_is_not_overlooked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Administration(Settings(), tmp_path, lambda _waiting: pytest.fail("it is switched off"))  # type: ignore[arg-type]  # all that it asks for
    changed = EndedInBetween(service)
    monkeypatch.setattr(service, "_changed", changed)
    running = threading.Thread(target=service.run, daemon=True)
    running.start()
    running.join(PATIENCE / 10)
    assert not running.is_alive()
    changed.stopping.join(PATIENCE)


def test_what_pages_have_left_over_is_given_back_once_after_some_were_made(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[None] = []
    monkeypatch.setattr(service_module, "give_back", lambda: given.append(None))
    service = Administration(Settings(), tmp_path, lambda _waiting: site.gate)  # type: ignore[arg-type]  # all that it asks for
    monkeypatch.setattr(service, "_gate", site.gate)
    site.browser().get(site.parts.statics.url("admin.css"))
    service.tidy()
    assert not given
    site.browser().get("/login")
    service.tidy()
    service.tidy()
    assert len(given) == 1


# -- HTTPS, whose library is loaded when the first browser speaks it ---------------------------------------------------


class Served(Settings):
    """Settings by which the pages are served."""

    def one(self, _section: object) -> Any:
        return ADMINISTRATION.defaults() | {"bind_address": "127.0.0.1", "port": self.port}

    def __init__(self) -> None:
        self.port = free_port()


@contextmanager
def served(site: Site, folder: Path) -> Iterator[Administration]:
    service = Administration(Served(), folder, lambda _waiting: site.gate)  # type: ignore[arg-type]  # all that it asks for
    running = threading.Thread(target=service.run)
    running.start()
    try:
        until(lambda: service.describe()["listening"])
        yield service
    finally:
        service.stop()
        running.join(PATIENCE)


def certificate_of(port: int) -> str:
    """Return the fingerprint of what the port shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain, context.wrap_socket(plain) as sock:
        return hashlib.sha256(sock.getpeercert(binary_form=True) or b"").digest().hex(":").upper()


def test_the_fingerprint_is_told_before_any_browser_speaks_tls(site: Site, tmp_path: Path) -> None:
    with served(site, tmp_path) as service:
        told = service.describe()
        assert certificate_of(told["port"]) == told["certificate_sha256"]


def test_a_damaged_certificate_is_made_anew_for_the_first_browser(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "administration"
    folder.mkdir()
    (folder / CERTIFICATE).write_text("-----BEGIN CERTIFICATE-----\nno certificate\n")
    (folder / PRIVATE_KEY).write_text("")
    with served(site, tmp_path) as service:
        told = service.describe()
        assert "certificate_sha256" not in told
        shown = certificate_of(told["port"])
        assert service.describe()["certificate_sha256"] == shown
        assert not service.warnings()


def test_where_no_certificate_can_be_made_the_pages_are_served_by_http_and_that_is_told(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / "administration").write_text("a file where the folder should be")
    with served(site, tmp_path) as service:
        (warning,) = service.warnings()
        assert warning.startswith("the administration is served without HTTPS: ")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            certificate_of(service.describe()["port"])


def test_a_certificate_that_gets_lost_ends_the_handshake_and_is_told(site: Site, tmp_path: Path) -> None:
    with served(site, tmp_path) as service:
        for one in (tmp_path / "administration").iterdir():
            one.unlink()
        (tmp_path / "administration").rmdir()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            certificate_of(service.describe()["port"])
        until(service.warnings)
