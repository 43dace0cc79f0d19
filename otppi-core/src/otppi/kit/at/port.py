"""A serial port that one thread owns: bytes out, bytes in, and "it is gone" told in one way."""

import errno
import fcntl
import os
import select
import termios
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import serial

from otppi.api.errors import ModemBlocked, ModemLost, Trouble
from otppi.kit.at.values import PortValues
from otppi.kit.net.wake import Wake
from otppi.text import _

_PARITY = {
    "none": serial.PARITY_NONE,
    "even": serial.PARITY_EVEN,
    "odd": serial.PARITY_ODD,
    "mark": serial.PARITY_MARK,
    "space": serial.PARITY_SPACE,
}
_READ_SIZE = 4096
DEFAULT_SPEED = 115_200
# pyserial reports an unplugged device as any of these, depending on the driver and the moment (pyserial #417).
_PORT_ERRORS = (OSError, termios.error, ValueError)
_TAKERS = frozenset({"ModemManager", "pppd", "wvdial", "gammu-smsd", "smsd", "brltty", "minicom", "picocom", "screen"})
_READABLE = select.POLLIN
_HANGUP = select.POLLHUP | select.POLLERR | select.POLLNVAL


class PortHeld(ModemBlocked):
    """Other programs have the port, as "program (pid)"."""

    def __init__(self, cause: str, holders: Sequence[str]) -> None:
        super().__init__(cause)
        self.holders = tuple(holders)


class Port:
    """An open serial port. Only `wake` may be called by another thread.

    Args:
        path: The device or a link to it; a pseudo-terminal will do.
        settings: `baud_rate` (0: see `set_speed`), `parity_bit`, `stop_bits`, `flow_control` of section `modems`.

    Raises:
        ModemLost: There is no such device now.
        ModemBlocked: It is held by another program, or may not be opened.
    """

    def __init__(self, path: str, settings: PortValues, wake: Wake) -> None:
        self.path = path
        self._wake = wake
        self._chunk_size, self._chunk_pause = 0, 0.0
        flow_control = settings.get("flow_control", "none")
        try:
            self._serial = serial.Serial(
                path,
                baudrate=settings["baud_rate"] or DEFAULT_SPEED,
                parity=_PARITY[settings["parity_bit"]],
                stopbits=settings["stop_bits"],
                rtscts=flow_control == "rts-cts",
                xonxoff=flow_control == "xon-xoff",
                timeout=0,
                exclusive=True,
            )
        except _PORT_ERRORS as error:
            raise _cannot_open(path, error) from error
        self._descriptor = self._serial.fileno()
        self._poll = _poll_for({self._descriptor: select.POLLIN})
        self._poll_or_wake = _poll_for({self._descriptor: select.POLLIN, wake.descriptor: select.POLLIN})
        self._poll_writable = _poll_for({self._descriptor: select.POLLOUT})
        self._poll_hangup = _poll_for({self._descriptor: 0})

    def set_speed(self, baud_rate: int) -> None:
        """Change the speed of the line.

        Raises:
            ModemLost: The device is gone, or cannot do this speed.
        """
        try:
            self._serial.baudrate = baud_rate
        except _PORT_ERRORS as error:
            raise ModemLost(
                _("{path} cannot be set to {baud_rate} Bd", path=self.path, baud_rate=baud_rate), Trouble.SILENT
            ) from error

    def write_in_chunks(self, size: int, pause: float) -> None:
        """Write no more than `size` bytes at once from now on, with a pause in seconds after them; 0: without limit."""
        self._chunk_size, self._chunk_pause = size, pause

    def read(self, timeout: float, *, may_wake: bool = False) -> bytes:
        """Wait at most `timeout` seconds for bytes; empty when there were none.

        With `may_wake` also when woken; without, the wake-up is kept for the next read that may be.

        Raises:
            ModemLost: The device is gone.
        """
        ready = (self._poll_or_wake if may_wake else self._poll).poll(max(0.0, timeout) * 1000)
        data = b""
        for descriptor, event in ready:
            if descriptor != self._descriptor:
                self._wake.clear()
            elif event & _READABLE:
                data = self._read_now()
            elif event & _HANGUP:
                raise ModemLost(_("{path} is gone", path=self.path))
        return data

    def _read_now(self) -> bytes:
        try:
            data = os.read(self._descriptor, _READ_SIZE)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise ModemLost(_("{path} is gone ({reason})", path=self.path, reason=error.strerror)) from error
        if not data:
            raise ModemLost(_("{path} is gone", path=self.path))
        return data

    def write(self, data: bytes, timeout: float = 10.0) -> None:
        """Write all of `data` within `timeout` seconds, pauses between chunks aside.

        Raises:
            ModemLost: The device is gone, or takes no bytes (flow control).
        """
        size = self._chunk_size
        if not size or len(data) <= size:
            self._write(data, timeout)
            return
        self._write(data[:size], timeout)
        for start in range(size, len(data), size):
            self._pause()
            self._write(data[start : start + size], timeout)

    def _pause(self) -> None:
        """Give the modem time to take a chunk."""
        if self._poll_hangup.poll(self._chunk_pause * 1000):
            raise ModemLost(_("{path} is gone", path=self.path))

    def _write(self, data: bytes, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                self._wait_writable(deadline)
            except OSError as error:
                raise ModemLost(_("{path} is gone ({reason})", path=self.path, reason=error.strerror)) from error

    def _wait_writable(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0 or not self._poll_writable.poll(left * 1000):
            raise ModemLost(_("{path} takes no bytes", path=self.path), Trouble.SILENT)

    def fileno(self) -> int:
        """Return the descriptor, to wait for several ports at once."""
        return self._descriptor

    def close(self) -> None:
        """Release the port. Safe to call twice."""
        with suppress(
            *_PORT_ERRORS
        ):  # a device that is gone may refuse even this; the descriptor is freed all the same
            self._serial.close()


def _poll_for(events: Mapping[int, int]) -> select.poll:
    poll = select.poll()
    for descriptor, event in events.items():
        poll.register(descriptor, event)
    return poll


def _cannot_open(path: str, error: Exception) -> ModemLost:
    reason = getattr(error, "errno", None)
    if not path:
        return ModemBlocked(_("no port is set"))
    if not Path(path).exists() or reason in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO):
        return ModemLost(_("there is no {path}", path=path))
    if holders := port_holders(path):
        return PortHeld(_("{path} is held by {named}", path=path, named=named(holders)), holders)
    if reason == errno.EAGAIN:  # locked, and not by another program
        return ModemBlocked(_("{path} is used by another modem of this gateway", path=path))
    if reason == errno.EBUSY and (suspects := _suspects()):
        return PortHeld(
            _("{path} is held by another user's program, probably {named}", path=path, named=named(suspects)), suspects
        )
    if reason == errno.EACCES:
        return ModemBlocked(_("{path} may not be opened by this user (add it to the group dialout)", path=path))
    if reason == errno.EPERM:
        return ModemBlocked(sandbox_refuses(path))
    return ModemBlocked(
        _(
            "{path} cannot be opened: {reason}",
            path=path,
            reason=os.strerror(reason) if reason else type(error).__name__,
        )
    )


def sandbox_refuses(path: str) -> str:
    """Say that the rules for devices refuse one, and not its permissions: open(2) tells EPERM, and not EACCES.

    systemd looks up which driver `DeviceAllow=char-ttyUSB` means when it starts the service; a driver that is loaded
    later is refused until it is started again. Another user, or another group, would change nothing.
    """
    return _(
        "the sandbox of the service refuses {path}: its driver was not loaded when the service started, or is not"
        " allowed there (DeviceAllow)",
        path=path,
    )


def refusal_of(path: str) -> int:
    """Return the error number by which a device may not be opened for reading and writing; 0 where it may.

    access(2) says no more than whether it may; only one that may not be is opened to know why not.
    """
    if os.access(path, os.R_OK | os.W_OK):
        return 0
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def named(holders: Iterable[str]) -> str:
    """Name programs that hold a port, and say what to do where it is one that takes every modem."""
    programs = ", ".join(holders)
    if "ModemManager" not in programs:
        return programs
    return _("{programs}: see docs/hot-plug.md for how to keep it off", programs=programs)


def users_of(path: str) -> list[str]:
    """Name the programs that use a port. A pseudo-terminal's other end has it open too: there, the lock counts."""
    if os.path.realpath(path).startswith("/dev/pts/") and not _locked(path):
        return []
    return port_holders(path)


def _locked(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        return False  # `Port` says what that means
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _suspects() -> list[str]:
    """Find programs that are known to take modems, where those of other users may not be looked into."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (program := (process / "comm").read_text().strip()) in _TAKERS:
                found.append(f"{program} ({process.name})")
    return found


def port_holders(path: str) -> list[str]:
    """Name the other programs that have a device open, as "program (pid)"; only those that this user may look into."""
    try:
        device = _device(path)
    except OSError:
        return []
    holders = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        with suppress(OSError):
            if any(_device(descriptor) == device for descriptor in (process / "fd").iterdir()):
                holders.append(f"{(process / 'comm').read_text().strip()} ({process.name})")
    return holders


def _device(path: str | Path) -> tuple[int, int]:
    """Tell a device by its file, not by its path: another mount namespace may have another one of the same name."""
    status = Path(path).stat()
    return status.st_dev, status.st_ino
