"""What stands in for systemd as a service's manager: its socket (sd_notify(3)), and what came there."""

import os
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from otppi.testing.waiting import until

_CREDENTIALS = struct.Struct("3i")  # struct ucred of unix(7)
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Told:
    """One datagram: when it came on the monotonic clock, from which process, its fields."""

    at: float
    process: int
    fields: Mapping[str, str]


class ListeningManager:
    """Takes what a service tells, as systemd does: with the sender's process, which it may not choose.

    Args:
        address: A path, or a name after `@` for an abstract socket.
    """

    def __init__(self, address: str | Path) -> None:
        self.address = str(address)
        self._told: list[Told] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(f"\0{self.address[1:]}" if self.address.startswith("@") else self.address)
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Self:
        """Listen from here on."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while True:
            data, ancillary, _, _ = self._socket.recvmsg(_LONGEST, socket.CMSG_SPACE(_CREDENTIALS.size))
            if not data:
                return
            (_, _, credentials), *_others = ancillary
            fields = dict(line.split("=", 1) for line in data.decode().split("\n"))
            self._told.append(Told(time.monotonic(), _CREDENTIALS.unpack(credentials)[0], fields))

    def environment(self, watchdog: float = 0.0) -> dict[str, str]:
        """Return a service's environment, with a watchdog of so many seconds where there is to be one."""
        given = {**os.environ, "NOTIFY_SOCKET": self.address}
        return given | ({"WATCHDOG_USEC": str(round(watchdog * 1_000_000))} if watchdog else {})

    @property
    def told(self) -> list[Told]:
        """All that came until now."""
        return list(self._told)

    def having(self, field: str, value: str = "") -> list[Told]:
        """Return what came with a field, of that value where one is given."""
        return [one for one in self.told if field in one.fields and value in ("", one.fields[field])]

    def wait_for(self, field: str, value: str = "", count: int = 1) -> Told:
        """Wait until a field has come so many times; return what it came with then."""
        until(lambda: len(self.having(field, value)) >= count, lambda: f"{field} {value} {count} times: {self.told}")
        return self.having(field, value)[count - 1]

    @property
    def status(self) -> str:
        """What people see of it now."""
        return next((one.fields["STATUS"] for one in reversed(self.told) if "STATUS" in one.fields), "")
