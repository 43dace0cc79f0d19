"""What a service tells the service manager that started it, by the protocol of sd_notify(3); without a library."""

import logging
import os
import re
import socket
import struct
from collections.abc import Mapping, MutableMapping
from typing import Final

logger = logging.getLogger(__name__)

READY: Final = "READY=1"
ALIVE: Final = "WATCHDOG=1"
STOPPING: Final = "STOPPING=1"
_ADDRESS: Final = "NOTIFY_SOCKET"
_WATCHDOG: Final = ("WATCHDOG_USEC", "WATCHDOG_PID")
_PATIENCE: Final = 5
"""Seconds in which the manager takes what it is told: it may be busy, and its queue full (unix(7))."""
_MICROSECONDS: Final = 1_000_000


def status(told: str) -> str:
    """Return the field by which people are told how the service is, in one line (`systemctl status`)."""
    return f"STATUS={' '.join(told.split())}"


def extended(seconds: float) -> str:
    """Return the field by which a start or stop, or the watchdog's time, does not end before so many seconds from now.

    systemd extends by it whichever of these runs (`EXTEND_TIMEOUT_USEC`), and cuts none of them short.
    """
    return f"EXTEND_TIMEOUT_USEC={round(seconds * _MICROSECONDS)}"


class ServiceManager:
    """The service manager, to which datagrams are sent. Any thread.

    The socket stays open: with no descriptor free it could not be opened just when it is needed. It is not connected:
    a manager that begins again makes another one of the same name.

    Args:
        address: The socket: a path, or a name after `@` (abstract, unix(7)).
        watchdog: Seconds within which the manager wants to hear `ALIVE` again; 0 where it has no watchdog.
        variables: What it has put into the environment, for `hand_on`.
    """

    def __init__(self, address: str, watchdog: float = 0.0, variables: Mapping[str, str] | None = None) -> None:
        self.watchdog = watchdog
        self._variables = dict(variables or {})
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._refused = ""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # Not `settimeout`: for a socket that is not connected poll(2) says that it may be written at any time.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _PATIENCE, 0))

    @classmethod
    def of(cls, environment: MutableMapping[str, str]) -> "ServiceManager | None":
        """Return the one that has started this process; None where none has.

        Its variables are taken out of the environment: no child speaks for the service (as `unset_environment` does).
        """
        names = (_ADDRESS, *_WATCHDOG)
        variables = {name: environment.pop(name) for name in names if name in environment}
        address = variables.get(_ADDRESS, "")
        if not address:
            return None
        if address[0] not in "/@":
            logger.warning("the service manager is told nothing: %s is no socket of this machine", address)
            return None
        return cls(address, _watchdog_of(variables), variables)

    def tell(self, *fields: str) -> bool:
        """Send fields, such as `READY`, in one datagram; False where it was not taken, which is logged once."""
        try:
            self._socket.sendto("\n".join(fields).encode(), self._address)
        except OSError as error:
            reason = error.strerror or str(error)
            if reason != self._refused:
                logger.error("the service manager cannot be told %s: %s", fields[0], reason)  # noqa: TRY400
            self._refused = reason
            return False
        self._refused = ""
        return True

    def hand_on(self, environment: MutableMapping[str, str]) -> None:
        """Put its variables back, for a program that takes this one's place (execve(2)) and is the service then."""
        environment.update(self._variables)

    def close(self) -> None:
        """Tell it nothing more."""
        self._socket.close()


def _watchdog_of(variables: Mapping[str, str]) -> float:
    """Return the seconds of the watchdog (sd_watchdog_enabled(3)); 0 where there is none for this process."""
    microseconds, process = (variables.get(name, "") for name in _WATCHDOG)
    if process not in ("", str(os.getpid())) or not re.fullmatch("[0-9]{1,18}", microseconds):
        return 0.0
    return int(microseconds) / _MICROSECONDS
