"""The newest lines of the log, in RAM: as they were written, with nothing in them that the log itself has not."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

LONGEST: Final = 500
"""Characters that are kept of a line."""
_NEWEST: Final = 1_500
"""Lines that are kept of all."""
_GRAVE: Final = 500
"""Warnings and errors that are kept beside: a busy gateway writes a thousand lines in seconds."""


class LogLine(NamedTuple):
    """One line.

    Attributes:
        number: Greater than that of the line before, also where that is of an earlier run of the gateway, as far as the
            clock was not set back meanwhile.
        at: When it was written, in Unix seconds.
        level: As `logging` numbers levels.
        name: The logger.
        line: What was written: the logger, a colon and the words, in one line.
    """

    number: int
    at: float
    level: int
    name: str
    line: str

    @property
    def room(self) -> str:
        """Which part of the gateway it is of: a room or floor of its own, else the package, such as a plugin."""
        first, *below = self.name.split(".")
        if first != "otppi" or not below:
            return first
        return below[1] if below[0] == "host" and len(below) > 1 else below[0]


Wanted = Callable[[LogLine], bool]


class LogRing:
    """Any thread. What comes when it is full takes the place of the oldest.

    Args:
        newest: Lines that are kept of all.
        grave: Warnings and errors that are kept beside those.
    """

    def __init__(self, newest: int = _NEWEST, grave: int = _GRAVE) -> None:
        self._newest: deque[LogLine] = deque(maxlen=newest)
        self._grave: deque[LogLine] = deque(maxlen=grave)
        self._number = round(time.time() * 1000)
        self._changed = threading.Condition(threading.Lock())
        self._waiting = 0

    @property
    def last(self) -> int:
        """The number of the newest line, or one below that of the first."""
        return self._number

    def add(self, at: float, level: int, name: str, line: str) -> None:
        """Keep a line; quick."""
        kept = line if len(line) <= LONGEST else f"{line[:LONGEST]} […]"
        with self._changed:
            self._number += 1
            one = LogLine(self._number, at, level, name, kept)
            self._newest.append(one)
            if level >= logging.WARNING:
                self._grave.append(one)
            if self._waiting:
                self._changed.notify_all()

    def since(self, number: int) -> list[LogLine]:
        """Return the lines after one, oldest first; all of them where there never was one of this number."""
        with self._changed:
            return self._since(number)

    def wait(self, number: int, wanted: Wanted, seconds: float) -> list[LogLine]:
        """Return the lines after one that are wanted, as soon as there is any; none after so many seconds."""
        until = time.monotonic() + seconds
        with self._changed:
            self._waiting += 1
            try:
                while not (found := [one for one in self._since(number) if wanted(one)]):
                    if (left := until - time.monotonic()) <= 0:
                        break
                    self._changed.wait(left)
            finally:
                self._waiting -= 1
        return found

    def _since(self, number: int) -> list[LogLine]:
        """Do what `since` says, under the lock."""
        after = number if number <= self._number else 0
        first = self._newest[0].number if self._newest else self._number + 1
        kept = [one for one in self._grave if after < one.number < first]
        return [*kept, *(one for one in self._newest if one.number > after)]
