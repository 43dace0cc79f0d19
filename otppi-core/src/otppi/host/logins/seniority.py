"""Who asked first: what had to be sent away unchecked, and comes again, has not lost its place."""

from collections import Counter, OrderedDict

_KEPT = 2_000
_KEPT_OF_NETWORK = 16
_FORGET = 600.0


class Seniority:
    """Remembers when those that were sent away had asked first. One thread at a time; times are monotonic seconds.

    A program asks again and again with the same password, its right one; who guesses asks each time with another. So
    whoever asked first goes first, and no flood of guesses keeps a right password out for long.
    """

    def __init__(self) -> None:
        self._first: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._networks: Counter[str] = Counter()

    def first_asked(self, key: bytes, now: float) -> float:
        """Return when this one asked first."""
        _, first = self._first.get(key, ("", now))
        return first

    def sent_away(self, key: bytes, network: str, first: float, now: float) -> None:
        """Remember one that was not checked; where there is no room, those that are remembered have it."""
        while self._first and now - next(iter(self._first.values()))[1] > _FORGET:
            self.done(next(iter(self._first)))
        if key not in self._first and len(self._first) < _KEPT and self._networks[network] < _KEPT_OF_NETWORK:
            self._first[key] = (network, first)
            self._networks[network] += 1

    def done(self, key: bytes) -> None:
        """Forget one that was checked."""
        if (kept := self._first.pop(key, None)) is not None:
            self._networks[kept[0]] -= 1
            if not self._networks[kept[0]]:
                del self._networks[kept[0]]
