"""What pppd(8) is told, as a file of options: nothing of the settings stands in its command line."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from otppi.api.internet import Dialling, InternetDown
from otppi_internet_ppp.text import _

_LONGEST = 250
"""pppd cuts names and secrets at 255 octets."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FIXED = (
    "nodetach",
    "lock",
    "modem",
    "noipdefault",
    "ipcp-accept-local",
    "ipcp-accept-remote",
    "novj",
    "nobsdcomp",
    "nodeflate",
    "noaccomp",
    "hide-password",
    "lcp-echo-interval 30",
    "lcp-echo-failure 4",
    "maxfail 1",
)
_RESERVE_METRIC = 10_000
"""Of the default route, where it is the reserve: worse than what NetworkManager gives to Ethernet (100) and Wi-Fi
(600), better than what those get (20,000 more) where they lead nowhere and it was told to look."""
_ROUTES: Mapping[str, tuple[str, ...]] = {
    "none": ("nodefaultroute",),
    "add": ("defaultroute", f"defaultroute-metric {_RESERVE_METRIC}"),
    "replace": ("defaultroute", "replacedefaultroute"),
}


def ppp_options(dialling: Dialling, settings: Mapping[str, Any], *, chat: str, script: Path, privileged: bool) -> str:
    """Write the options.

    Args:
        dialling: Port, speed, and who we are at the access point.
        settings: The section `internet`.
        chat: The program chat(8).
        script: Its script.
        privileged: Whether pppd is started by root: others may not use some options (see docs/mobile-internet.md).

    Raises:
        InternetDown: A setting cannot be used.
    """
    if not re.fullmatch(r"/[^\s\"'\\]+", dialling.port):
        raise InternetDown(_("the port to dial on is not the path of a device"))
    # pppd gives the command to a shell: it holds nothing but two paths of ours.
    connect = f"exec {shlex.quote(chat)} -S -s -f {shlex.quote(str(script))}"
    lines = [dialling.port, str(dialling.baud_rate), f"connect {word(connect)}", *_FIXED]
    lines += _ROUTES[settings["default_route"]] if privileged else _ROUTES[settings["default_route"]][:1]
    if privileged:
        lines.append("noauth")  # the network does not prove to us who it is
    if settings["use_peer_dns"]:
        lines.append("usepeerdns")
    if dialling.username:
        lines += [f"user {word(dialling.username)}", f"password {word(dialling.password)}"]
    return "\n".join(lines) + "\n"


def word(text: str) -> str:
    r"""Write a text as one word of an options file (pppd(8), OPTIONS FILES).

    Example:
        >>> word('a "b" \\ #c')
        '"a \\"b\\" \\\\ #c"'
    """
    if _CONTROL.search(text) or len(text.encode()) > _LONGEST:
        raise InternetDown(_("a user name or password at the access point has a control character or is too long"))
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'
