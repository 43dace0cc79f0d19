"""The control socket: how the `otppi` command reaches the gateway that runs. One JSON line each way per connection."""

import contextlib
import json
import logging
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.host.control.client import ControlClient
from otppi.host.runtime.registry import COMMAND_LINE, Registry
from otppi.kit.threads import PromptThread
from otppi.text import words
from otppi.text.languages import ENGLISH, translated

logger = logging.getLogger(__name__)

_LONGEST = 16 * 1024 * 1024
"""Octets of a request: a blocking list of the greatest length, as it is exported, is a third of that."""
_TIMEOUT = 5.0
_REST = 0.5
_LAST_ANSWERS = 0.5
"""Seconds in which what is being answered may be, before the socket is closed: the answer may be that all ends."""


class ControlServer:
    """Serves the operations to whoever may open the socket: its mode is 0600, in a folder of mode 0700."""

    def __init__(self, path: Path, operations: Registry) -> None:
        path.unlink(missing_ok=True)  # left by a gateway that was killed: the data folder's lock says that it is gone
        self._path = path
        self._operations = operations
        self._stopping = threading.Event()
        self._answering = 0
        self._answered = threading.Condition()
        self._server = _Server(str(path), _Handler)
        path.chmod(0o600)
        self._server.control = self

    def run(self) -> None:
        """Serve until `stop`."""
        while not self._stopping.is_set():
            self._server.handle_request()  # waits for a connection as long as it takes

    def stop(self) -> None:
        """End `run`, or keep it from beginning. The last connection is one that says nothing."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            ControlClient(self._path).reachable()

    def rest(self) -> None:
        """Let a connection wait that cannot be accepted now, rather than try again all the time."""
        self._stopping.wait(_REST)

    def close(self) -> None:
        """Release the socket, after `run` has ended."""
        with self._answered:
            self._answered.wait_for(lambda: not self._answering, _LAST_ANSWERS)
        self._server.server_close()
        self._path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Have `close` wait for what is being answered."""
        with self._answered:
            self._answering += 1
        try:
            yield
        finally:
            with self._answered:
                self._answering -= 1
                self._answered.notify_all()

    def answer(self, line: bytes) -> dict[str, Any]:
        """Carry out one request, and say the answer in its language.

        A request is `{"operation", "arguments", "language", "revision"}`; the last two may be left out.
        """
        try:
            request = json.loads(line)
            language = str(request.get("language", ENGLISH))
        except (ValueError, RecursionError, AttributeError) as error:
            return {"error": str(error)}
        answer: dict[str, Any] = translated(self._answer(request), language)
        return answer

    def _answer(self, request: Any) -> dict[str, Any]:
        try:
            name = request["operation"]
            return {"result": self._operations.call(name, request["arguments"], COMMAND_LINE, request.get("revision"))}
        except InvalidSettings as error:
            return {"problems": [[problem.field, problem.reason] for problem in error.problems]}
        except (OtpPiError, LookupError, TypeError, ValueError, RecursionError) as error:
            return {"error": words(error)}
        except OSError as error:  # the card is full, or read-only
            logger.exception("operation %s failed", name)
            return {"error": f"{error.filename or name}: {error.strerror}"}


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    control: ControlServer

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; where no descriptor is free, not before some have had time to be."""
        try:
            return super().get_request()
        except OSError:
            self.control.rest()
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Have a thread of its own answer a request."""
        PromptThread(partial(self.process_request_thread, request, client_address), "control request").start()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        logger.error("a request on the control socket failed", exc_info=sys.exception())


class _Handler(socketserver.StreamRequestHandler):
    timeout = _TIMEOUT

    def handle(self) -> None:
        assert isinstance(self.server, _Server)  # noqa: S101 - a programming error
        try:
            if line := self.rfile.readline(_LONGEST):
                with self.server.control.answering():
                    self.wfile.write(json.dumps(self.server.control.answer(line)).encode() + b"\n")
        except OSError as error:
            logger.debug("a client of the control socket has gone: %s", error.strerror or "it said nothing")
