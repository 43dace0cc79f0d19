"""The `curl` line that sends a message to this device, by the address under which a server reaches it."""

import ipaddress
import json
import shlex
import socket
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import cherrypy

from otppi.admin.pages.answers import perform, visit
from otppi.admin.parts import Parts
from otppi.host.administrators.page import ADMINISTRATION
from otppi.host.gateway.interfaces import interfaces

_REST: Final = "ingress-rest"
MADE_UP: Final = "08126666666"
"""Who gets the message of a line for somebody whose number is not known."""


def curl_line(parts: Parts, name: str, token: str, receiver: str, *, metrics_only: bool = False) -> str:
    """Return the line; empty where the API does not listen. Its `id` is the time: two lines are no duplicates.

    Args:
        parts: What pages work on.
        name: Of the user, whose password curl asks for where there is no token.
        token: Of the user.
        receiver: Who is to get the message; a made-up number where it is empty.
        metrics_only: Whether the user may not send: the line reads the metrics.
    """
    rest = perform(parts, "settings_show").get(_REST, {})
    host = _host(parts)
    if rest.get("http_enable"):
        where, options = f"http://{host}:{rest['http_port']}", ""
    elif rest.get("https_enable"):
        where, options = f"https://{host}:{rest['https_port']}", "-k "  # the device's own certificate
    else:
        return ""
    who = f"-H 'Authorization: Bearer {token}'" if token else f"-u {shlex.quote(name)}"
    if metrics_only:
        return f"curl {options}{who} {where}/metrics"
    data = {"id": int(time.time()), "receiver": receiver or MADE_UP, "message": "OTP-Pi"}
    body = json.dumps({"command": "send-sms", "data": data})
    return f"curl {options}{who} {where}{rest['message_path']} -d {shlex.quote(body)}"


def _host(parts: Parts) -> str:
    """Return how a server calls this device: as the browser did, but not by the access point, where phones are."""
    access_point = parts.config.one(ADMINISTRATION)["access_point"]
    if access_point and visit().arrival.interface == access_point:
        return next(_addresses_beside(access_point), f"{socket.gethostname()}.local")
    host = urlsplit(f"//{cherrypy.request.headers.get('Host', '')}").hostname or "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _addresses_beside(access_point: str) -> Iterator[str]:
    """Yield the addresses of IPv4 by which others may come; at a modem's connection nothing is open."""
    for one in interfaces():
        if one["name"] != access_point and not one["name"].startswith("ppp"):
            known = [ipaddress.ip_interface(address).ip for address in one["addresses"]]
            yield from (str(address) for address in known if address.version == 4 and not address.is_link_local)
