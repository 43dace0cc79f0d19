"""How many messages the server may deliver ahead: subscriptions whose prefetch follows what the modems can send."""

import itertools
import time
from collections.abc import Mapping
from typing import Any

from otppi.kit.broker.parking import steps
from otppi_ingress_stomp.text import _

_MORE, _LESS = 1.5, 0.5
"""The prefetch is changed when the modems could have so many times as much at hand, or so little."""
_FOR_LONG = 5.0
"""Seconds for which they could have less before it is lowered; that takes a new connection."""
_NONE_FOR = 1.0
_ROOM_FOR = 60.0
"""Seconds for which a quarter of the room for what is parked is enough, before a new connection lowers it."""
_PATIENCE = {True: 30.0, False: 5.0}
"""Seconds in which messages on their way may become final before the connection ends, by whether modems can send."""


class Subscriptions:
    """The subscriptions of one connection. The connection's thread only.

    A message can be acknowledged while its subscription lasts (RabbitMQ hangs up on who tries it later), and is given
    back to ActiveMQ by ending the connection only. So more is taken by a further subscription, and less by a new
    connection, once nothing is on its way: it is drained.

    Attributes:
        prefetch: How many messages the server delivers ahead of acknowledgements, beside what is parked.
        detail: What people should know of it.

    Args:
        values: Section `ingress-stomp`.
        source: The destination.
        kept: Whether messages are acknowledged one by one; else all are delivered as they come.
    """

    def __init__(self, values: Mapping[str, Any], source: str, *, kept: bool) -> None:
        pairs = (header.partition(":") for header in values["subscribe_headers"])
        self._headers = {name.strip(): value.strip() for name, _colon, value in pairs}
        self._source = source
        self._kept = kept
        self._number = itertools.count(1)
        self.prefetch = self._room = 0
        self._room_needed = 0.0
        self.detail = "connected"
        self._less_since: float | None = None
        self._drained_by: float | None = None

    @property
    def is_draining(self) -> bool:
        """Whether nothing is taken any more over this connection."""
        return self._drained_by is not None

    def adjust(self, protocol: Any, capacity: int, parked: int) -> None:
        """Subscribe as far as the modems have room, which is also where none had before.

        What is parked takes up what the server delivers ahead, so as much is added; and as that is not taken back
        before the connection ends, it is not added again when others are parked, and the connection ends when it has
        not been needed for long: else this gateway would hold what others could send.
        """
        if self.is_draining:
            return
        if not self._kept:
            if not self.prefetch:
                self._subscribe(protocol, "auto", 1)
                self.prefetch = 1
            return
        if not capacity:
            self.detail = _("takes nothing: no modem may send")
        if capacity and (not self.prefetch or capacity >= _MORE * self.prefetch):
            self._subscribe(protocol, "client-individual", capacity - self.prefetch)
            self.prefetch = capacity
        if capacity and parked > self._room:
            more = steps(parked) - self._room
            self._subscribe(protocol, "client-individual", more, last=True)
            self._room += more
        self._room_needed = time.monotonic() if 4 * parked >= self._room else self._room_needed
        if time.monotonic() - self._room_needed > _ROOM_FOR:
            self.drain(_("takes less: fewer messages wait"))
        if self.prefetch and capacity < _LESS * self.prefetch:
            self._wait_to_lower(capacity)
        else:
            self._less_since = None

    def _wait_to_lower(self, capacity: int) -> None:
        now = time.monotonic()
        self._less_since = self._less_since or now
        if now - self._less_since >= (_FOR_LONG if capacity else _NONE_FOR):
            reason = _("takes less: the modems are slower") if capacity else self.detail
            self.drain(reason, able=bool(capacity))

    def drain(self, reason: str, *, able: bool = True) -> None:
        """Take nothing more over this connection."""
        self.detail = reason
        self._drained_by = time.monotonic() + _PATIENCE[able]

    def is_drained(self, now: float, *, idle: bool) -> bool:
        """Whether the connection may end."""
        return self._drained_by is not None and (idle or now >= self._drained_by)

    def lost(self) -> None:
        """Take note that the connection has ended."""
        self.prefetch = self._room = 0
        self._less_since = self._drained_by = None

    def _subscribe(self, protocol: Any, ack: str, more: int, *, last: bool = False) -> None:
        # The first is RabbitMQ's name for it, the second ActiveMQ's.
        limits = {"prefetch-count": more, "activemq.prefetchSize": more} if self._kept else {}
        if last:  # what is given back is for other gateways first (RabbitMQ, consumer priorities)
            limits["x-priority"] = -1
        name = f"otppi-{next(self._number)}"
        protocol.subscribe(self._source, name, ack=ack, headers={**self._headers, **limits})
        self.detail = "connected"
