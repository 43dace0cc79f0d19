"""The claim of a new device: who creates its first administrator, and that nobody does so a second time."""

import json
import logging
import time
import zlib
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from threading import Lock
from typing import Final

from otppi.api.errors import InvalidSettings, OtpPiError, Throttled
from otppi.host.administrators.device_code import DeviceCode
from otppi.host.administrators.settings import ADMINISTRATORS, may_administer
from otppi.host.logins.login_throttle import PACES_OF_PERSONS, Failures
from otppi.host.settings.config import Config
from otppi.kit.files import as_json, replace_whole
from otppi.kit.net.ip_network import network_of
from otppi.text import _
from otppi.wire.errors import FieldError

logger = logging.getLogger(__name__)

ACCESS_POINT: Final = "access-point"
"""The origin of an actor whose request came in by the interface of the access point.

Its passphrase is on the brochure beside the code of the device: who knows it needs no code.
"""
_A_DAY: Final = 86_400.0


class ClaimState(Enum):
    """Whether the device has an administrator."""

    OPEN = "open"
    """It never had one: whoever shows the code of the device may create it."""
    DONE = "done"
    """It has one."""
    DAMAGED = "damaged"
    """It had one, and none of those that are kept may administer it: nobody may create one from outside."""


class AlreadyClaimed(OtpPiError):  # noqa: N818
    """The device has an administrator.

    Attributes:
        at: Since when, in Unix seconds.
        address: From which address he was created; empty where that was on the device itself, or is not known.
    """

    def __init__(self, at: float, address: str) -> None:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
        super().__init__(
            _("an administrator was created already, at {when} from {address}", when=when, address=address)
            if address
            else _("an administrator was created already, at {when}", when=when)
        )
        self.at = at
        self.address = address


class AccountsDamaged(OtpPiError):  # noqa: N818
    """The device had an administrator, and has none now: nothing may be created before a person looked at it."""

    def __init__(self) -> None:
        super().__init__(_("the accounts are damaged, and nothing was changed: restore a backup, or reset the device"))


class Claim:
    """The mark that the device has had an administrator, and the code without which nobody claims it. Any thread.

    The mark is written once an administrator is kept: whatever a power cut leaves behind is never `OPEN` then, as
    accounts without a mark are `DONE`, and a mark without accounts is `DAMAGED`. It is a line of the CRC-32 of what
    follows, and that: `[at, address]`.

    Args:
        folder: The data folder.
        config: The settings, of which the administrators are a part.
        clock: Counts seconds, monotonically.
    """

    def __init__(self, folder: Path, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        self.device_code = DeviceCode(folder / "device-code")
        self._path = folder / "claimed"
        self._config = config
        self._clock = clock
        self._made: float | None = None
        self._lock = Lock()
        self._failures = Failures(PACES_OF_PERSONS.forget, clock)
        self._problem = ""
        self._unreadable = False
        self._mark = self._read()

    @property
    def state(self) -> ClaimState:
        """Whether the device has an administrator, as mark and accounts say; `OPEN` only where both say that not."""
        accounts = self._config.many(ADMINISTRATORS)
        if any(may_administer(one) for one in accounts):
            return ClaimState.DONE
        trace = accounts or self._mark or self._unreadable or not self._config.usable(ADMINISTRATORS.key)
        return ClaimState.DAMAGED if trace else ClaimState.OPEN

    @property
    def about(self) -> tuple[float, str] | None:
        """When the first administrator was created (Unix seconds), and from which address, where that is known."""
        return self._mark

    @property
    def is_recent(self) -> bool:
        """Whether the first administrator was created within a day, also where the wall clock was set meanwhile."""
        if self._made is not None:
            return self._clock() - self._made < _A_DAY
        return self._mark is not None and abs(time.time() - self._mark[0]) < _A_DAY

    def check_open(self) -> None:
        """Refuse where the device is not to be claimed.

        Raises:
            AlreadyClaimed: It has an administrator.
            AccountsDamaged: It had one.
        """
        state = self.state
        if state is ClaimState.DONE:
            raise AlreadyClaimed(*(self._mark or (time.time(), "")))
        if state is ClaimState.DAMAGED:
            raise AccountsDamaged

    def check_code(self, code: str, address: str) -> None:
        """Refuse a code that is not the device's.

        Raises:
            Throttled: Too many wrong ones came from this address; nothing was looked at.
            InvalidSettings: It is wrong.
        """
        network = network_of(address)
        with self._lock:
            if wait := self._failures.wait(network, PACES_OF_PERSONS.pair):
                raise Throttled(wait)
            self._failures.add(network)  # before it is looked at: those that come at once are counted, too
            if not self.device_code.matches(code):
                raise InvalidSettings([FieldError("code", _("is not the code of this device"))])
            self._failures.clear(network)

    def write_mark(self, address: str = "") -> None:
        """Write the mark where there are administrators and there is none; on a card that takes nothing, later.

        Args:
            address: From which address the first one was created; empty where that was on the device.
        """
        with self._lock:
            if self._mark or not self._config.many(ADMINISTRATORS):
                return
            mark = (round(time.time(), 3), address)
            try:
                replace_whole(self._path, _line(as_json(mark)))
            except OSError as error:
                self._note(error.strerror or type(error).__name__)
                return
            self._mark, self._problem, self._unreadable, self._made = mark, "", False, self._clock()

    @staticmethod
    def mark_of(address: str) -> bytes:
        """Return the content of the mark that says that the device was claimed now, from an address."""
        return _line(as_json((round(time.time(), 3), address)))

    def warnings(self) -> list[str]:
        """Return what people should know."""
        told: list[str] = []
        if self._problem:
            told.append(_("the mark that there is an administrator cannot be kept: {reason}", reason=self._problem))
        if self.state is ClaimState.DAMAGED:
            told.append(_("no administrator can log in any more: accounts are damaged or gone (otppi admin add)"))
        return told

    def _note(self, reason: str) -> None:
        if reason != self._problem:
            logger.error("the mark that the device has an administrator cannot be kept: %s", reason)
        self._problem = reason

    def _read(self) -> tuple[float, str] | None:
        try:
            line = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError:
            line = b""
        _sum, _space, content = line.partition(b" ")
        try:
            at, address = json.loads(content)
            mark = (float(at), str(address))
        except (ValueError, TypeError, RecursionError):
            mark = None
        if mark is None or _line(content.rstrip(b"\n")) != line:
            logger.error("the mark that the device has an administrator is damaged: nobody may claim the device")
            self._unreadable = True
            return None
        return mark


def _line(content: bytes) -> bytes:
    return b"%08x %b\n" % (zlib.crc32(content), content)
