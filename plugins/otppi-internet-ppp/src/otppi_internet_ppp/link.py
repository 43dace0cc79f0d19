"""One modem's connection: starts pppd, watches it, starts it again."""

import fcntl
import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import NoReturn

from otppi.api.errors import sentence
from otppi.api.internet import Internet, InternetContext, InternetDown, InternetState, InternetStatus
from otppi.kit import system_units
from otppi.kit.net.back_off import Backoff
from otppi_internet_ppp.by_unit import by_unit
from otppi_internet_ppp.chat import refusal
from otppi_internet_ppp.child import Programs, as_child
from otppi_internet_ppp.log import cause_of, complaint, heard
from otppi_internet_ppp.pppd import Pppd, Start
from otppi_internet_ppp.text import _

logger = logging.getLogger(__name__)

_STEADY = 60.0
"""A connection that lasted so long is dialled again at once."""


class PppLink(Internet):
    """See `otppi.api.internet.Internet` for the contract."""

    def __init__(self, context: InternetContext, programs: Programs | None = None) -> None:
        self._context = context
        self._start = _start(context, programs or Programs())
        self._backoff = Backoff(2.0, 300.0)
        self._stopping = threading.Event()
        self._pppd_lock = threading.Lock()
        self._pppd: Pppd | None = None
        self._status = InternetStatus(InternetState.STOPPED, time.time())

    def status(self) -> InternetStatus:
        """Return how far it is."""
        return self._status

    def run(self) -> None:
        """Keep the connection up until `stop`."""
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._connect()
            except (InternetDown, OSError) as error:
                cause = sentence(error)
            if time.monotonic() - began > _STEADY:
                self._backoff.reset()
            if not self._stopping.is_set():
                delay = self._backoff.delay()
                self._tell(InternetState.WAITING, cause)
                logger.warning("internet by %s: %s; next attempt in %.0f s", self._context.modem, cause, delay)
                self._stopping.wait(delay)
        self._tell(InternetState.STOPPED, "")

    def stop(self) -> None:
        """Hang up."""
        self._stopping.set()
        with self._pppd_lock:
            pppd = self._pppd
        if pppd is not None:
            pppd.hang_up()

    def _connect(self) -> NoReturn:
        """Dial, and wait until the connection ends.

        Raises:
            InternetDown: Always; it says why.
        """
        self._status = InternetStatus(
            InternetState.DIALLING, time.time(), detail=self._status.detail, attempts=self._status.attempts + 1
        )
        dialling = self._context.dialling()
        self._status = replace(self._status, port=dialling.port)
        with _claimed(dialling.port), self._start(dialling) as pppd:
            raise InternetDown(self._watch(pppd))

    def _watch(self, pppd: Pppd) -> str:
        """Read what pppd says; return the cause of its end."""
        with self._pppd_lock:
            self._pppd = pppd
        try:
            if self._stopping.is_set():
                pppd.hang_up()
            cause = ""
            for line in pppd.lines():
                cause = refusal(line) or complaint(line) or cause
                self._status = heard(self._status, line, time.time())
        finally:
            with self._pppd_lock:
                self._pppd = None
        return cause or cause_of(pppd.exit_status())

    def _tell(self, state: InternetState, detail: str) -> None:
        before = self._status
        self._status = InternetStatus(state, time.time(), before.port, detail=detail, attempts=before.attempts)


def _start(context: InternetContext, programs: Programs) -> Start:
    """Return what starts pppd here: a unit of the system, where there are such, or else ourselves."""
    digest = hashlib.sha256(context.modem.encode()).hexdigest()[:16]
    folder = context.boot_folder / f"ppp-{digest}"
    if system_units.in_use():
        return partial(by_unit, settings=context.settings, folder=folder, instance=digest, programs=programs)
    privileged = os.getuid() == 0
    return partial(as_child, settings=context.settings, folder=folder, programs=programs, privileged=privileged)


@contextmanager
def _claimed(port: str) -> Iterator[None]:
    """Lock a port as the drivers of modems do, so that neither takes it from the other.

    Raises:
        InternetDown: It is not there, or somebody else has locked it.
    """
    try:
        descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InternetDown(sentence(error)) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InternetDown(_("{port} is used: it sends SMS, or another program has it", port=port)) from error
        yield
    finally:
        os.close(descriptor)
