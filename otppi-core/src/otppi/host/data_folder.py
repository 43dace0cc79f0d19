"""The folders of one gateway: the one of what is kept, which one process opens at a time, and the one in RAM."""

import fcntl
import hashlib
import logging
import os
from pathlib import Path

from otppi.api.errors import OtpPiError
from otppi.api.services import Service
from otppi.host.administrators.claim import Claim
from otppi.host.administrators.page import ADMINISTRATION
from otppi.host.audit.trail import AuditTrail
from otppi.host.backup import staging
from otppi.host.backup.backups import Backups
from otppi.host.core import declarations
from otppi.host.durable.report_folder import ReportFolder
from otppi.host.encryption.keys import EnvelopeKeys
from otppi.host.encryption.settings import ENCRYPTION
from otppi.host.gateway.first_steps import FirstSteps
from otppi.host.messages.blocklist import Blocklist
from otppi.host.messages.settings import SMS
from otppi.host.numbering.numbers import numbers_of
from otppi.host.reset.carrying_out import Resets
from otppi.host.runtime.plugins import Plugins
from otppi.host.runtime.registry import Audited, log_audited
from otppi.host.runtime.settings import PLUGINS
from otppi.host.settings.config import Config
from otppi.host.settings.first_settings import FirstSettings
from otppi.host.storage.store import Store, kept_in
from otppi.text import _
from otppi.web.device_certificate import DeviceCertificate

logger = logging.getLogger(__name__)

_CERTIFICATE = ADMINISTRATION.key
"""The folder of the device's certificate, by which its pages are served first of all."""
_FULL = 256 * 1024
"""Bytes: with less, a change of the settings may fail."""


def config_of(store: Store, plugins: Plugins) -> Config:
    """Open the settings of core and plugins."""
    return Config(store, declarations(plugins))


def plugins_off(path: Path) -> frozenset[str]:
    """Return which plugins a data folder says are not to be loaded: before they are, nobody knows its other settings.

    Where the settings cannot be read all are loaded; who opens the folder tells of it.
    """
    kept = [values.get("off") for values in kept_in(staging.settings_of(path), PLUGINS.key)]
    return frozenset(one for names in kept if isinstance(names, list) for one in names if isinstance(one, str))


class FolderInUse(OtpPiError):  # noqa: N818
    """Another gateway uses the same data folder."""


class DataFolder(Service):
    """What is kept, opened for one process: the store, the plugins that were found, and the settings.

    Args:
        path: The folder.
        plugins: The plugins.
        anew: Begin with nothing where the settings are damaged beyond their copy; the first change replaces them.
    """

    def __init__(self, path: Path, *, plugins: Plugins, anew: bool = False) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        # The folder itself is locked: on a card that takes nothing a file for that could not be made.
        self._lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise FolderInUse(_("another gateway uses the data folder {path}", path=path)) from error
        try:
            self._waits = staging.complete(path)
            self.resets = Resets(path, boot_folder_path(path))
            self.resets.complete()
            self.store = Store(path / staging.SETTINGS, anew=anew)
            self.plugins = plugins
            self.config = config_of(self.store, plugins)
            self.first_settings = FirstSettings(path, self.store, self.config, self.resets.emptied)
            sms = self.config.one(SMS)
            self.blocklist = Blocklist(path / "blocking-list", self.store, numbers_of(sms).again)
            self.claim = Claim(path, self.config)
            self.first_steps = FirstSteps(path / "first-steps")
            self.audit = AuditTrail(path / "audit")
            self.report = ReportFolder(path / "report")
            self.backups = Backups(path, self.store, self.config, self.audit, self.claim)
            self.certificate = DeviceCertificate(path / _CERTIFICATE)
            self.keys = EnvelopeKeys(path / "encryption-keys.json", lambda: self.config.one(ENCRYPTION)["keep_days"])
        except BaseException:
            os.close(self._lock)
            raise

    name = "data folder"

    def start(self) -> None:
        """Put right what a crash left behind, and tell of settings that cannot be used."""
        self.store.repair()
        self.blocklist.repair()
        self.claim.write_mark()
        for problem in self.config.problems:
            logger.error("a setting cannot be used, and something safe stands in its place: %s", problem)

    def warnings(self) -> list[str]:
        """Return what people should know of the card, and of what is kept on it."""
        kept = (self.store, self.blocklist, self.config, self.first_settings, self.claim, self.audit, self.resets)
        waits = [self._waits] if self._waits else []
        return [*waits, *self._card(), *(warning for one in kept for warning in one.warnings())]

    def _card(self) -> list[str]:
        try:
            status = os.statvfs(self.path)
        except OSError as error:
            return [_("{path} cannot be read: {reason}", path=self.path, reason=error.strerror)]
        if status.f_flag & os.ST_RDONLY:
            return [
                _("{path} is read-only: settings, report, usage and in-flight notes cannot be kept", path=self.path)
            ]
        if status.f_bavail * status.f_frsize < _FULL or (status.f_files and not status.f_favail):
            return [_("{path} is full: settings, report, usage and in-flight notes cannot be kept", path=self.path)]
        return []

    def tidy(self) -> None:
        """Write what waits to be written, and forget what nobody came back to."""
        self.backups.tidy()
        self.first_settings.tidy()
        self.claim.write_mark()
        self.audit.flush()

    def tell(self, audited: Audited) -> None:
        """Note what was asked for, and what became of it: in the log, and in the audit trail."""
        log_audited(audited)
        self.audit.tell(audited)

    def close(self) -> None:
        """Release the folder."""
        self.claim.write_mark()
        self.audit.flush()
        self.blocklist.close()
        self.store.close()
        os.close(self._lock)


def boot_folder_of(data: Path) -> Path:
    """Return the folder on a RAM disk that belongs to a data folder: empty after power-on, kept over a crash.

    Raises:
        OtpPiError: There is one that belongs to somebody else, or it cannot be made.
    """
    folder = boot_folder_path(data)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise OtpPiError(_("{folder} cannot be made: {reason}", folder=folder, reason=error.strerror)) from error
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or folder.is_symlink():
        raise OtpPiError(_("{folder} is not ours alone: somebody else made it", folder=folder))
    return folder


def boot_folder_path(data: Path) -> Path:
    """Return the path of a data folder's boot folder, whether it is there or not; the control socket is in it."""
    # systemd may name several folders; the first is ours.
    base = Path(os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0] or "/dev/shm")  # noqa: S108 - checked by its user
    digest = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12]
    return base / f"otppi-{os.getuid()}-{digest}"
