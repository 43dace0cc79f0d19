"""Drives a dbus-python connection without a main loop: reads what has come, and calls the handlers of it.

dbus-python hands a message to its handlers only from a main loop, and it has just one: GLib's default one, which a
process has once and all threads share. Whoever uses a connection must own it alone (libdbus and threads don't mix), and
must wait for it and for something else, such as the end of the time, at once. libdbus itself can do that: its public
`dbus_connection_read_write` and `dbus_connection_dispatch` need no loop. dbus-python's C interface for such modules
(`dbus-python.h`, unchanged since version 0.82) gives the libdbus connection of a Python one.

Imported only where the bus is used: dbus-python is Debian's `python3-dbus` on a device, and may be missing elsewhere.
"""

import ctypes
from typing import Any

import _dbus_bindings

_CAPSULE = b"_dbus_bindings._C_API"
_BORROW_CONNECTION = 1
"""Place of DBusPyConnection_BorrowDBusConnection in the C interface; place 0 points to the number of places."""
_DATA_REMAINS = 0
"""DBUS_DISPATCH_DATA_REMAINS."""

_libdbus = ctypes.CDLL(_dbus_bindings.__file__)
"""The bindings, and through them the very libdbus that they use."""
_read_write = _libdbus.dbus_connection_read_write
_read_write.argtypes = (ctypes.c_void_p, ctypes.c_int)
_dispatch = _libdbus.dbus_connection_dispatch
_dispatch.argtypes = (ctypes.c_void_p,)
_dispatch_status = _libdbus.dbus_connection_get_dispatch_status
_dispatch_status.argtypes = (ctypes.c_void_p,)


_capsule_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def _borrow(connection: Any) -> int:
    """Return the libdbus connection of a Python one, which keeps it alive."""
    places = ctypes.cast(_capsule_pointer(_dbus_bindings._C_API, _CAPSULE), ctypes.POINTER(ctypes.c_void_p))
    borrow = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(places[_BORROW_CONNECTION] or 0)
    return int(borrow(connection))


class BusDispatcher:
    """Dispatches one connection, which must live as long. Only its owner's thread may call it."""

    def __init__(self, connection: Any) -> None:
        self._pointer = _borrow(connection)

    def turn(self) -> bool:
        """Read and write what can be, without waiting, and call the handlers; False once the connection is lost."""
        connected = bool(_read_write(self._pointer, 0))
        while _dispatch_status(self._pointer) == _DATA_REMAINS:
            _dispatch(self._pointer)
        return connected
