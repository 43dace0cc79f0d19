"""The connection that commands come by: proved, kept alive, and made anew without a gap when it is time."""

import logging
import math
import time
from collections.abc import Callable

from otppi.kit.net.dial import Dialer
from otppi.kit.net.failures import LOGIN_WANTED, WRONG_LOGIN
from otppi.kit.net.link import Link, LinkLost
from otppi.kit.net.wake import Alarm
from otppi_ingress_wsmessagebroker.change import SILENCE, Change, Seen
from otppi_ingress_wsmessagebroker.connection import Closed, Connection, Server
from otppi_ingress_wsmessagebroker.stream import Gone
from otppi_ingress_wsmessagebroker.text import _

logger = logging.getLogger(__name__)

_RIGHT_AFTER = 2.0
_WITHOUT_REASON = (1000, 1005, 1008)


class Receiver:
    """Holds the connection. All is done by one thread, but for `alarm.stop`.

    Args:
        server: Where it is.
        topic: The channel.
        refresh: Seconds after which the connection is made anew; 0 for never.
        link: Its state, for people to see.
        alarm: Of the thread.
        take: Gets each message; None for one that was too long.
        state: Gets whether the server can be reached now.
    """

    def __init__(
        self,
        server: Server,
        topic: str,
        refresh: float,
        link: Link,
        alarm: Alarm,
        take: Callable[[bytes | None], None],
        state: Callable[[bool], None],
    ) -> None:
        self._server = server
        self._topic = topic
        self._refresh = refresh
        self._link = link
        self._alarm = alarm
        self._take = take
        self._state = state
        self._seen = Seen()
        self._dialer: Dialer
        self._current: Connection

    def session(self, dialer: Dialer) -> None:
        """Connect, and take messages until stopped; what `Link.keep` calls.

        Args:
            dialer: Opens the connections.

        Raises:
            LinkLost: The connection could not be had, or is lost.
        """
        self._dialer = dialer
        self._current = self._open()
        self._seen = Seen()
        try:
            self._prove(self._current)
            if not self._alarm.stopping:
                self._link.connected()
                self._state(True)
                self._work()
            self._part()
        except LinkLost as error:
            raise self._explained(error) from error
        finally:
            if not self._alarm.stopping:
                self._state(False)
            self._current.close()

    def _open(self) -> Connection:
        return Connection.open(self._server, self._topic, self._dialer, self._alarm)

    def _explained(self, error: LinkLost) -> LinkLost:
        """Messenger checks the password after its 101, and then just hangs up."""
        hung_up = isinstance(error, Gone) or (isinstance(error, Closed) and error.code in _WITHOUT_REASON)
        early = time.monotonic() - self._current.opened_at < _RIGHT_AFTER and not self._current.messages
        if not (hung_up and early):
            return error
        site = self._server.site
        reason = WRONG_LOGIN if site.username or site.password else LOGIN_WANTED
        return LinkLost(_("{error} right after the handshake: probably {reason}", error=error, reason=reason))

    def _prove(self, connection: Connection) -> None:
        """Wait until the server has shown that it lets us in."""
        ping = connection.ping() if self._server.ping_interval else math.inf
        connection.flush()
        while not self._alarm.stopping:
            self._receive(connection)
            silent_until = math.inf if ping < math.inf else connection.opened_at + SILENCE
            if connection.answered >= ping or time.monotonic() >= silent_until:
                return
            self._alarm.wait_for((connection,), min(connection.check(), silent_until))

    def _receive(self, connection: Connection) -> int:
        """Take what has arrived; return how many messages that were."""
        messages = connection.receive()
        for message in messages:
            if message not in self._seen:
                self._take(message)
        if not messages:
            self._seen.all_read()
        return len(messages)

    def _work(self) -> None:
        """Take messages until stopped."""
        renew_at = self._next_renewal()
        while not self._alarm.stopping:
            if self._receive(self._current):
                continue
            check_at = self._current.check()
            if time.monotonic() >= renew_at:
                self._renew()
                renew_at = self._next_renewal()
            else:
                self._alarm.wait_for((self._current,), min(check_at, renew_at))

    def _part(self) -> None:
        """Take what the server has sent before it hears that this is the end: nobody else has it."""
        try:
            self._current.end()
            while not self._alarm.over:
                if not self._receive(self._current):
                    self._alarm.wait_for((self._current,), math.inf)
        except LinkLost:
            pass  # that is how it ends

    def _next_renewal(self) -> float:
        return time.monotonic() + self._refresh if self._refresh else math.inf

    def _renew(self) -> None:
        """Go over to a new connection, which is opened beside the old one; where it cannot be had, the old one stays.

        Raises:
            LinkLost: Both are lost.
        """
        new = change = None
        try:
            new = self._open()
            change = Change(self._server, self._alarm, self._take, self._seen, self._current, new)
            change.prove()
        except LinkLost as error:
            if new is not None:
                new.close()
            if change is not None and change.old_is_lost:
                change.release()
                raise
            logger.info(
                "ingress-wsmessagebroker: the connection is not made anew now, the old one stays: %s", str(error)
            )
            return
        old, self._current, self._seen = self._current, new, change.seen
        try:
            change.leave()
        finally:
            old.close()
        logger.debug("ingress-wsmessagebroker: the connection was made anew")
