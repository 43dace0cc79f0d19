"""TCP ports for servers that tests start."""

import random
import socket

PORTS = range(10_000, 32_768)
"""Below the ephemeral ports of Linux (net.ipv4.ip_local_port_range): no connection is given one as its own end."""
_TRIES = 1_000
_given: set[int] = set()
_choice = random.SystemRandom()


def free_port() -> int:
    """Return a TCP port that nobody uses now, and that this process has not been given before.

    A port that the kernel chooses for a probe may be the next connection's own end before the server binds it.
    """
    for _ in range(_TRIES):
        port = _choice.choice(PORTS)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise AssertionError(f"no TCP port is free between {PORTS.start} and {PORTS.stop}")


def _is_free(port: int) -> bool:
    """Return whether a server could listen on a port of every address, IPv4 and IPv6."""
    try:
        with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True):
            return True
    except OSError:
        return False
