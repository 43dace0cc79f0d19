"""Opening a TCP connection, with or without TLS: to each address of a name in turn, and within one time-out.

`socket.create_connection` gives each address the whole time-out, looks names up for as long as a name server is silent,
and can be ended by nobody.
"""

import errno
import math
import os
import select
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from otppi.kit.net.endpoint import Endpoint
from otppi.kit.net.link import LinkLost
from otppi.kit.net.wake import Wake
from otppi.kit.threads import CANNOT_START, PromptThread
from otppi.text import _, words

_OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    # A server whose host has gone without a word is noticed after about two minutes, where its protocol has no pings.
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 5),
)

_Address = tuple[int, int, int, tuple[Any, ...]]
"""Family, type, protocol, and the address as the family writes it."""


def dial(endpoint: Endpoint) -> socket.socket:
    """Open a connection, and wait for it; see `Dialer.dial`."""
    return Dialer(endpoint).dial()


@dataclass(slots=True)
class _Search:
    """One look-up of a name. The C library's cannot be ended from outside, so it has a thread of its own."""

    found: list[_Address] = field(default_factory=list)
    error: Exception | None = None
    done: bool = False
    thread: PromptThread | None = None


class Dialer:
    """Opens connections to one server, for one thread, which alone calls `dial`.

    Args:
        endpoint: The server.
        wake: What wakes the thread, which then looks whether it is to give up. It may be that of all its other work:
            what it was woken for has to be looked at again after `dial`.
        until: Gives when it gives up, by time.monotonic(), whatever the endpoint's time-out; asked after each wake-up.

    Attributes:
        endpoint: The server; what is changed counts for the next connection.
    """

    def __init__(
        self, endpoint: Endpoint, wake: Wake | None = None, until: Callable[[], float] = lambda: math.inf
    ) -> None:
        self.endpoint = endpoint
        self._wake = wake or Wake()
        self._until = until
        self._search: _Search | None = None

    def dial(self) -> socket.socket:
        """Open a connection to the first address that answers; with TLS its handshake is over.

        Returns:
            A socket that does not block; an `ssl.SSLSocket` with TLS. It sends small pieces at once (TCP_NODELAY), and
            has the system look whether the server's host is still there (SO_KEEPALIVE).

        Raises:
            LinkLost: It cannot be had within the endpoint's time-out, or is not wanted any more; the sentence says why.
        """
        deadline = time.monotonic() + self.endpoint.timeout
        addresses = self._addresses(deadline)
        problem = LinkLost(_("host {host} has no address", host=self.endpoint.host))
        try:
            for number, address in enumerate(addresses):
                now = time.monotonic()
                share = now + (deadline - now) / (len(addresses) - number)  # a silent one leaves time for the others
                try:
                    return self._open(address, share)
                except OSError as error:
                    problem = LinkLost(self.endpoint.why(error) or words(error))
                except LinkLost as error:
                    if time.monotonic() >= self._until():
                        raise
                    problem = error
            raise problem
        finally:
            del problem  # else it would hold this frame, and that the wake-up's descriptor, until both are collected

    # -- name -------------------------------------------------------------------------------------------------------

    def _addresses(self, deadline: float) -> list[_Address]:
        """Look the name up. While an earlier search hangs, it is waited for, rather than start another."""
        endpoint = self.endpoint
        try:
            return _resolve(endpoint, socket.AI_NUMERICHOST)
        except (socket.gaierror, UnicodeError):
            pass  # it is a name, good or bad
        search = self._search
        if search is None or search.done or (search.thread is not None and not search.thread.lives):
            search = self._begin_search()
        while not search.done:
            self._wait(
                deadline,
                _(
                    "the name of host {host} was not resolved within {timeout:g} s",
                    host=endpoint.host,
                    timeout=endpoint.timeout,
                ),
            )
        self._search = search.thread = None  # the thread holds the search, and this dialer
        if search.error is not None:
            raise LinkLost(endpoint.why(search.error) or str(search.error)) from search.error
        return search.found

    def _begin_search(self) -> _Search:
        """Start a search; it counts once its thread runs, for else all later calls would wait for it."""
        search = _Search()
        try:
            search.thread = PromptThread(partial(self._run, search), "name lookup")
            search.thread.start()
        except CANNOT_START as error:
            raise LinkLost(_("no thread can be started to look up host {host}", host=self.endpoint.host)) from error
        self._search = search
        return search

    def _run(self, search: _Search) -> None:
        try:
            search.found = _resolve(self.endpoint)
        except (OSError, UnicodeError) as error:  # socket.gaierror is an OSError
            search.error = error
        finally:
            search.done = True
            self._wake.set()

    # -- connection -------------------------------------------------------------------------------------------------

    def _open(self, address: _Address, deadline: float) -> socket.socket:
        family, kind, protocol, where = address
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            for option in _OPTIONS:
                sock.setsockopt(*option)
            self._connect(sock, where, deadline)
            if (context := self.endpoint.context) is None:
                return sock
            sock.getpeername()  # if it is gone already, `wrap_socket` fails, and leaves its descriptor open for a while
            try:
                sock = secured = context.wrap_socket(
                    sock, server_hostname=self.endpoint.host, do_handshake_on_connect=False
                )
            except ValueError as error:  # a name that TLS does not allow (RFC 6066 3)
                raise LinkLost(
                    _("TLS cannot be begun with host {host}: {error}", host=self.endpoint.host, error=error)
                ) from error
            self._shake_hands(secured, deadline)
        except BaseException:
            sock.close()
            raise
        return sock

    def _connect(self, sock: socket.socket, where: tuple[Any, ...], deadline: float) -> None:
        number = sock.connect_ex(where)
        while number == errno.EINPROGRESS:
            if self._wait(deadline, self.endpoint.no_answer(), {sock.fileno(): select.POLLOUT}):
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, os.strerror(number))

    def _shake_hands(self, sock: ssl.SSLSocket, deadline: float) -> None:
        while True:
            try:
                sock.do_handshake()
            except ssl.SSLWantReadError:
                event = select.POLLIN
            except ssl.SSLWantWriteError:
                event = select.POLLOUT
            except ConnectionResetError as error:  # as a server does that does not know what to make of it
                raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "reset during the handshake") from error
            else:
                return
            self._wait(deadline, self.endpoint.no_answer(), {sock.fileno(): event})

    def _wait(self, deadline: float, problem: str, events: Mapping[int, int] | None = None) -> dict[int, int]:
        """Wait once for what is wanted; return what is ready, nothing where something else came first.

        Raises:
            LinkLost: The connection is not wanted any more, or the time is over: `problem`.
        """
        now = time.monotonic()
        if now >= (until := self._until()):
            raise LinkLost(_("the connection is no longer wanted"))
        if now >= deadline:
            raise LinkLost(problem)
        return self._wake.wait(min(deadline, until) - now, events)


def _resolve(endpoint: Endpoint, flags: int = 0) -> list[_Address]:
    found = socket.getaddrinfo(
        endpoint.host, endpoint.port, family=endpoint.family, type=socket.SOCK_STREAM, flags=flags
    )
    return [(family, kind, protocol, address) for family, kind, protocol, _, address in found]
