"""A connection to the system bus that one thread owns: calls with replies, signals, and a wake-up."""

import re
import select
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import dbus
import dbus.lowlevel

from otppi.api.errors import ModemBlocked, ModemLost, Trouble
from otppi.kit.dbus_dispatch import BusDispatcher
from otppi.kit.net.wake import Wake
from otppi.kit.system_bus import BusRefusal, meaning_of, own_connection
from otppi_modem_modemmanager.names import DBUS
from otppi_modem_modemmanager.text import _

_NO_TIMEOUT = 2_000_000.0
"""Seconds, near the most that libdbus knows: without a main loop it cannot keep its own time-outs."""
_TIMEOUT = 10.0
_SIGNAL, _ERROR = 4, 3
_NOT_YET_HANDLED = 1
_SERVICE_GONE = frozenset(
    f"{DBUS}.Error.{name}" for name in ("ServiceUnknown", "NameHasNoOwner", "NoReply", "Disconnected")
)


class BusError(Exception):
    """An error that a method answered with: its D-Bus name, and the number that its text ends with, if any.

    The text itself is not kept: ModemManager quotes what the modem said in it.
    """

    def __init__(self, name: str, number: int | None = None) -> None:
        super().__init__(name)
        self.name = name
        self.number = number


class BusTimeout(Exception):  # noqa: N818 - as AtTimeout
    """A method did not answer in time; its answer may still come."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal that came."""

    path: str
    interface: str
    member: str
    args: list[Any] = field(repr=False)


class Pending:
    """A call whose reply is awaited; `then` is called when it comes, in the middle of any wait: it does no I/O."""

    def __init__(self) -> None:
        self.then: Callable[[Pending], None] | None = None
        self._reply: Any = None

    def resolve(self, reply: Any) -> None:
        """Take the reply."""
        self._reply = reply
        if self.then is not None:
            self.then(self)

    @property
    def done(self) -> bool:
        """Whether the reply has come."""
        return self._reply is not None

    def result(self) -> list[Any]:
        """Return what the method returned.

        Raises:
            BusError: It answered with an error.
            ModemLost: The service that was called is not there, or has left in the middle.
        """
        reply = self._reply
        if reply.get_type() != _ERROR:
            return list(reply.get_args_list(byte_arrays=True))
        name = str(reply.get_error_name())
        if name in _SERVICE_GONE:
            raise ModemLost(_("ModemManager does not run, or has just ended"))
        texts = reply.get_args_list()
        number = re.search(r"error: (\d{1,5})$", str(texts[0])) if texts else None
        raise BusError(name, int(number[1]) if number else None)


class Bus:
    """A connection of its own to the system bus. Everything is called on the owner's thread.

    Args:
        wake: Ends `listen`, from any thread.
        heard: Gets each signal, in the middle of any wait: it does no I/O.

    Raises:
        ModemLost: There is no bus now.
        ModemBlocked: It may not be used.
    """

    def __init__(self, wake: Wake, heard: Callable[[Signal], None]) -> None:
        self._wake = wake
        self._heard = heard
        try:
            self._connection = own_connection()
        except dbus.DBusException as error:
            if meaning_of(str(error.get_dbus_name())) is BusRefusal.NOT_ALLOWED:
                raise ModemBlocked(_("the system bus may not be used by this user")) from error
            raise ModemLost(_("there is no system bus (D-Bus)")) from error
        self._filter = self._note  # one object: libdbus aborts the process where another one is taken away
        self._connection.add_message_filter(self._filter)
        self._dispatcher = BusDispatcher(self._connection)
        descriptor = self._connection.get_unix_fd()
        self._poll = _poll_for(descriptor)
        self._poll_or_wake = _poll_for(descriptor, wake.descriptor)
        self._came: deque[Callable[[], None]] = deque()
        self._open = True

    def close(self) -> None:
        """Let go of the bus, after what was said has been written. Safe to call twice."""
        if self._open:
            self._open = False
            self._connection.remove_message_filter(self._filter)
            with suppress(dbus.DBusException):
                self._connection.flush()
            self._connection.close()

    # -- calls ------------------------------------------------------------------------------------------------------

    def start(self, service: str, path: str, interface: str, member: str, signature: str, *args: Any) -> Pending:
        """Call a method and do not wait for its reply.

        Raises:
            ModemLost: The bus is gone.
        """
        message = dbus.lowlevel.MethodCallMessage(service, path, interface, member)
        if signature:
            message.append(*args, signature=signature)
        pending = Pending()
        try:
            self._connection.send_message_with_reply(
                message, lambda reply: self._came.append(partial(pending.resolve, reply)), _NO_TIMEOUT
            )
        except dbus.DBusException as error:
            raise _gone() from error
        return pending

    def wait(self, pending: Pending, timeout: float = _TIMEOUT) -> list[Any]:
        """Wait for a reply, and return what was returned; signals are heard meanwhile, `wake` is kept for `listen`.

        Raises:
            BusError: The method answered with an error.
            BusTimeout: It did not answer in `timeout` seconds.
            ModemLost: The bus or the service is gone.
        """
        deadline = time.monotonic() + timeout
        while not pending.done:
            left = deadline - time.monotonic()
            if left <= 0:
                raise BusTimeout
            self._poll.poll(left * 1000)
            self._turn()
        return pending.result()

    def call(
        self,
        service: str,
        path: str,
        interface: str,
        member: str,
        signature: str,
        *args: Any,
        timeout: float = _TIMEOUT,
    ) -> list[Any]:
        """Call a method and wait for what it returns.

        Raises:
            BusError: It answered with an error.
            ModemLost: The bus or the service is gone, or the service does not answer.
        """
        try:
            return self.wait(self.start(service, path, interface, member, signature, *args), timeout)
        except BusTimeout as error:
            raise ModemLost(_("ModemManager does not answer ({member})", member=member), Trouble.SILENT) from error

    def match(self, rule: str) -> None:
        """Ask for signals (D-Bus specification, "Match Rules")."""
        self.call(DBUS, "/org/freedesktop/DBus", DBUS, "AddMatch", "s", rule)

    # -- signals ----------------------------------------------------------------------------------------------------

    def listen(self, timeout: float) -> None:
        """Wait until something came, `wake`, or `timeout` seconds.

        Raises:
            ModemLost: The bus is gone.
        """
        self._poll_or_wake.poll(max(0.0, timeout) * 1000)
        self._wake.clear()
        self._turn()

    def hear(self, timeout: float) -> None:
        """Wait as `listen` does, but not for `wake`, which is kept."""
        self._poll.poll(max(0.0, timeout) * 1000)
        self._turn()

    def _turn(self) -> None:
        """Take what has come. libdbus' own handlers only note it: an exception must not go through them."""
        connected = self._dispatcher.turn()
        while self._came:
            self._came.popleft()()
        if not connected:
            raise _gone()

    def _note(self, _connection: Any, message: Any) -> int:
        if message.get_type() == _SIGNAL:
            self._came.append(partial(self._signal, message))
        return _NOT_YET_HANDLED

    def _signal(self, message: Any) -> None:
        path, interface, member = message.get_path(), message.get_interface(), message.get_member()
        self._heard(Signal(str(path), str(interface), str(member), message.get_args_list(byte_arrays=True)))


def _gone() -> ModemLost:
    return ModemLost(_("the system bus (D-Bus) is gone"))


def _poll_for(*descriptors: int) -> select.poll:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return poll
