"""Files that were uploaded and tried, until whoever sent them says that they are to be taken: in RAM only."""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from otppi.admin.security.sessions import PageSession

_MOST: Final = 2
"""Files that are kept at once; each takes as much memory as an upload may have."""
LIFE: Final = 15 * 60.0
"""Seconds after which one is no more to be had."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    file: T = field(repr=False)
    session: PageSession
    until: float


class KeptFiles(Generic[T]):
    """A few files, each known by an id that its page has. Any thread.

    Args:
        clock: Counts seconds, monotonically.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._files: OrderedDict[str, _Kept[T]] = OrderedDict()

    def add(self, session: PageSession, file: T) -> str:
        """Keep a file, and return its id; the oldest makes room. It goes with the session at the latest."""
        name = secrets.token_hex(16)
        with self._lock:
            self._files[name] = _Kept(file, session, self._clock() + LIFE)
            while len(self._files) > _MOST:
                self._files.popitem(last=False)
        session.on_end.append(lambda: self._drop(name))
        return name

    def find(self, session: PageSession, name: str) -> T | None:
        """Return a file; None where it is gone, or another session's."""
        with self._lock:
            found = self._files.get(name)
            if found is not None and found.until < self._clock():
                found = self._files.pop(name) and None
        return found.file if found is not None and found.session is session else None

    def drop(self, session: PageSession, name: str) -> None:
        """Forget a file that was taken, or is not to be."""
        if self.find(session, name) is not None:
            self._drop(name)

    def _drop(self, name: str) -> None:
        with self._lock:
            self._files.pop(name, None)
