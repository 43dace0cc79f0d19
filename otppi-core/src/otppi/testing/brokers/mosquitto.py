"""A Mosquitto (MQTT broker) for tests."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from otppi.testing.brokers.certificates import Pair
from otppi.testing.brokers.process import ServerProcess
from otppi.testing.ports import free_port


class Mosquitto(ServerProcess):
    """A broker that keeps its sessions over a `stop` and `start`, and over a `kill` what was there at the last `save`.

    Args:
        folder: Its own.
        users: User names and passwords; everybody may come in where there are none.
        tls: The server's certificate; plain TCP without.
        address: Where it listens.
        options: Further lines of mosquitto.conf(5).
        within: What its command line starts with.
        also_tls: The server's certificate at a second port, `tls_port`, beside one without TLS.
    """

    def __init__(
        self,
        folder: Path,
        *,
        users: Mapping[str, str] | None = None,
        tls: Pair | None = None,
        address: str = "127.0.0.1",
        options: Sequence[str] = (),
        within: Sequence[str] = (),
        also_tls: Pair | None = None,
    ) -> None:
        super().__init__(folder, within)
        self.address = address
        self.port = free_port()
        self.tls_port = free_port() if also_tls else 0
        self._also_tls = also_tls
        self._users = dict(users or {})
        self._tls = tls
        self._options = tuple(options)
        self._write()

    def _write(self) -> None:
        lines = [
            f"listener {self.port} {self.address}",
            f"allow_anonymous {'false' if self._users else 'true'}",
            "user root",
            "persistence true",
            f"persistence_location {self.folder}/",
            "max_queued_messages 0",
            "connection_messages true",
        ]
        if self._users:
            passwords = self.folder / "passwords"
            passwords.write_text("".join(f"{user}:{password}\n" for user, password in self._users.items()))
            passwords.chmod(0o600)
            subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
            lines.append(f"password_file {passwords}")
        if self._tls is not None:
            lines += [f"certfile {self._tls.certificate}", f"keyfile {self._tls.key}"]
        lines += self._options
        if self._also_tls is not None:  # what stands behind a listener is its own
            lines += [f"listener {self.tls_port} {self.address}"]
            lines += [f"certfile {self._also_tls.certificate}", f"keyfile {self._also_tls.key}"]
        (self.folder / "mosquitto.conf").write_text("\n".join([*lines, ""]))

    def _command(self) -> Sequence[str]:
        # Debian installs it where the PATH of an ordinary user does not look.
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        return (program, "-c", str(self.folder / "mosquitto.conf"))

    def save(self) -> None:
        """Have it write its sessions and messages, as it does by itself now and then and when it stops.

        What came after that is lost by a kill: Mosquitto writes no journal.
        """
        before = self._database()
        self._signal(signal.SIGUSR1)
        deadline = time.monotonic() + 10
        while self._database() == before:
            if time.monotonic() > deadline:
                raise RuntimeError("Mosquitto did not save")
            time.sleep(0.01)  # it has no way to say so

    def _database(self) -> tuple[int, int] | None:
        """Name the file that it has written, which it replaces as a whole."""
        try:
            status = (self.folder / "mosquitto.db").stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns

    def _ready(self) -> bool:
        if self._within:
            return b"running" in self.log.read_bytes()
        with socket.create_connection((self.address, self.port), timeout=1):
            return True
