"""A Redis for tests."""

import socket
from collections.abc import Sequence
from pathlib import Path

from otppi.testing.brokers.certificates import Pair
from otppi.testing.brokers.process import ServerProcess
from otppi.testing.ports import free_port


class Redis(ServerProcess):
    """A server that writes every change to its append-only file, so that a kill loses nothing.

    Args:
        folder: Its own.
        password: Of the user `default`; none where empty.
        tls: The server's certificate; plain TCP without.
        client_ca: What clients' certificates are verified by; they need none without.
        options: Further lines of redis.conf.
    """

    def __init__(
        self,
        folder: Path,
        *,
        password: str = "",
        tls: Pair | None = None,
        client_ca: Path | None = None,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__(folder)
        self.port = free_port()
        lines = ["bind 127.0.0.1", f"dir {folder}", 'save ""', "appendonly yes", "appendfsync always", "daemonize no"]
        if tls is None:
            lines.append(f"port {self.port}")
        else:
            lines += ["port 0", f"tls-port {self.port}", f"tls-cert-file {tls.certificate}", f"tls-key-file {tls.key}"]
            lines.append(f"tls-auth-clients {'yes' if client_ca else 'no'}")
            lines.append(f"tls-ca-cert-file {client_ca or tls.certificate}")
        if password:
            lines.append(f"requirepass {password}")
        (folder / "redis.conf").write_text("\n".join([*lines, *options, ""]))

    def _command(self) -> Sequence[str]:
        # Its log tells of this start only: `_ready` reads it.
        self.log.write_bytes(b"")
        return ("redis-server", str(self.folder / "redis.conf"))

    def _ready(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return b"Ready to accept connections" in self.log.read_bytes()
