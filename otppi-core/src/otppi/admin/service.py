"""The service that serves the administration: opens its port, and runs the server on a thread of its own."""

import gc
import logging
import os
import socket
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from otppi.api.errors import OtpPiError
from otppi.api.services import Service
from otppi.host.administrators.page import ADMINISTRATION, PageValues
from otppi.host.data_folder import DataFolder
from otppi.host.gateway.certificate_operations import ends_soon
from otppi.host.host import Host
from otppi.host.runtime.frontends import Frontend
from otppi.host.runtime.registry import Registry
from otppi.host.settings.config import Config
from otppi.kit.memory import give_back
from otppi.text import _
from otppi.web.device_certificate import DeviceCertificate
from otppi.web.listener import Listener, listens_at, open_port
from otppi.web.server import HttpServer, ServerLimits

if TYPE_CHECKING:
    from ssl import SSLContext

    from otppi.admin.gate import Gate

logger = logging.getLogger(__name__)

NAME: Final = "administration"
_LIMITS: Final = ServerLimits(connections=300, connections_per_client=100, threads=20)

Waiting = Callable[[], AbstractContextManager[None]]


class Administration(Service):
    """The pages on their port, HTTP and HTTPS alike.

    Args:
        config: The settings.
        folder: The data folder: the device's certificate is kept in a folder there.
        make: Makes the application; it is told how to wait. Called once, when the port is open: what the pages need
            takes a second to load, and a gateway sends its first message before that.
        kept: The port, open already, where the gateway has begun again (`keep_port`).
        certificate: The device's; by default that of the folder.
    """

    name = NAME
    sections: Collection[str] = (ADMINISTRATION.key,)

    def __init__(
        self,
        config: Config,
        folder: Path,
        make: Callable[[Waiting], "Gate"],
        kept: socket.socket | None = None,
        certificate: DeviceCertificate | None = None,
    ) -> None:
        self._config = config
        self._certificate = certificate or DeviceCertificate(folder / NAME)
        self._make = make
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._stopped = False
        self._server: HttpServer | None = None
        self._gate: Gate | None = None
        self._port = 0
        self._sock: socket.socket | None = None
        self._kept = kept
        self._warnings: list[str] = []

    def run(self) -> None:
        """Serve until `stop`, anew after each change of the settings.

        Raises:
            OtpPiError: The port cannot be opened; the sentence names the setting.
        """
        while self._goes_on():
            values = self._config.one(ADMINISTRATION)
            if values["enable"]:
                self._serve(values)
            else:
                self._let_go()
                self._changed.wait()

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Serve by the new settings; who changed them is answered first."""
        self._again()

    def stop(self) -> None:
        """Answer what is being answered, and close the port."""
        with self._lock:
            self._stopped = True
        self._again()

    def describe(self) -> Mapping[str, Any]:
        """Say where the pages are."""
        with self._lock:
            server, port = self._server, self._port
        if server is None:
            return {"listening": False}
        fingerprint = self._certificate.fingerprint
        about = {"listening": True, "port": port, "connections": server.connections, "threads": server.threads}
        return about | ({"certificate_sha256": fingerprint} if fingerprint else {})

    def frontends(self) -> Iterator[Frontend]:
        """Return whether the pages are served, where they are switched on."""
        if self._config.one(ADMINISTRATION)["enable"]:
            yield Frontend(NAME, self._server is not None)

    def warnings(self) -> Sequence[str]:
        """Return what people should know."""
        server = self._server
        stalled = "" if server is None else server.stalled()
        told = [*self._warnings, *self._certificate.warnings(), *self._soon()]
        return [*told, *([_("the administration: {stalled}", stalled=stalled)] if stalled else [])]

    def tidy(self) -> None:
        """Forget the sessions that are over; give back what making pages has left over, where any were made."""
        if self._gate is not None:
            self._gate.tidy()
            if self._gate.was_used():
                give_back()

    def _goes_on(self) -> bool:
        """Return whether it is not to stop; what is changed from here on is seen, and no end is overlooked."""
        with self._lock:
            if not self._stopped:
                self._changed.clear()
            return not self._stopped

    def _again(self) -> None:
        with self._lock:
            self._changed.set()
            if self._server is not None:
                self._server.stop()

    def _serve(self, values: PageValues) -> None:
        with self._open(values["bind_address"], values["port"]) as sock:
            tls = self._tls if self._has_certificate() else None
            if self._gate is None:
                self._gate = self._make(self._waiting)
                gc.collect()
                gc.freeze()  # as at the start of the gateway: what the pages are made of stays
                give_back()
            self._gate.configure(values, encrypted=tls is not None)
            server = HttpServer(NAME, [Listener(sock, tls, plain=True, tells_arrival=True)], self._gate, _LIMITS)
            with self._lock:
                self._server, self._sock, self._port = server, sock, Listener(sock).port
                if self._changed.is_set():
                    server.stop()
            logger.info("the administration listens on port %d", self._port)
            try:
                server.run()
            finally:
                with self._lock:
                    self._server = self._sock = None

    def keep_port(self) -> int | None:
        """Return a descriptor of the port that outlives this service, and this program; None where it is not open.

        Who asks for a page while the gateway begins again waits for the answer, instead of finding nobody.
        """
        with self._lock:
            if self._sock is None:
                return None
            descriptor = os.dup(self._sock.fileno())
        os.set_inheritable(descriptor, True)
        return descriptor

    def _open(self, address: str, port: int) -> socket.socket:
        kept, self._kept = self._kept, None
        if kept is not None:
            if listens_at(kept, address, port):
                return kept
            kept.close()
        return open_port(address, port, f"{ADMINISTRATION.key}.port")

    def _let_go(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _waiting(self) -> AbstractContextManager[None]:
        server = self._server
        return nullcontext() if server is None else server.waiting()

    def _has_certificate(self) -> bool:
        """See to it that the device has a certificate; without it the pages are served by HTTP alone, which is told."""
        self._warnings = []
        try:
            self._certificate.prepare()  # a damaged one is made anew for the first browser
        except (OtpPiError, OSError) as error:
            self._warn(error)
            return False
        return True

    def _soon(self) -> Sequence[str]:
        """Return that the certificate by which the pages are served ends soon, where it does."""
        facts = self._certificate.facts
        soon = None if facts is None or self._server is None else ends_soon(facts)
        return [] if soon is None else [soon]

    def _tls(self) -> "SSLContext":
        """Return what HTTPS needs, for a connection that begins now.

        Raises:
            OSError: There is none: the certificate, which was there, can no longer be read or made.
        """
        try:
            return self._certificate.context()
        except OtpPiError as error:
            self._warn(error)
            raise OSError(str(error)) from error

    def _warn(self, error: Exception) -> None:
        self._warnings = [_("the administration is served without HTTPS: {error}", error=error)]
        logger.error("%s", self._warnings[0])


def administration(
    data: DataFolder, host: Host, registry: Registry, kept: socket.socket | None = None
) -> Administration:
    """Make the service of a gateway; see `Administration` of `kept`."""

    def make(waiting: Waiting) -> "Gate":
        from otppi.admin.unused_imports import left_for_later

        with left_for_later():  # CherryPy and Jinja2: 12 MB, a second
            from otppi.admin.application import application, parts_of

        return application(parts_of(data, host, registry, waiting))

    return Administration(data.config, data.path, make, kept, data.certificate)
