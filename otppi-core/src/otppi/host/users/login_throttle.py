"""How fast passwords may be guessed: a policy of paces, without threads, and without anybody locked out."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_WATCHED = 10_000
_FAMILIAR = 1_000
_FORGET = 600.0


@dataclass(frozen=True, slots=True)
class GuessPace:
    """Wrong passwords that are `free`; then each costs twice the wait of the one before, `longest` seconds at most."""

    free: int
    longest: float

    def wait(self, failures: int) -> float:
        """Return the seconds from the last wrong password to the next check."""
        return min(2.0 ** min(failures - self.free, 30), self.longest) if failures >= self.free else 0.0


OF_PAIR = GuessPace(5, 5.0)
"""Of one user from one network."""
OF_NETWORK = GuessPace(10, 5.0)
"""Of whatever users from one network."""
OF_USER = GuessPace(100, 1.0)
"""Of one user from networks from which he has never come: the guesses of many addresses add up."""

_Key = tuple[str | None, str | None]


class LoginThrottle:
    """Says from when on a password that nobody knows to be right or wrong may be checked.

    It slows guessing down, and refuses nothing: a refusal would lock out the right password too, for whoever shares an
    address with a guesser. It knows no passwords, and user names only of those that were checked. One thread at a time.
    `clock` counts seconds, monotonically.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[_Key, tuple[int, float]] = OrderedDict()
        self._familiar: OrderedDict[tuple[str, str], None] = OrderedDict()

    def due(self, username: str, network: str) -> float:
        """Return the time, on the clock, from which on the next password may be checked."""
        paces = self._paces(username, network)
        return max((last + pace.wait(count) for key, pace in paces for count, last in self._seen(key)), default=0.0)

    def is_familiar(self, username: str, network: str) -> bool:
        """Return whether this user has come from this network before."""
        return (username, network) in self._familiar

    def failed(self, username: str, network: str) -> None:
        """Note a password that was checked, and wrong."""
        now = self._clock()
        for key, _ in self._paces(username, network):
            count = sum(count for count, _ in self._seen(key))
            self._failures[key] = (count + 1, now)
            self._failures.move_to_end(key)
        while len(self._failures) > _WATCHED:
            self._failures.popitem(last=False)

    def succeeded(self, username: str, network: str) -> None:
        """Note a password that was right."""
        self._failures.pop((username, network), None)
        self._familiar[username, network] = None
        self._familiar.move_to_end((username, network))
        while len(self._familiar) > _FAMILIAR:
            self._familiar.popitem(last=False)

    def _paces(self, username: str, network: str) -> list[tuple[_Key, GuessPace]]:
        paces: list[tuple[_Key, GuessPace]] = [((username, network), OF_PAIR), ((None, network), OF_NETWORK)]
        if not self.is_familiar(username, network):
            paces.append(((username, None), OF_USER))
        return paces

    def _seen(self, key: _Key) -> list[tuple[int, float]]:
        """Return count and time of the last failures, unless they are long past."""
        seen = self._failures.get(key)
        return [] if seen is None or self._clock() - seen[1] > _FORGET else [seen]
