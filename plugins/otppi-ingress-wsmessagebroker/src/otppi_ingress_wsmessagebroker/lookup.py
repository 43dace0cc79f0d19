"""The addresses of a name, looked up where nobody has to wait for a name server that does not answer."""

import math
import socket
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from otppi.kit.net.link import LinkLost
from otppi.kit.threads import CANNOT_START, PromptThread
from otppi_ingress_wsmessagebroker.alarm import Alarm

Address = tuple[int, int, int, tuple[Any, ...]]
"""Family, type, protocol, and the address as the family writes it."""


@dataclass(slots=True)
class _Search:
    """One call of the C library, which cannot be ended from outside: on a thread of its own."""

    name: tuple[str, int]
    found: list[Address] = field(default_factory=list)
    problem: str = ""
    done: bool = False
    thread: PromptThread | None = None


class Lookup:
    """Looks names up for one thread. While a search hangs, the next call waits for it rather than start another."""

    def __init__(self, alarm: Alarm) -> None:
        self._alarm = alarm
        self._search: _Search | None = None

    def addresses(self, host: str, port: int, deadline: float = math.inf) -> list[Address]:
        """Give the addresses of a server.

        Raises:
            LinkLost: There are none, or they are not known in time; or no thread can be started to look for them.
        """
        try:
            return _resolve(host, port, socket.AI_NUMERICHOST)
        except (socket.gaierror, UnicodeError):
            pass  # it is a name, good or bad
        search = self._search
        lost = search is not None and search.thread is not None and not search.thread.lives
        if search is None or search.name != (host, port) or search.done or lost:
            search = self._begin(host, port)
        while not search.done:
            self._alarm.wait((), deadline)
            if not search.done and (self._alarm.over or _passed(deadline)):
                raise LinkLost("its name is not resolved in time")
        self._search = None
        if search.problem:
            raise LinkLost(search.problem)
        return search.found

    def _begin(self, host: str, port: int) -> _Search:
        """Start a search; it counts once its thread runs, for else all later calls would wait for it."""
        search = _Search((host, port))
        try:
            search.thread = PromptThread(partial(self._run, search), "name lookup")
            search.thread.start()
        except CANNOT_START as error:
            raise LinkLost("no thread can be started to look its name up") from error
        self._search = search
        return search

    def _run(self, search: _Search) -> None:
        try:
            search.found = _resolve(*search.name)
        except OSError as error:  # socket.gaierror is one
            search.problem = f"its name cannot be resolved ({error.strerror or error})"
        except UnicodeError:
            search.problem = "host is no name of a server"
        finally:
            search.done = True
            self._alarm.ring()


def _resolve(host: str, port: int, flags: int = 0) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, kind, protocol, address) for family, kind, protocol, _, address in found]


def _passed(deadline: float) -> bool:
    return time.monotonic() >= deadline
