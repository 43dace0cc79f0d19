"""The client of the control socket: asks the gateway that runs. Imports nothing else of the host, to start fast."""

import contextlib
import json
import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.text import _
from otppi.text.languages import ENGLISH
from otppi.wire.errors import FieldError

_UCRED = struct.Struct("iII")


class NoAnswer(OtpPiError):  # noqa: N818
    """The gateway is gone, or did not answer in time: whether it did what it was asked for is not known."""


class ControlClient:
    """Asks the gateway that runs; `OtpPiError` where it refuses, `InvalidSettings` with its problems."""

    def __init__(self, path: Path, language: str = ENGLISH) -> None:
        self._path = path
        self._language = language

    def reachable(self) -> bool:
        """Whether a gateway listens.

        Raises:
            PermissionError: One may, but not to this user.
        """
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError), self._connect():
            return True
        return False

    def process(self) -> int:
        """Return the process id of the gateway (unix(7), SO_PEERCRED)."""
        with self._connect() as connection:
            peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        return int(_UCRED.unpack(peer)[0])

    def call(self, name: str, arguments: Mapping[str, Any], timeout: float = 150.0, revision: int | None = None) -> Any:
        """Carry out an operation in the gateway, and return its result.

        Args:
            name: Of the operation.
            arguments: Its arguments.
            timeout: Seconds to wait for the answer.
            revision: Of the settings that a change of them was made from.

        Raises:
            NoAnswer: The gateway is gone, or took more than `timeout` seconds.
        """
        try:
            request = {"operation": name, "arguments": arguments, "language": self._language, "revision": revision}
            answer = self._exchange(request, timeout)
        except OSError as error:
            raise NoAnswer(
                _("the gateway does not answer ({reason})", reason=error.strerror or _("it took too long"))
            ) from error
        if answer is None:
            raise NoAnswer(_("the gateway hung up without an answer (its log may tell why)"))
        if "problems" in answer:
            raise InvalidSettings([FieldError(field, reason) for field, reason in answer["problems"]])
        if "error" in answer:
            raise OtpPiError(answer["error"])
        return answer["result"]

    def _exchange(self, request: Mapping[str, Any], timeout: float) -> dict[str, Any] | None:
        """Return the answer, or None where the gateway hung up without one."""
        with self._connect() as connection:
            connection.settimeout(timeout)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(os.fspath(self._path))
        except OSError:
            connection.close()
            raise
        return connection
