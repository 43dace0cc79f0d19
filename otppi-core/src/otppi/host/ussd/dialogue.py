"""What was said in a USSD session: its codes, replies and answers, in RAM only and for its owner alone."""

from collections import deque
from typing import Final

_MOST: Final = 40
"""Lines; the oldest go first. A menu that is left open for long cannot fill the memory."""


class UssdDialogue:
    """The lines of a session in their order. The lock of `UssdSessions` guards changes; any thread may read."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: deque[tuple[str, str]] = deque(maxlen=_MOST)

    def asked(self, text: str) -> None:
        """Add a code or a reply."""
        self._lines.append(("person", text))

    def answered(self, text: str) -> None:
        """Add what the network said, where it said anything."""
        if text:
            self._lines.append(("network", text))

    def shown(self) -> list[dict[str, str]]:
        """Return the lines: of each who said it (`person` or `network`), and the text."""
        return [{"by": by, "text": text} for by, text in tuple(self._lines)]

    def __repr__(self) -> str:
        return f"<UssdDialogue of {len(self._lines)} lines>"
