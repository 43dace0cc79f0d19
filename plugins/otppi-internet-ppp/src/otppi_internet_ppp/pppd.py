"""A pppd that runs, whoever has started it: what it says, and its end."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from otppi.api.internet import Dialling


class Pppd(ABC):
    """One run of pppd."""

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """Return what it says, line by line, until it ends.

        Raises:
            InternetDown: It cannot be heard any more, or was never started.
        """

    @abstractmethod
    def exit_status(self) -> int:
        """Return its exit status, after its last line.

        Raises:
            InternetDown: It is not known.
        """

    @abstractmethod
    def hang_up(self) -> None:
        """End it, and wait until it has ended (any thread; safe to call twice)."""


Start = Callable[[Dialling], AbstractContextManager[Pppd]]
"""Starts one; when the context ends it has ended, and nothing of what it was told is left. Raises InternetDown."""
