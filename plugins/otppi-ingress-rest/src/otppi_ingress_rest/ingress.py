"""The ingress: opens the ports, runs the gate, and closes what it opened."""

import logging
import resource
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from otppi.api.errors import OtpPiError
from otppi.api.ingress import Ingress, IngressContext
from otppi_ingress_rest import tls
from otppi_ingress_rest.application import Application, CherryPyGateway
from otppi_ingress_rest.deadlines import Deadlines
from otppi_ingress_rest.framing import Site
from otppi_ingress_rest.gate import Gate
from otppi_ingress_rest.handlers import Api, Waiting
from otppi_ingress_rest.listener import Listener, open_port
from otppi_ingress_rest.table import Table

logger = logging.getLogger(__name__)

SPARE_DESCRIPTORS = 128
"""File descriptors that are left to the rest of the process."""


class RestIngress(Ingress):
    """REST over HTTP and HTTPS. The thread of `run` is the gate's thread."""

    def __init__(self, context: IngressContext, deadlines: Deadlines | None = None) -> None:
        self._context = context
        self._settings = context.settings
        self._deadlines = deadlines
        self._lock = threading.Lock()
        self._stopped = False
        self._gate: Gate | None = None
        self._ports: dict[str, int] = {}
        self._fingerprint = ""
        self._secure: ssl.SSLContext | None = None
        self._warnings: list[str] = []

    def run(self) -> None:
        """Serve until `stop`.

        Raises:
            OtpPiError: a port, or the certificate, cannot be used; the sentence names the setting.
        """
        if self._settings["http_port"] == self._settings["https_port"] != 0 and len(self._kinds()) == 2:
            raise OtpPiError("ingress-rest.http_port and ingress-rest.https_port must not be the same")
        kinds = self._served()
        with ExitStack() as opened:
            waiting = Waiting(lambda: gate.workers.waiting())
            api = Api(self._context.gateway, self._settings, waiting, self._counters)
            listeners = [opened.enter_context(self._listen(kind, api)) for kind in kinds]
            gate = Gate(
                listeners,
                table=self._table(),
                is_known=api.knows,
                most_threads=self._settings["max_threads"],
                stop_waiting=waiting.end,
                deadlines=self._deadlines,
            )
            with self._lock:
                self._gate = gate
                self._ports = dict(zip(kinds, (one.site.bind_addr[1] for one in listeners), strict=True))
                if self._stopped:
                    gate.stop()
            logger.info(
                "REST API listens on %s", ", ".join(f"{kind} port {port}" for kind, port in self._ports.items())
            )
            try:
                gate.run()
            finally:
                with self._lock:
                    self._gate, self._ports = None, {}

    def stop(self) -> None:
        """End `run`: running requests are answered first."""
        with self._lock:
            self._stopped = True
            if self._gate is not None:
                self._gate.stop()

    def stalled(self) -> str:
        """Say what has stopped going on."""
        gate = self._gate
        return gate.stalled() if gate is not None else ""

    def abandon(self) -> None:
        """Close the ports."""
        gate = self._gate
        if gate is not None:
            gate.abandon()

    def describe(self) -> Mapping[str, Any]:
        """Say the ports that are open, and how much is going on."""
        with self._lock:
            gate, ports, fingerprint = self._gate, dict(self._ports), self._fingerprint
        if gate is None:
            return {"listening": False}
        described: dict[str, Any] = {"listening": True, "address": self._settings["bind_address"] or "*"}
        described |= {f"{kind}_port": port for kind, port in ports.items()}
        described |= {"connections": gate.connections, "threads": gate.workers.threads}
        described |= {"warnings": list(self._warnings)} if self._warnings else {}
        return described | ({"certificate_sha256": fingerprint} if "https" in ports else {})

    def _table(self) -> Table:
        most = _affordable(self._settings["max_connections"])
        return Table(most, min(most, self._settings["max_connections_per_client"]))

    def _served(self) -> list[str]:
        """Give what can be served: plain HTTP goes on alone where there is no certificate for HTTPS.

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
                self._warnings.append(f"HTTPS is not served: {error}")
                kinds.remove("https")
        return kinds

    def _kinds(self) -> list[str]:
        return [kind for kind in ("http", "https") if self._settings[f"{kind}_enable"]]

    @contextmanager
    def _listen(self, kind: str, api: Api) -> Iterator[Listener]:
        secure = self._secure if kind == "https" else None
        with open_port(self._settings["bind_address"], self._settings[f"{kind}_port"], f"{kind}_port") as sock:
            address = sock.getsockname()[:2]
            gateway = partial(CherryPyGateway, application=Application(api.route))
            site = Site(gateway, address, secure=secure is not None, body_limit=self._settings["max_body_bytes"])
            yield Listener(sock, site, secure)

    def _tls(self) -> ssl.SSLContext:
        certificate, private_key = self._settings["certificate_file"], self._settings["private_key_file"]
        if certificate or private_key:
            context = tls.configured(certificate, private_key)
            path = Path(certificate)
        else:
            context = tls.own(self._context.folder)
            path = self._context.folder / tls.CERTIFICATE
        with self._lock:
            self._fingerprint = tls.fingerprint(path)
        return context

    def _counters(self) -> Mapping[str, Mapping[str, float]]:
        gate = self._gate
        if gate is None:
            return {}
        return {
            "rest_connections": {"": gate.connections},
            "rest_threads": {"": gate.workers.threads},
            "rest_waiting_requests": {"": gate.workers.waiting_threads},
        }


def _affordable(wanted: int) -> int:
    """Lower the number of connections to what the process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(8, min(wanted, soft - SPARE_DESCRIPTORS))
