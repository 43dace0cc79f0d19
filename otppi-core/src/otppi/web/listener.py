"""A port that is listened on."""

import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otppi.api.errors import OtpPiError
from otppi.text import _

if TYPE_CHECKING:
    from ssl import SSLContext

BACKLOG = 1024
KERNEL_BUFFER = 32_768
"""Octets that the kernel keeps of a connection each way (and as many again of its own, socket(7)): a client that never
reads, or never stops sending, would have it keep megabytes, and a thousand of them more than the device has.
"""


@dataclass(frozen=True, slots=True)
class Listener:
    """One port.

    Attributes:
        sock: Its listening socket, as `open_port` gives it.
        tls: Gives the context for HTTPS, whenever a client speaks TLS, on a thread of the handshakes; it raises
            OSError where there is none. None where the port serves HTTP alone.
        plain: Whether a port with `tls` serves HTTP, too: a client's first octet tells which it speaks.
        tells_arrival: Whether requests say where they came in: by which interface, and at which address.
    """

    sock: socket.socket
    tls: "Callable[[], SSLContext] | None" = None
    plain: bool = False
    tells_arrival: bool = False

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self.sock.getsockname()[1])


def open_port(address: str, port: int, setting: str) -> socket.socket:
    """Open a listening socket; for all addresses, one that serves IPv4 and IPv6 where the device has both.

    Args:
        address: Of this device; empty for all.
        port: 0 for any free one.
        setting: The setting that the port is from, such as `ingress-rest.http_port`.

    Raises:
        OtpPiError: It cannot be opened; the sentence names the setting.
    """
    try:
        try:
            if address or not socket.has_dualstack_ipv6():
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                sock = socket.create_server((address, port), family=family, backlog=BACKLOG)
            else:
                sock = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG)
        except OSError as error:
            if address or error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise
            sock = socket.create_server(("", port), backlog=BACKLOG)  # IPv6 is switched off
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: _("another program uses it"),
            errno.EACCES: _("ports below 1024 need a privilege that this process does not have"),
            errno.EADDRNOTAVAIL: _("{address} is not an address of this device", address=address),
        }
        reason = reasons.get(error.errno or 0, error.strerror)
        raise OtpPiError(
            _("Port {port} ({setting}) cannot be opened: {reason}", port=port, setting=setting, reason=reason)
        ) from error
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):  # connections have those of their listener
        sock.setsockopt(socket.SOL_SOCKET, option, KERNEL_BUFFER)
    sock.setblocking(False)
    return sock


def inherited_port(descriptor: int) -> socket.socket | None:
    """Return a listening socket of IP that was open when this program began; None where the descriptor is none.

    One that is something else, such as the socket to which the log is written, is left as it is.
    """
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError:
        return None
    listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if not listens or sock.family not in (socket.AF_INET, socket.AF_INET6) or sock.type != socket.SOCK_STREAM:
        sock.detach()
        return None
    sock.set_inheritable(False)
    sock.setblocking(False)
    return sock


def listens_at(sock: socket.socket, address: str, port: int) -> bool:
    """Whether a listening socket is what `open_port` would give for these."""
    at, bound = sock.getsockname()[:2]
    return bool(bound == port and (at == address if address else at in ("::", "0.0.0.0")))  # noqa: S104 - it is compared
