"""A +CMGS that comes after its message was given up as unconfirmed: the SMSC has the part after all (modems.md 13)."""

import re

from otppi.api.events import ModemEvents
from otppi.api.modem import ModemIdentity
from otppi.kit.at.channel import AtChannel
from otppi.kit.at.chores import NEVER
from otppi.wire.at import Noise, Urc

_RESULT = re.compile(r"\+CMGS: *(\d{1,3})(?!\d)")


class LateResults:
    """Remembers what is outstanding, also while the modem is closed. Where two parts are, nobody knows which is meant.

    A modem answers in order: once it has answered a later message, an earlier one's result does not come any more.
    """

    due = NEVER

    def __init__(self, events: ModemEvents) -> None:
        self._events = events
        self._outstanding: list[str] = []
        self._accepted: tuple[str, int] | None = None

    def expect(self, message_id: str) -> None:
        """Note that a part of this message was written, and its result did not come in time."""
        others = [one for one in self._outstanding if one != message_id]
        self._outstanding = [*others[-1:], message_id]  # two are as good as any number

    def settled(self) -> None:
        """Note that a later part got its result."""
        self._outstanding.clear()

    def pop(self, message_id: str) -> list[int]:
        """Return the TP-MR of the part of this message that the SMSC was found to have, if so: it must not go again."""
        accepted, self._accepted = self._accepted, None
        return [accepted[1]] if accepted and accepted[0] == message_id else []

    def opened(self, channel: AtChannel, identity: ModemIdentity) -> None:
        """Nothing is to be set up."""

    def heard(self, event: Urc | Noise) -> bool:
        """Take a result that belongs to no command."""
        found = _RESULT.match(event.line) if isinstance(event, Noise) and self._outstanding else None
        if not found:
            return False
        meant, self._outstanding = self._outstanding, []
        if len(meant) == 1:
            self._accepted = (meant[0], int(found[1]) & 0xFF)
            self._events.accepted_late(*self._accepted)
        return True

    def work(self, channel: AtChannel) -> None:
        """Nothing is ever due."""

    def closed(self) -> None:
        """Keep what is pending: what was written before the modem was lost may still be answered by it."""
