"""The ingress: opens the ports, runs the server, and closes what it opened."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otppi.api.errors import OtpPiError
from otppi.api.ingress import DeviceTls, Ingress, IngressContext
from otppi.web.listener import Listener, open_port
from otppi.web.server import HttpServer, ServerLimits
from otppi.web.timeouts import Timeouts
from otppi_ingress_rest.application import RestApplication
from otppi_ingress_rest.handlers import NAME, Api
from otppi_ingress_rest.text import _

if TYPE_CHECKING:
    from ssl import SSLContext

logger = logging.getLogger(__name__)


class RestIngress(Ingress):
    """REST over HTTP and HTTPS. The thread of `run` is the server's thread."""

    def __init__(self, context: IngressContext, timeouts: Timeouts | None = None) -> None:
        self._context = context
        self._settings = context.settings
        self._timeouts = timeouts
        self._lock = threading.Lock()
        self._stopped = False
        self._server: HttpServer | None = None
        self._ports: dict[str, int] = {}
        self._fingerprint: Callable[[], str] = str
        self._secure: Callable[[], SSLContext] | None = None
        self._warnings: list[str] = []
        self._answered: Callable[[], Mapping[str, float]] = dict

    def run(self) -> None:
        """Serve until `stop`.

        Raises:
            OtpPiError: a port, or the certificate, cannot be used; the sentence names the setting.
        """
        kinds = self._served()
        with ExitStack() as opened:
            api = Api(self._context.gateway, self._settings, self._wait, self._counters)
            application = RestApplication(self._context.gateway, api, int(self._settings["max_body_bytes"]))
            self._answered = application.samples
            listeners = [opened.enter_context(self._listen(kind)) for kind in kinds]
            server = HttpServer(NAME, listeners, application, self._limits(), self._timeouts)
            with self._lock:
                self._server = server
                self._ports = dict(zip(kinds, (one.port for one in listeners), strict=True))
                if self._stopped:
                    server.stop()
            logger.info(
                "REST API listens on %s", ", ".join(f"{kind} port {port}" for kind, port in self._ports.items())
            )
            try:
                server.run()
            finally:
                with self._lock:
                    self._server, self._ports = None, {}

    def stop(self) -> None:
        """End `run`: running requests are answered first."""
        with self._lock:
            self._stopped = True
            if self._server is not None:
                self._server.stop()

    def stalled(self) -> str:
        """Return what has stopped going on."""
        server = self._server
        return server.stalled() if server is not None else ""

    def abandon(self) -> None:
        """Close the ports."""
        server = self._server
        if server is not None:
            server.abandon()

    def describe(self) -> Mapping[str, Any]:
        """Say the ports that are open, and how much is going on."""
        with self._lock:
            server, ports, fingerprint = self._server, dict(self._ports), self._fingerprint()
        if server is None:
            return {"listening": False}
        described: dict[str, Any] = {"listening": True, "address": self._settings["bind_address"] or "*"}
        described |= {f"{kind}_port": port for kind, port in ports.items()}
        described |= {"connections": server.connections, "threads": server.threads}
        described |= {"warnings": list(self._warnings)} if self._warnings else {}
        return described | ({"certificate_sha256": fingerprint} if fingerprint and "https" in ports else {})

    def _limits(self) -> ServerLimits:
        settings = self._settings
        return ServerLimits(
            settings["max_connections"], settings["max_connections_per_client"], settings["max_threads"]
        )

    def _served(self) -> list[str]:
        """Return what can be served: plain HTTP goes on alone where there is no certificate for HTTPS.

        Raises:
            OtpPiError: There is none, and nothing else is to be served.
        """
        kinds, self._warnings = self._kinds(), []
        if "https" in kinds:
            try:
                self._secure = self._tls()
            except OtpPiError as error:
                if kinds == ["https"]:
                    raise
                logger.error("HTTPS is not served: %s", error)  # noqa: TRY400 - the reason says it all
                self._warnings.append(_("HTTPS is not served: {error}", error=error))
                kinds.remove("https")
        return kinds

    def _kinds(self) -> list[str]:
        return [kind for kind in ("http", "https") if self._settings[f"{kind}_enable"]]

    @contextmanager
    def _listen(self, kind: str) -> Iterator[Listener]:
        setting = f"{NAME}.{kind}_port"
        with open_port(self._settings["bind_address"], self._settings[f"{kind}_port"], setting) as sock:
            yield Listener(sock, self._secure if kind == "https" else None)

    def _tls(self) -> "Callable[[], SSLContext]":
        """Return what gives the context for a connection that begins: the device's certificate may change meanwhile.

        Raises:
            OtpPiError: There is none.
        """
        from otppi.web import own_certificate, tls  # with the library, which takes more than a megabyte

        certificate, private_key = self._settings["certificate_file"], self._settings["private_key_file"]
        device = self._context.device_tls
        if device is not None and not (certificate or private_key):
            return self._of_device(device)
        if certificate or private_key:
            context = tls.configured(certificate, private_key, NAME)
            path = Path(certificate)
        else:
            context = tls.own(self._context.folder)
            path = self._context.folder / own_certificate.CERTIFICATE
        told = own_certificate.fingerprint(path)
        with self._lock:
            self._fingerprint = lambda: told
        return lambda: context

    def _of_device(self, device: DeviceTls) -> "Callable[[], SSLContext]":
        def context() -> "SSLContext":
            try:
                return device.context()
            except OtpPiError as error:
                raise OSError(str(error)) from error

        try:
            device.prepare()
            device.context()
        except OSError as error:
            raise OtpPiError(_("the device's certificate cannot be used: {error}", error=error)) from error
        with self._lock:
            self._fingerprint = lambda: device.fingerprint
        return context

    def _wait(self, event: threading.Event, seconds: float) -> None:
        server = self._server
        if server is not None:
            server.wait(event, seconds)

    def _counters(self) -> Mapping[str, Mapping[str, float]]:
        server = self._server
        if server is None:
            return {}
        return {
            "rest_requests_total": self._answered(),
            "rest_connections": {"": server.connections},
            "rest_threads": {"": server.threads},
            "rest_waiting_requests": {"": server.waiting_threads},
        }
