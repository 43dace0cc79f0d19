"""A server as the settings have it: where it is, how long to wait for it, and the TLS that it wants."""

import socket
import ssl
from dataclasses import dataclass
from typing import Self

from otppi.kit.net import failures
from otppi.kit.net.endpoint_values import EndpointValues
from otppi.kit.net.tls import client_context


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that connections are made to.

    Attributes:
        host: A name or an address.
        port: Its TCP port.
        timeout: The longest wait until it is connected, and the usual one for an answer, in seconds.
        context: Of TLS; None without.
        family: Which of its addresses are tried: `socket.AF_INET`, `socket.AF_INET6`, or all.
    """

    host: str
    port: int
    timeout: float = 10.0
    context: ssl.SSLContext | None = None
    family: int = socket.AF_UNSPEC

    @classmethod
    def of(cls, values: EndpointValues) -> Self:
        """Take it from the settings `host`, `port`, `timeout` and those of TLS (`TLS_SETTINGS`).

        Raises:
            OtpPiError: A file of the TLS settings cannot be used; the sentence names the setting.
        """
        return cls(values["host"].strip(), values["port"], values["timeout"], client_context(values))

    @property
    def name(self) -> str:
        """The server as people see it: host and port."""
        return f"{self.host}:{self.port}"

    def why(self, error: BaseException) -> str | None:
        """Say in one sentence why a connection failed; None for what is not of the network, the name, or TLS."""
        return failures.why(error, host=self.host, port=self.port, timeout=self.timeout)

    def no_answer(self) -> str:
        """Return that it was silent for too long."""
        return failures.no_answer(self.timeout)
