"""The state of the gateway as a retained message, for whoever subscribes to the status topic."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from otppi.api.ingress import Gateway
from otppi_ingress_mqtt.discovery import Discovery
from otppi_ingress_mqtt.outgoing import Outgoing

OFFLINE = b'{"status":"offline"}'
"""What the broker publishes when the gateway dies, and the gateway itself when it is stopped in order."""


class Status:
    """Publishes the state when it has changed. The connection's thread owns it.

    Args:
        topic: Where; empty for nowhere.
        gateway: Whose state.
        outgoing: Publishes.
        discovery: Tells Home Assistant of the modems, and which figures of theirs the state has then.
        every: Seconds between two looks at it.
        figures: Seconds between two publications of which the second has other figures only.
    """

    def __init__(
        self, topic: str, gateway: Gateway, outgoing: Outgoing, discovery: Discovery, *, every: float, figures: float
    ) -> None:
        self._topic = topic
        self._gateway = gateway
        self._outgoing = outgoing
        self._discovery = discovery
        self._every = every
        self._figures_every = figures
        self._states: Mapping[str, Any] = {}
        self._told = b""
        self._due = self._figures_due = 0.0

    def connected(self) -> None:
        """Publish it anew: the broker may have published the last will."""
        self._discovery.connected()
        self._states, self._told, self._due = {}, b"", 0.0

    def tell(self) -> None:
        """Look at the state from time to time, and publish it where it is another."""
        now = time.monotonic()
        if now >= self._due and (self._topic or self._discovery.has_work):
            self._due = now + self._every
            health = self._gateway.health()
            if self._topic:
                self._publish(health, now)
            self._discovery.look(health)
        self._discovery.pump()

    def _publish(self, health: Mapping[str, Any], now: float) -> None:
        states, payload = _states(health), self._payload(health)
        if payload == self._told or (states == self._states and now < self._figures_due):
            return
        self._outgoing.state(self._topic, payload)
        self._states, self._told = states, payload
        self._figures_due = now + self._figures_every

    def _payload(self, health: Mapping[str, Any]) -> bytes:
        """Write status, version, and the modems by name and state: nothing that says whose they are."""
        known = health.get("modems", ())
        modems = [told | self._discovery.figures(modem) for told, modem in zip(_modems(health), known, strict=True)]
        return json.dumps(_states(health) | {"modems": modems}, separators=(",", ":")).encode()

    def tell_offline(self) -> Callable[[], bool]:
        """Publish that the gateway is gone; return what tells whether the broker has it."""
        return self._outgoing.state(self._topic, OFFLINE) if self._topic else lambda: True


def _states(health: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told at once when it changes."""
    return {"status": health.get("status"), "version": health.get("version"), "modems": _modems(health)}


def _modems(health: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"modem_id": modem.get("modem_id"), "state": modem.get("state")} for modem in health.get("modems", ())]
