"""Owns the state of the simulated modem's packet data: contexts, and the data call that there is."""

from dataclasses import dataclass, field
from enum import Enum, auto


class CallState(Enum):
    """Whether there is a data call, and what is written to the line in it."""

    IDLE = auto()
    ONLINE = auto()
    ESCAPED = auto()


@dataclass(slots=True)
class PacketData:
    """The data side of one modem.

    Attributes:
        contexts: PDP type and APN by number (+CGDCONT); a power cycle keeps them.
        octets: how many bytes of data came in since the beginning.
        state: whether there is a call.
        last: when data came last.
        run: what came since the last silence, as far as it may be +++.
        attached: whether packet data is switched on (+CGATT).
        active: the contexts that are active (+CGACT).
    """

    contexts: dict[int, tuple[str, str]] = field(default_factory=lambda: {1: ("IP", "")})
    octets: int = 0
    state: CallState = CallState.IDLE
    last: float = 0.0
    run: bytes = b""
    attached: bool = True
    active: set[int] = field(default_factory=set)

    @property
    def online(self) -> bool:
        """Whether what is written to the line is data."""
        return self.state is CallState.ONLINE

    def reset(self) -> None:
        """Power is gone."""
        self.state, self.last, self.run = CallState.IDLE, 0.0, b""
        self.attached, self.active = True, set()
