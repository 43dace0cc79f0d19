"""What pppd(8) says while it runs, and what its exit status means."""

import re
from collections.abc import Mapping
from dataclasses import replace

from otppi.api.internet import InternetState, InternetStatus
from otppi_internet_ppp.text import _

_CAUSES: Mapping[int, str] = {
    1: _("pppd failed (out of memory, or a system call failed)"),
    2: _("pppd does not know one of its options"),
    3: _("pppd must be started by root, or be setuid root"),
    4: _("this kernel has no PPP"),
    6: _("another program has locked the port"),
    7: _("the port cannot be opened"),
    8: _("dialling failed"),
    10: _("the network gave no address (PPP negotiation failed)"),
    11: _("the network refused to say who it is"),
    15: _("the network does not answer any more"),
    16: _("the modem hung up"),
    17: _("the port is looped back: it is no modem's"),
    19: _("the network refused user name or password"),
}
"""EXIT STATUS of pppd(8)."""

_COMPLAINTS: Mapping[str, str] = {
    "Couldn't set tty to PPP discipline": _("this kernel has no PPP for serial ports (ppp_async)"),
    "Couldn't create new ppp unit": _("this kernel gives no PPP interface"),
}
_ADDRESS = r"([0-9a-fA-F.:]+)"
_INTERFACE = re.compile(r"Using interface (\w+)")
_LOCAL = re.compile(rf"local +IP address {_ADDRESS}")
_DNS = re.compile(rf"(?:primary|secondary) +DNS address {_ADDRESS}")


def cause_of(exit_status: int) -> str:
    """Return why pppd ended."""
    return _CAUSES.get(exit_status, _("the connection ended"))


def complaint(line: str) -> str | None:
    """Read a line that says more than the exit status that follows; None for others."""
    return next((meaning for begin, meaning in _COMPLAINTS.items() if line.startswith(begin)), None)


def heard(status: InternetStatus, line: str, now: float) -> InternetStatus:
    """Take one line of pppd's log; `now` are Unix seconds."""
    if found := _INTERFACE.match(line):
        return replace(status, state=InternetState.NEGOTIATING, since=now, interface=found[1])
    if found := _LOCAL.match(line):
        return replace(status, state=InternetState.CONNECTED, since=now, address=found[1], detail="")
    if (found := _DNS.match(line)) and found[1] not in status.dns:
        return replace(status, dns=(*status.dns, found[1]))
    return status
