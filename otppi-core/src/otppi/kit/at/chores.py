"""What a driver looks after beside sending: each chore has its own time, and hears what the modem says of its own."""

import time
from typing import Protocol

from otppi.api.modem import ModemIdentity
from otppi.kit.at.channel import AtChannel
from otppi.kit.at.start import Profile, look
from otppi.wire.at import Noise, Urc

NEVER = float("inf")
_LOOK_EVERY = 60.0


class Chore(Protocol):
    """One thing to look after; everything is called on the modem's thread.

    A chore may use the channel in `opened` and `work` only: elsewhere a command may be outstanding.
    """

    def opened(self, channel: AtChannel, identity: ModemIdentity) -> None:
        """Begin, the modem has just been made ready."""

    def heard(self, event: Urc | Noise) -> bool:
        """Take what the modem said, if it concerns this chore. No I/O, and quick: a message may be on its way."""

    @property
    def due(self) -> float:
        """When `work` is wanted next, by the monotonic clock; `NEVER` where nothing is to do."""

    def work(self, channel: AtChannel) -> None:
        """Do one piece of what is due, a few commands at the most: messages wait meanwhile.

        Raises:
            ModemLost: The modem cannot be used any more.
            AtTimeout: It does not answer.
        """

    def closed(self) -> None:
        """Forget what was begun: the modem is closed."""


class NetworkWatch:
    """Asks once a minute whether the modem is registered, and how strong the signal is (modems.md 22)."""

    def __init__(self, profile: Profile | None = None) -> None:
        profile = profile or Profile()
        self.identity = ModemIdentity()
        self.due = NEVER
        self._signal = profile.signal
        self._urcs = frozenset(("+CREG", "+CGREG", "+CEREG", *profile.network_urcs))

    def opened(self, channel: AtChannel, identity: ModemIdentity) -> None:
        """Begin with what was read when the modem was opened, and ask to be told of changes."""
        channel.attempt("AT+CREG=1")
        self.identity = identity
        self.due = time.monotonic() + _LOOK_EVERY

    def heard(self, event: Urc | Noise) -> bool:
        """Look at once when the modem says that its registration changed (3GPP TS 27.007 7.2)."""
        if not (isinstance(event, Urc) and event.name in self._urcs):
            return False
        self.due = time.monotonic()
        return True

    def work(self, channel: AtChannel) -> None:
        """Look.

        Raises:
            ModemLost: It is not registered with any network.
        """
        self.due = time.monotonic() + _LOOK_EVERY
        self.identity = look(channel, self.identity, self._signal)

    def closed(self) -> None:
        """Look no more; what was known stays known."""
        self.due = NEVER
