"""Owns what is on its way to the simulated modem: messages and status reports as the network brings them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArrivalKind:
    """How one kind of TPDU is told (3GPP TS 27.005 3.4.1)."""

    indication: str
    routed: str


MESSAGE = ArrivalKind("+CMTI", "+CMT: ,")
REPORT = ArrivalKind("+CDSI", "+CDS: ")


@dataclass(slots=True, eq=False)
class Arrival:
    """Something on its way to the modem; `found_full` once it has found the memory full."""

    kind: ArrivalKind
    tpdu: bytes
    message_class: int | None = None
    found_full: bool = False
