"""The way to the pages for who has just joined the access point of a new device, and called some other address.

There every name leads to this device, and port 80 to the pages. A phone looks for the internet by a request of HTTP to
a name of its maker's, such as `/generate_204` or `/hotspot-detect.html`; where it is redirected, it opens the page that
it was led to ("captive portal"). RFC 8910 lets DHCP tell it beforehand where to ask whether there is one (RFC 8908).
Both RFCs want HTTPS there, for which a device in a private network has no certificate that a phone would trust: phones
that insist on it are left with the redirect.

All this is for one who holds the passphrase of the access point, and ends with the claim. A page of elsewhere whose
name leads here (DNS rebinding) is told the address of the device and no more: its name gets no page, no cookie and no
form, and what it is led to is of another origin.
"""

import json
from collections.abc import Callable
from typing import Final

from otppi.admin.security.origins import HARMLESS
from otppi.web.request import Refused, Request
from otppi.web.response import Response

PATH: Final = "/captive-portal/api"
"""Where phones ask how it is; DHCP tells it (option 114)."""
CONTENT_TYPE: Final = "application/captive+json"


class CaptivePortal:
    """Any thread.

    Args:
        unclaimed: Says whether the device has no administrator yet.
    """

    def __init__(self, unclaimed: Callable[[], bool]) -> None:
        self._unclaimed = unclaimed
        self._interface = ""

    def configure(self, interface: str) -> None:
        """Use this interface as that of the access point; there is none where it is empty."""
        self._interface = interface

    def address(self, request: Request) -> str:
        """Return where a request is to be led to, such as `http://192.168.0.11:8888/`; empty where nowhere.

        It is the address at which the connection came in, and nothing that the request says.
        """
        arrival = request.arrival
        if not self._interface or arrival.interface != self._interface or not self._unclaimed():
            return ""
        return arrival.url

    def lead(self, request: Request) -> Response | None:
        """Lead a request that called the device by a strange name to its pages; None where it is to be refused."""
        if request.method not in HARMLESS or not (address := self.address(request)):
            return None
        return Response(302, b"", (("Location", address),), "")

    def respond(self, request: Request) -> Response:
        """Answer a request for `PATH`: whether there is something to be done before there is a network (RFC 8908 5).

        Raises:
            Refused: It does not only read.
        """
        if request.method not in HARMLESS:
            raise Refused(405, "method", "must be GET", (("Allow", ", ".join(sorted(HARMLESS))),))
        address = self.address(request)
        told = {"captive": True, "user-portal-url": address} if address else {"captive": False}
        return Response(200, json.dumps(told).encode(), (), CONTENT_TYPE)
