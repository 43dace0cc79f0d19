"""Which ports are open, and from which side: what services and rows come to together."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from otppi_firewall_nftables.settings import ACCESS_POINT, BOTH, LAN

Row = Mapping[str, Any]
"""A row of the setting `ports`, valid."""


class Side(StrEnum):
    """From where somebody comes; the values name the chains and sets of the table."""

    LAN = LAN
    ACCESS_POINT = ACCESS_POINT


class Gate(NamedTuple):
    """One port at one side."""

    side: Side
    protocol: str
    port: int


@dataclass(frozen=True, slots=True)
class Ports:
    """What the table is made of.

    Attributes:
        services: The TCP ports at which the gateway listens by its settings, and can be reached by network.
        page: The one of the administration's pages, which nobody closes; None where they are not served, or
            to this device only.
        rows: What the owner opens and closes by hand.
    """

    services: tuple[int, ...]
    page: int | None
    rows: tuple[Row, ...] = ()

    def open(self) -> frozenset[Gate]:
        """Return what is open."""
        gates = {Gate(side, "tcp", port) for port in self.services for side in Side}
        for row in self.rows:
            for side in Side:
                gate = Gate(side, row["protocol"], row["port"])
                if row["open_to"] in (BOTH, side.value):
                    gates.add(gate)
                else:
                    gates.discard(gate)
        if self.page is not None:
            gates |= {Gate(side, "tcp", self.page) for side in Side}
        return frozenset(gates)


BUILT_IN: Final = Ports(services=(8888, 8899, 10443), page=8888)
"""What the device comes with: the pages, and the API by HTTP and HTTPS."""
