"""By which names a browser may call this device.

A page of elsewhere can have its own name lead here a moment after it was loaded (DNS rebinding), and would then be of
the same origin as ours. It needs a name for that: whoever calls by address, or by a name that is ours, is no such page.
"""

import ipaddress
import socket
from collections.abc import Iterable

from otppi.web.request import Refused, Request

_ALWAYS = ("localhost",)


class HostNames:
    """The names under which the pages are served, beside any address of the device.

    Args:
        more: Further ones, as the administrator has set them.
    """

    def __init__(self, more: Iterable[str] = ()) -> None:
        own = socket.gethostname().lower()
        self._names = frozenset((*_ALWAYS, own, f"{own.partition('.')[0]}.local", *(one.lower() for one in more)))

    def check(self, request: Request) -> None:
        """Refuse a request that calls the device by a name which is none of its own.

        Raises:
            Refused: 421 (RFC 9110 15.5.20).
        """
        if not self.knows(request.field("host")):
            raise Refused(421, "Host", "is none of this device's names")

    def knows(self, host: str) -> bool:
        """Whether a Host field (RFC 9110 7.2) names this device."""
        name = name_of(host)
        if name.startswith("["):
            return name.endswith("]") and _is_address(name[1:-1])
        return name.rstrip(".") in self._names or _is_address(name)


def name_of(host: str) -> str:
    """Return the name or address of a Host field, in small letters, without its port."""
    host = host.strip().lower()
    if host.startswith("["):
        return "".join(host.partition("]")[:2])
    return host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
