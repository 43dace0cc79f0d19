"""How fast passwords may be guessed: a policy of paces, without threads, and without anybody locked out."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

_WATCHED = 10_000
_FAMILIAR = 1_000


@dataclass(frozen=True, slots=True)
class GuessPace:
    """Wrong passwords that are `free`; then each costs twice the wait of the one before, `longest` seconds at most."""

    free: int
    longest: float

    def wait(self, failures: int) -> float:
        """Return the seconds from the last wrong password to the next check."""
        return min(2.0 ** min(failures - self.free, 30), self.longest) if failures >= self.free else 0.0


@dataclass(frozen=True, slots=True)
class Paces:
    """The paces of one kind of logins.

    Attributes:
        pair: Of one user from one network.
        network: Of whatever users from one network.
        user: Of one user from networks from which he has never come: the guesses of many addresses add up.
        forget: Seconds after the last wrong password of a count, when it begins again.
    """

    pair: GuessPace
    network: GuessPace
    user: GuessPace
    forget: float = 600.0


PACES_OF_SENDERS = Paces(pair=GuessPace(5, 5.0), network=GuessPace(10, 5.0), user=GuessPace(100, 1.0))
"""A program asks again and again by itself: nobody waits longer than it takes."""
PACES_OF_PERSONS = Paces(pair=GuessPace(5, 300.0), network=GuessPace(10, 5.0), user=GuessPace(100, 1.0), forget=3_600.0)
"""A person waits as long as he is told (ASVS 5.0 6.1.1, 6.3.1): a wait ends, and never is a lock."""


class Failures:
    """Counts of what failed, by key; of the 10,000 that failed last. One thread at a time.

    Args:
        forget: Seconds after the last failure of a key, when its count begins again.
        clock: Counts seconds, monotonically.
    """

    def __init__(self, forget: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._forget = forget
        self._clock = clock
        self._counts: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def due(self, key: Hashable, pace: GuessPace) -> float:
        """Return the time, on the clock, from which on the next one may be tried."""
        count, last = self._seen(key)
        return last + pace.wait(count) if count else 0.0

    def wait(self, key: Hashable, pace: GuessPace) -> float:
        """Return the seconds until the next one may be tried."""
        return max(0.0, self.due(key, pace) - self._clock())

    def add(self, key: Hashable) -> None:
        """Note one that failed."""
        count, _ = self._seen(key)
        self._counts[key] = (count + 1, self._clock())
        self._counts.move_to_end(key)
        while len(self._counts) > _WATCHED:
            self._counts.popitem(last=False)

    def clear(self, key: Hashable) -> None:
        """Begin again for a key."""
        self._counts.pop(key, None)

    def _seen(self, key: Hashable) -> tuple[int, float]:
        """Return count and time of the last failures; none where they are long past."""
        count, last = self._counts.get(key, (0, 0.0))
        return (0, 0.0) if self._clock() - last > self._forget else (count, last)


_Key = tuple[str | None, str | None]


class LoginThrottle:
    """Says from when on a password that nobody knows to be right or wrong may be checked.

    It slows guessing down, and refuses nothing: a refusal would lock out the right password too, for whoever shares an
    address with a guesser. It knows no passwords, and user names only of those that were checked. One thread at a time.
    `clock` counts seconds, monotonically.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, paces: Paces = PACES_OF_SENDERS) -> None:
        self._of = paces
        self._clock = clock
        self._failures = Failures(paces.forget, clock)
        self._familiar: OrderedDict[tuple[str, str], None] = OrderedDict()

    def due(self, username: str, network: str) -> float:
        """Return the time, on the clock, from which on the next password may be checked."""
        return max(self._failures.due(key, pace) for key, pace in self._paces(username, network))

    def wait(self, username: str, network: str) -> float:
        """Return the seconds until the next password may be checked."""
        return max(0.0, self.due(username, network) - self._clock())

    def is_familiar(self, username: str, network: str) -> bool:
        """Return whether this user has come from this network before."""
        return (username, network) in self._familiar

    def failed(self, username: str, network: str) -> None:
        """Note a password that was checked, and wrong."""
        for key, _ in self._paces(username, network):
            self._failures.add(key)

    def succeeded(self, username: str, network: str) -> None:
        """Note a password that was right."""
        self._failures.clear((username, network))
        self._familiar[username, network] = None
        self._familiar.move_to_end((username, network))
        while len(self._familiar) > _FAMILIAR:
            self._familiar.popitem(last=False)

    def _paces(self, username: str, network: str) -> list[tuple[_Key, GuessPace]]:
        paces: list[tuple[_Key, GuessPace]] = [
            ((username, network), self._of.pair),
            ((None, network), self._of.network),
        ]
        if not self.is_familiar(username, network):
            paces.append(((username, None), self._of.user))
        return paces
