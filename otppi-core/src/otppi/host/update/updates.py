"""Updates of the gateway, as the gateway sees them: it takes a bundle in, has it tried, and tells what became of it."""

import contextlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

import otppi
from otppi.api.errors import InvalidSettings, NotDone, NotSupported
from otppi.api.operations import Actor, Role
from otppi.api.services import Service
from otppi.host.runtime.registry import Audited
from otppi.host.update.outcomes import SAID, Reason, Result, reason_of
from otppi.host.update.versions import KEY, UpdateOutcome, Versions
from otppi.kit import system_units
from otppi.kit.files import replace_whole
from otppi.text import Text, _
from otppi.wire.errors import FieldError

logger = logging.getLogger(__name__)

LARGEST: Final = 128 * 1024 * 1024
"""Octets of a bundle, in RAM: as `otppi.host.update.bundle` has it, which takes memory."""
RUN: Final = Path("/run/otppi-update")
_UNIT: Final = "otppi-update.service"
_BACK: Final = {False: "otppi-version-back@keep.service", True: "otppi-version-back@settings.service"}
_LONGEST: Final = 960.0
"""Seconds that the unit may take."""
_KEPT_FOR: Final = 3600.0
"""Seconds after which a bundle that nobody uses is forgotten."""
_ALARM_FOR: Final = 86_400.0
"""Seconds for which an update that failed is told."""
_DEVICE: Final = Actor("device", "update", Role.ADMINISTRATOR)
_SAID: Final[dict[str, Text]] = {
    "check": _("The bundle is checked: who signed it, and whether it is whole."),
    "unpack": _("The new version is unpacked beside the one that runs."),
    "test": _("The new version sends a test message by a simulated modem."),
    "restart": _("OTP-Pi starts anew, with the new version on trial."),
}


class Updates(Service):
    """Any thread.

    Args:
        incoming: The folder in RAM where a bundle is put; `otppi-update.service` looks there.
        noted: The file of which outcome the audit has been told.
        tell: Is told what became of an update.
        versions: The versions of this device.
        key: By which bundles are known.
        run: Where the unit says how far it is.
        clock: Unix seconds.
    """

    name = "updates"

    def __init__(
        self,
        incoming: Path,
        noted: Path,
        tell: Callable[[Audited], None],
        *,
        versions: Versions | None = None,
        key: Path = KEY,
        run: Path = RUN,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.versions = versions or Versions()
        self._incoming = incoming
        self._noted = noted
        self._tell = tell
        self._key = key
        self._run = run
        self._clock = clock
        self._lock = Lock()
        self._seen: str | None = None

    @property
    def bundle(self) -> Path:
        """Return where a bundle is put."""
        return self._incoming / "bundle"

    def describe(self) -> dict[str, Any]:
        """Return which versions there are, and what became of the last update."""
        if not system_units.in_use():
            nothing = {"image": "", "before": "", "outcome": None}
            return {"running": otppi.__version__, "possible": False, "why": _NOT_HERE, **nothing}
        confirmed, before = self.versions.current()
        image, outcome = self.versions.of_image(), self.versions.outcome()
        return {
            "running": otppi.__version__,
            "possible": self._key.exists(),
            "why": "" if self._key.exists() else SAID[Reason.NO_KEY],
            "image": image,
            "before": (before or image) if confirmed else "",
            "outcome": None if outcome is None else outcome.describe() | {"said": said_of(outcome)},
        }

    # -- what people ask for ----------------------------------------------------------------------------------------

    def receive(self, offset: int, octets: bytes) -> int:
        """Take a piece of a bundle, and return how much of it is there; one at 0 begins anew.

        Raises:
            NotSupported: This device takes no updates.
            InvalidSettings: The piece does not follow what is there, or there is too much.
            NotDone: There is no room for it.
        """
        self._check_possible()
        with self._lock:
            try:
                return self._append(offset, octets)
            except OSError as error:
                self._forget()
                why = error.strerror or str(error)
                raise NotDone(_("the memory has no room for the bundle: {reason}", reason=why)) from error

    def _append(self, offset: int, octets: bytes) -> int:
        if offset == 0:
            self._forget()
            self._incoming.mkdir(mode=0o700, exist_ok=True)
            self.bundle.touch(mode=0o600)
        size = self.bundle.stat().st_size if self.bundle.exists() else 0
        if offset != size:
            reason = _("must be {size}: so much of the bundle is there", size=size)
            raise InvalidSettings([FieldError("offset", reason)])
        if size + len(octets) > LARGEST:
            self._forget()
            most = _("is larger than {most} MiB", most=LARGEST // 1024 // 1024)
            raise InvalidSettings([FieldError("content", most)])
        with self.bundle.open("ab") as file:
            file.write(octets)
        return size + len(octets)

    def install(self, progress: Callable[[str, float | None], None]) -> dict[str, Any]:
        """Have the bundle tried that was received; when this returns, the gateway is about to start anew with it.

        Raises:
            NotSupported: This device takes no updates.
            NotDone: The bundle is not used, with the reason.
            Cancelled: Somebody has called it off; the unit goes on to its end, which is told later.
        """
        self._check_possible()
        if not self.bundle.exists():
            raise NotDone(SAID[Reason.NO_BUNDLE])
        before = self.versions.outcome()
        progress(_SAID["check"], 0.0)
        try:
            system_units.start(_UNIT, _LONGEST, meanwhile=lambda: self._follow(progress))
        except system_units.UnitFailed:
            outcome = self.versions.outcome()
            if outcome is None or outcome == before:
                raise
            raise NotDone(said_of(outcome)) from None
        finally:
            with self._lock:
                self._forget()
        outcome = self.versions.outcome()
        return {"version": "" if outcome is None else outcome.version, "restarting": True}

    def go_back(self, *, with_settings: bool) -> dict[str, Any]:
        """Have the version before run again; when this returns, the gateway is about to start anew.

        Args:
            with_settings: Whether the settings of that time come back, too.

        Raises:
            NotSupported: This device has no units for that.
            NotDone: There is none before.
            UnitError: It was not done.
        """
        if not system_units.in_use():
            raise NotSupported(_NOT_HERE)
        confirmed, before = self.versions.current()
        if not confirmed:
            raise NotDone(_("This is the version that the card image came with: there is none before it."))
        system_units.start(_BACK[with_settings])
        return {"version": before or self.versions.of_image(), "restarting": True}

    def failed(self) -> UpdateOutcome | None:
        """Return what became of an update within the last day that was tried, and does not run; None where none was."""
        outcome = self.versions.outcome() if system_units.in_use() else None
        if outcome is None or not 0 <= self._clock() - outcome.at < _ALARM_FOR:
            return None
        tried = outcome.result == Result.ROLLED_BACK or outcome.reason == Reason.SELF_TEST
        return outcome if tried else None

    # -- as a service -----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Tell the audit what became of an update, once: the start of the gateway came in between."""
        if not system_units.in_use():
            return
        outcome = self.versions.outcome()
        if outcome is None or outcome.number == self._seen or outcome.result == Result.ON_TRIAL:
            return
        self._seen = outcome.number
        if self._known() == outcome.number:
            return
        done = outcome.result in (Result.CONFIRMED, Result.WENT_BACK)
        logger.log(logging.INFO if done else logging.ERROR, "update to %s: %s", outcome.version, said_of(outcome))
        self._tell(
            Audited(
                self._clock(), _DEVICE, "update_outcome", outcome.version, "done" if done else "failed", outcome.reason
            )
        )
        with contextlib.suppress(OSError):  # a card that takes nothing is told elsewhere; it is told once more then
            replace_whole(self._noted, outcome.number.encode())

    def tidy(self) -> None:
        """Forget a bundle that nobody uses."""
        with self._lock, contextlib.suppress(OSError):
            if self._clock() - self.bundle.stat().st_mtime > _KEPT_FOR:
                self._forget()

    def problems(self) -> Sequence[str]:
        """Return that an update was tried and failed."""
        outcome = self.failed()
        return [] if outcome is None else [failed_said(outcome.version, outcome.reason)]

    def _known(self) -> str:
        try:
            return self._noted.read_text()
        except (OSError, UnicodeDecodeError):
            return ""

    def _check_possible(self) -> None:
        if not system_units.in_use():
            raise NotSupported(_NOT_HERE)
        if not self._key.exists():
            raise NotSupported(SAID[Reason.NO_KEY])

    def _follow(self, progress: Callable[[str, float | None], None]) -> None:
        """Tell how far the unit is: what it wrote last is whole (it is renamed)."""
        try:
            told = json.loads((self._run / "progress").read_bytes())
            step, share = _SAID[told["step"]], told["share"]
        except (OSError, ValueError, LookupError, TypeError):
            return
        progress(step, share if isinstance(share, float) else None)

    def _forget(self) -> None:
        with contextlib.suppress(OSError):
            self.bundle.unlink()


_NOT_HERE: Final = _("This is no card image of OTP-Pi: install the new version as this one was installed.")


def failed_said(version: str, reason: str) -> Text:
    """Say that an update was tried, and does not run; of a reason that is not known here, that it failed."""
    known = reason_of(reason)
    why = _("See the log.") if known is None else SAID[known]
    return _("The update to {version} failed. {why}", version=version or "?", why=why)


def said_of(outcome: UpdateOutcome) -> Text:
    """Return what became of an update, in a sentence."""
    if outcome.result == Result.CONFIRMED:
        return _("Version {version} is in use.", version=outcome.version)
    if outcome.result == Result.ON_TRIAL:
        return _("Version {version} is on trial.", version=outcome.version)
    if outcome.result == Result.WENT_BACK:
        return _("The version before was brought back.")
    reason = reason_of(outcome.reason)
    return _("It failed: see the log.") if reason is None else SAID[reason]
