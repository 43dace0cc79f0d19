"""The state of the gateway as a retained message, for whoever subscribes to the status topic."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from otppi.api.ingress import Gateway
from otppi_ingress_mqtt.outgoing import Outgoing

OFFLINE = b'{"status":"offline"}'
"""What the broker publishes when the gateway dies, and the gateway itself when it is stopped in order."""
INTERVAL = 2.0
"""Seconds between two looks at the state."""


class Status:
    """Publishes the state when it has changed. The connection's thread owns it."""

    def __init__(self, topic: str, gateway: Gateway, outgoing: Outgoing) -> None:
        self._topic = topic
        self._gateway = gateway
        self._outgoing = outgoing
        self._told = b""
        self._due = 0.0

    def connected(self) -> None:
        """Publish it anew: the broker may have published the last will."""
        self._told, self._due = b"", 0.0

    def tell(self) -> None:
        """Look at the state from time to time, and publish it where it is another."""
        now = time.monotonic()
        if not self._topic or now < self._due:
            return
        self._due = now + INTERVAL
        payload = _payload(self._gateway.health())
        if payload != self._told:
            self._outgoing.state(self._topic, payload)
            self._told = payload

    def tell_offline(self) -> Callable[[], bool]:
        """Publish that the gateway is gone; return what tells whether the broker has it."""
        return self._outgoing.state(self._topic, OFFLINE) if self._topic else lambda: True


def _payload(health: Mapping[str, Any]) -> bytes:
    """Write status, version, and the modems by name and state: nothing that says whose they are."""
    modems = [{"modem_id": modem.get("modem_id"), "state": modem.get("state")} for modem in health.get("modems", ())]
    state = {"status": health.get("status"), "version": health.get("version"), "modems": modems}
    return json.dumps(state, separators=(",", ":")).encode()
