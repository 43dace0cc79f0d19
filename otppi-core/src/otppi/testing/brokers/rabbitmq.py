"""A RabbitMQ for tests: a node of its own name, with AMQP, STOMP and the management API on free ports."""

import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

from otppi.testing.brokers.certificates import Pair
from otppi.testing.brokers.process import ServerProcess
from otppi.testing.ports import free_port
from otppi.testing.waiting import PATIENCE

USER, PASSWORD = "guest", "guest"
_PLUGINS = ("rabbitmq_stomp", "rabbitmq_management")


class RabbitMq(ServerProcess):
    """A broker whose data survive a kill; the user `guest` may do everything.

    It takes some seconds to start: share one among tests, and give each its own queues or its own virtual host.

    Args:
        folder: Its own.
        tls: The server's certificate; then `tls_port` and `stomp_tls_port` are served as well.
        address: Where it listens for AMQP and STOMP.
        within: What its command line starts with.
        options: Further lines of rabbitmq.conf.
    """

    def __init__(
        self,
        folder: Path,
        *,
        tls: Pair | None = None,
        address: str = "127.0.0.1",
        within: Sequence[str] = (),
        options: Sequence[str] = (),
    ) -> None:
        super().__init__(folder, within)
        self.address = address
        self.port, self.stomp_port, self.management_port = free_port(), free_port(), free_port()
        self.tls_port = free_port() if tls else 0
        self.stomp_tls_port = free_port() if tls else 0
        self._distribution_port = free_port()
        self._mapper_port = free_port()
        self._mapper: subprocess.Popen[bytes] | None = None
        self._banners_before = 0
        self._node = f"otppi{os.getpid()}x{self.port}@localhost"
        lines = [
            f"listeners.tcp.1 = {address}:{self.port}",
            f"stomp.listeners.tcp.1 = {address}:{self.stomp_port}",
            f"management.tcp.port = {self.management_port}",
            f"management.tcp.ip = {address}",
            "loopback_users = none",
            "log.console = true",
            "log.console.level = warning",
            "log.file = false",
            "vm_memory_high_watermark.absolute = 1GB",
            "disk_free_limit.absolute = 50MB",
        ]
        if tls is not None:
            lines += [
                f"listeners.ssl.1 = {address}:{self.tls_port}",
                f"stomp.listeners.ssl.1 = {address}:{self.stomp_tls_port}",
                f"ssl_options.certfile = {tls.certificate}",
                f"ssl_options.keyfile = {tls.key}",
                "ssl_options.verify = verify_none",
            ]
        (folder / "rabbitmq.conf").write_text("\n".join([*lines, *options, ""]))
        (folder / "enabled_plugins").write_text(f"[{','.join(_PLUGINS)}].\n")

    @property
    def url(self) -> str:
        """Where an AMQP client connects."""
        return f"amqp://{USER}:{PASSWORD}@{self.address}:{self.port}/"

    def _command(self) -> Sequence[str]:
        # The wrapper in /usr/sbin changes to the user `rabbitmq`, who may not write into the test's folder.
        return ("/usr/lib/rabbitmq/bin/rabbitmq-server",)

    def start(self) -> Self:
        """Start the port mapper, which would else be started as a daemon that nobody ends, then the node."""
        if self._mapper is None:
            self._mapper = subprocess.Popen(
                [*self._within, "epmd", "-port", str(self._mapper_port), "-address", "127.0.0.1"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"PATH": f"{os.environ['PATH']}:{_erlang()}"},
            )
        self._banners_before = self._banners()
        return super().start()

    def __exit__(self, *_: object) -> None:
        super().__exit__(*_)
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper.wait()
            self._mapper = None

    def _environment(self) -> Mapping[str, str]:
        folder = self.folder
        return {
            "HOME": str(folder),  # the cookie
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # It replaces its shell, so that the process that is signalled is the node itself.
            "RABBITMQ_ALLOW_INPUT": "true",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
        }

    def ctl(self, *arguments: str) -> str:
        """Run `rabbitmqctl` on this node, and return what it says."""
        program = "/usr/lib/rabbitmq/bin/rabbitmqctl"
        done = subprocess.run(
            [*self._within, program, "--quiet", *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=os.environ | self._environment(),
        )
        return done.stdout

    def manage(self, method: str, path: str, **document: str) -> None:
        """Change users, virtual hosts and permissions by the management API: `ctl` takes a second or more for each.

        Args:
            method: `PUT` or `DELETE`.
            path: Such as `users/app`, `vhosts/otp`, `permissions/%2F/app`.
            document: What is put.
        """
        credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(self.address, self.management_port, timeout=PATIENCE)
        with closing(connection):
            connection.request(method, f"/api/{path}", json.dumps(document).encode(), headers)
            answer = connection.getresponse()
            said = answer.read()
        if answer.status >= http.client.MULTIPLE_CHOICES:
            raise RuntimeError(f"{method} {path}: {answer.status} {said!r}")

    def rabbitmqadmin(self) -> Path:
        """Fetch the program `rabbitmqadmin` from the node, which serves it."""
        path = self.folder / "rabbitmqadmin"
        if not path.exists():
            url = f"http://{self.address}:{self.management_port}/cli/rabbitmqadmin"
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer, path.open("wb") as file:
                shutil.copyfileobj(answer, file)
            path.chmod(0o755)
        return path

    def _ready(self) -> bool:
        if self._within:  # its ports cannot be reached from here
            return self._banners() > self._banners_before
        for port in (self.port, self.stomp_port, self.management_port):
            with socket.create_connection((self.address, port), timeout=1):
                pass
        return True

    def _banners(self) -> int:
        """Count how often it has said that it is up."""
        return self.log.read_bytes().count(b"completed with") if self.log.exists() else 0


def _erlang() -> str:
    """Find the folder where Debian has Erlang's port mapper."""
    return str(next(iter(sorted(Path("/usr/lib/erlang").glob("erts-*/bin"))), ""))
