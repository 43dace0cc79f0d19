"""Which objects of a list people have stopped: they stay so under other names, as long as they are there."""

from collections.abc import Collection, Iterable, Iterator

from otppi.host.settings.renames import Rename


class StoppedNames:
    """In RAM: the next start of the gateway starts them all. Changed by one thread at a time; read by any."""

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()
        self._followed: set[str] = set()

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def add(self, name: str) -> None:
        """Note that one is stopped."""
        self._names |= {name}

    def discard(self, name: str) -> None:
        """Note that one is started."""
        self._names -= {name}

    def follow(self, renames: Iterable[Rename], names: Collection[str]) -> None:
        """Keep those that have other names now, and forget those that are gone.

        Args:
            renames: The newest changes of names, oldest first.
            names: Those that there are now.
        """
        for one in renames:
            if one.id not in self._followed:
                self._followed.add(one.id)
                self._names = frozenset(one.names.get(name, name) for name in self._names)
        self._names = self._names.intersection(names)
