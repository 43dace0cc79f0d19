"""How connections come back to the server's thread from those that answer on them, or make their TLS handshakes."""

import contextlib
import select
from collections import deque
from collections.abc import Callable, Iterator

from otppi.web.connection import Connection, Phase
from otppi.web.connections import Connections


class Returns:
    """Connections that other threads give back, for the server's thread to go on with now, or when they are ready.

    Args:
        connections: The open connections.
        epoll: Where they are watched.
        wake: Ends the wait of the server's thread (any thread).
    """

    def __init__(self, connections: Connections, epoll: select.epoll, wake: Callable[[], None]) -> None:
        self._connections = connections
        self._epoll = epoll
        self._wake = wake
        self._returned: deque[tuple[Callable[[Connection], None], Connection]] = deque()
        self.asleep = False
        """Whether the server's thread waits, and has to be woken."""
        self.stopping = False
        """Whether the server is being stopped: no connection waits for another request."""

    # The server's thread

    @property
    def has_any(self) -> bool:
        """Whether other threads have given connections back."""
        return bool(self._returned)

    def go_on(self) -> None:
        """Go on with the connections that were given back: once each, for one may have many requests in store."""
        for _turn in range(len(self._returned)):
            next_step, connection = self._returned.popleft()
            next_step(connection)

    def close(self) -> None:
        """Wake nobody any more; which lets go of the descriptor, also where a thread did not end."""
        self._wake = _nobody

    # Any other thread

    def give(self, next_step: Callable[[Connection], None], connection: Connection) -> None:
        """Have the server's thread go on with a connection now."""
        self._returned.append((next_step, connection))
        if self.asleep:
            self.asleep = False
            self._wake()

    def watch(self, connection: Connection, phase: Phase, mask: int) -> bool:
        """Have the server's thread go on when the socket is ready; False where it is to be now."""
        with self._connections.lock:
            if self.stopping or self._connections.get(connection.descriptor) is not connection:
                return False
            connection.phase = phase
            self._epoll.modify(connection.descriptor, mask)  # from here on it is the server's
        return True


def _nobody() -> None:
    """Wake nobody: the server has ended."""


@contextlib.contextmanager
def given_back(connection: Connection) -> Iterator[None]:
    """Wrap what gives a connection back to the server's thread: where it fails, nobody would have the connection."""
    try:
        yield
    except Exception:
        leave_to_sweep(connection)
        raise


def leave_to_sweep(connection: Connection) -> None:
    """Have the server's thread close a connection when it looks at all of them next."""
    connection.deadline, connection.phase = 0.0, Phase.LINGER
