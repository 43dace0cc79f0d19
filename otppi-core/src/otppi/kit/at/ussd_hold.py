"""What comes before the answer to a USSD string and is not the answer: held back until that comes, or for seconds."""

import time

from otppi.api.events import UssdAnswer, UssdStatus
from otppi.kit.at.chores import NEVER

_NO_TEXT = 5.0
"""Seconds for which an end without a text is held: the text may follow (gammu#292)."""
_TEXT = 2.0
"""Seconds for which an end by the network that has a text is held: with some it is the answer itself (gammu#358)."""
_NOT_AN_ANSWER = frozenset({"initiating release"})
"""What modems say of the session in place of a text (python-gsmmodem#14)."""


class UssdHold:
    """Looks at each answer: is it one, or does it only say that a session ended?

    Attributes:
        due: When what is held is to be told after all, by the monotonic clock.
    """

    def __init__(self) -> None:
        self.due = NEVER
        self._held: UssdAnswer | None = None

    def feed(self, answer: UssdAnswer) -> UssdAnswer | None:
        """Take what was said to a string that was sent; return the answer, or None as long as it is not certain.

        An end without a text (<m> of 0 or 2, 3GPP TS 27.007 7.15), and an end by the network, may stand before the
        answer, or behind one that is held.
        """
        if answer.text.strip().rstrip(".").lower() in _NOT_AN_ANSWER:
            answer = UssdAnswer(UssdStatus.ENDED)
        held = self._held
        empty = not answer.text and answer.status in (UssdStatus.FINISHED, UssdStatus.ENDED)
        if held is None and (empty or answer.status is UssdStatus.ENDED):
            self._held, self.due = answer, time.monotonic() + (_NO_TEXT if empty else _TEXT)
            return None
        if empty and held is not None and not held.text:
            return None
        self.forget()
        return held if empty else answer

    def release(self) -> UssdAnswer | None:
        """Return what is held: nothing better came."""
        held = self._held
        self.forget()
        return held

    def forget(self) -> None:
        """Hold nothing any more."""
        self._held, self.due = None, NEVER
