"""TLS handshakes: on threads of their own, since they are milliseconds of arithmetic that clients choose."""

from collections.abc import Callable

from otppi.web.connection import Connection, Phase
from otppi.web.connections import Connections
from otppi.web.returns import Returns, given_back
from otppi.web.waits import INPUT, OUTPUT, WantsRead, WantsWrite
from otppi.web.workers import Workers

HANDSHAKERS = 2


class Handshakes:
    """Makes handshakes, each as far as what the client has sent allows.

    Args:
        name: Whose server it is: the threads are named by it.
        connections: The open connections.
        returns: What gives them back.
        begin: Goes on with a connection whose handshake is made (the server's thread).
    """

    def __init__(
        self, name: str, connections: Connections, returns: Returns, begin: Callable[[Connection], None]
    ) -> None:
        self.workers: Workers[Connection] = Workers(self._shake_hands, self._refuse, HANDSHAKERS, f"{name}-tls")
        self._connections = connections
        self._returns = returns
        self._begin = begin

    def go_on(self, connection: Connection) -> None:
        """Go on with a connection's handshake (the server's thread)."""
        connection.phase = Phase.WORK
        self.workers.submit(connection)

    def _shake_hands(self, connection: Connection) -> None:
        with given_back(connection):
            try:
                connection.shake_hands()
            except (WantsRead, WantsWrite) as wants:
                mask = INPUT if isinstance(wants, WantsRead) else OUTPUT
                if not self._returns.watch(connection, Phase.HANDSHAKE, mask):
                    self._returns.give(self._connections.remove, connection)
            except OSError:  # the client has gone, or does not speak TLS
                self._returns.give(self._connections.remove, connection)
            else:
                self._returns.give(self._begin, connection)

    def _refuse(self, connection: Connection) -> None:
        """Close a connection whose handshake nobody had time for (any thread)."""
        with given_back(connection):
            self._returns.give(self._connections.remove, connection)
