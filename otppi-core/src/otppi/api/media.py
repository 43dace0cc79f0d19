"""The media watcher ABC: finds the files of a reset on USB sticks, and decides nothing."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

CODE_FILE: Final = "optb/reset.txt"
"""The file with the code of the device: it resets the network and the administrators."""
KEYS_FILE: Final = "otppi/reset-config.ini"
"""The file that says which parts are reset."""
WANTED: Final = (CODE_FILE, KEYS_FILE)
"""The files that are looked for, by their paths from the root of a file system."""
LARGEST: Final = 65_536
"""Octets that each of them may have."""


@dataclass(frozen=True, slots=True)
class Medium:
    """What was found on a file system that was plugged in. All of it was written by a stranger.

    Attributes:
        device: What the kernel calls it, such as `sda1`.
        identity: What the file system calls itself (its UUID); empty where it does not.
        files: The content of those of `WANTED` that are there, of `LARGEST` octets at most, by their names.
        problem: Why it could not be read, for a person; empty where it was read.
    """

    device: str
    identity: str
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    problem: str = ""


class MediaWatcher(ABC):
    """Watches for sticks. `watch` is called on a thread of its own."""

    @abstractmethod
    def watch(self, found: Callable[[Medium], None], seconds: float) -> None:
        """Tell of each medium that is there, and of each that comes, once; for so many seconds, or until `stop`.

        It may be called again, and goes on then.

        Args:
            found: Is called on this thread. It may take its time.
            seconds: How long.

        Raises:
            Exception: It cannot be watched any more; it is made and called again, with a growing delay.
        """

    @abstractmethod
    def stop(self) -> None:
        """End `watch`, also one that has not begun (any thread; safe to call twice)."""


@dataclass(frozen=True, slots=True)
class MediaWatcherType:
    """What a plugin registers: how to watch for sticks.

    Attributes:
        key: Its name: small letters, digits and dashes, unlike that of all other plugins.
        title: What it is, to people.
        create: Makes one, or raises `NotSupported` where this device has none of what it needs.
    """

    key: str
    title: str
    create: Callable[[], MediaWatcher]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.key):
            raise ValueError(f"media watcher {self.key!r} is not named by small letters, digits and dashes")
        if not self.title:
            raise ValueError(f"media watcher {self.key!r} needs a title")
