"""The control socket: how the `otppi` command reaches the gateway that runs. One JSON line each way per connection."""

import contextlib
import json
import logging
import os
import socket
import socketserver
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.wire.errors import FieldError
from otppi.host.operations import Operations

logger = logging.getLogger(__name__)

_LONGEST = 4 * 1024 * 1024
_TIMEOUT = 5.0


class ControlServer:
    """Serves the operations to whoever may open the socket: its mode is 0600, in a folder of mode 0700."""

    def __init__(self, path: Path, operations: Operations) -> None:
        path.unlink(missing_ok=True)  # left by a gateway that was killed: the data folder's lock says that it is gone
        self._path = path
        self._lock = threading.Lock()
        self._operations = operations
        self._server = _Server(str(path), _Handler)
        path.chmod(0o600)
        self._server.control = self

    def run(self) -> None:
        """Serve until `stop`."""
        self._server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """End `run`."""
        self._server.shutdown()

    def close(self) -> None:
        """Release the socket, after `run` has ended."""
        self._server.server_close()
        self._path.unlink(missing_ok=True)

    def answer(self, line: bytes) -> dict[str, Any]:
        """Carry out one request, `{"operation", "arguments"}`."""
        try:
            request = json.loads(line)
            name, arguments = request["operation"], request["arguments"]
            # A manual SMS waits for its network: the others need not. Changes are made one at a time.
            with contextlib.nullcontext() if name == "send" else self._lock:
                return {"result": self._operations.call(name, arguments)}
        except InvalidSettings as error:
            return {"problems": [[problem.field, problem.reason] for problem in error.problems]}
        except (OtpPiError, LookupError, TypeError, ValueError) as error:
            return {"error": str(error)}


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    control: ControlServer

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        logger.exception("a request on the control socket failed")


class _Handler(socketserver.StreamRequestHandler):
    timeout = _TIMEOUT

    def handle(self) -> None:
        assert isinstance(self.server, _Server)  # noqa: S101 - a programming error
        line = self.rfile.readline(_LONGEST)
        if line:
            self.wfile.write(json.dumps(self.server.control.answer(line)).encode() + b"\n")


class ControlClient:
    """Asks the gateway that runs; `OtpPiError` where it refuses, `InvalidSettings` with its problems."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def reachable(self) -> bool:
        """Whether a gateway listens."""
        with contextlib.suppress(OSError), self._connect():
            return True
        return False

    def call(self, name: str, arguments: Mapping[str, Any], timeout: float = 150.0) -> Any:
        """Carry out an operation in the gateway, and give its result."""
        with self._connect() as connection:
            connection.settimeout(timeout)
            connection.sendall(json.dumps({"operation": name, "arguments": arguments}).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline() or b'{"error": "the gateway hung up"}')
        if "problems" in answer:
            raise InvalidSettings([FieldError(field, reason) for field, reason in answer["problems"]])
        if "error" in answer:
            raise OtpPiError(answer["error"])
        return answer["result"]

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(os.fspath(self._path))
        except OSError:
            connection.close()
            raise
        return connection
