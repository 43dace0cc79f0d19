"""What a plugin makes and a thread of its own runs: it is made there, so that what fails is shown and tried again."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Runs(Protocol):
    """What has a thread of its own."""

    def run(self) -> None:
        """Run until `stop`."""

    def stop(self) -> None:
        """End `run`; any thread."""


T = TypeVar("T", bound=Runs)


class MadeOnThread(Generic[T]):
    """The base of those who stand for one: `run` makes it, once, and runs it.

    Args:
        create: Makes it. Where that raises, `run` does, and tries again when it is called again.
    """

    def __init__(self, create: Callable[[], T]) -> None:
        self._create = create
        self._made: T | None = None
        self._stopped = False

    def run(self) -> None:
        """Make it where it is not yet, and run it."""
        if self._made is None:
            self._made = self._create()
            self._has_made(self._made)
        if not self._stopped:
            self._made.run()

    def stop(self) -> None:
        """Stop it, or keep it from starting."""
        self._stopped = True
        if self._made is not None:
            self._made.stop()

    @property
    def is_made(self) -> bool:
        """Whether it has been made by now."""
        return self._made is not None

    def _has_made(self, made: T) -> None:
        """Do what is to be done before it runs for the first time."""
