"""An application server on the LAN, that sends through the device's API: the card has brought its user."""

import base64
import http.client
import json
from collections.abc import Mapping
from typing import Final, Protocol

SLOW: Final = 900.0
"""Seconds for what takes a minute on an idle computer: other programs may use both cores, too."""
USERNAME, PASSWORD = "app", "kursi-hijau-di-teras"
_LOGIN: Final = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()


class Reached(Protocol):
    """A device, as an application on the LAN sees it."""

    @property
    def ports(self) -> Mapping[int, int]:
        """Those of this computer, by the device's that they lead to."""


def get(device: Reached, port: int, path: str) -> tuple[int, str]:
    """Return status and content of an answer from one of the device's ports."""
    return ask(device, port, "GET", path)


def send(device: Reached, number: int, text: str, receiver: str = "081234567890") -> str:
    """Send an SMS, and return in which state it is when the answer comes."""
    body = {"command": "send-sms", "data": {"id": number, "receiver": receiver, "message": text}}
    status, told = ask(device, 8899, "POST", "/api/message", json.dumps(body).encode())
    assert status == 200, told
    state: str = json.loads(told)["data"]["state"]
    return state


def ask(device: Reached, port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
    """Ask one of the device's ports as the application, and return status and content of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", device.ports[port], timeout=SLOW)
    try:
        connection.request(method, path, body, {"Authorization": _LOGIN, "Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
