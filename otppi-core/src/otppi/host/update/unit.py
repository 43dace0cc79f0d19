"""The program of `otppi-update.service`, as root: checks the bundle that the gateway hands over, and puts it on trial.

It is the image's own, in /opt/otppi, whatever version of the gateway runs: no update can break what updates. What the
gateway hands over is a file in a folder of its own, and is not trusted: it is read once, into a file that is root's.

Each step leaves the device with a version that works, whenever the power fails: what is unpacked gets its name when the
card has all of it, and is tried from then on only where `trial` says so (`otppi.host.update.versions`).
"""

import fcntl
import logging
import os
import platform
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from otppi.host.update.bundle import Manifest, check_fit, copy_packed, read_head
from otppi.host.update.outcomes import Reason, Result, UpdateRefused
from otppi.host.update.unpacking import unpack
from otppi.host.update.versions import KEY, Versions, put
from otppi.kit.files import as_json, sync_folder

logger = logging.getLogger(__name__)

BUNDLE: Final = Path("/run/otppi/update/bundle")
"""Where the gateway puts what somebody has sent, in RAM."""
RUN: Final = Path("/run/otppi-update")
PROGRESS: Final = RUN / "progress"
CANDIDATE: Final = RUN / "candidate"
"""Leads to the version whose test is made."""
_SELF_TEST: Final = "otppi-self-test.service"
_GATEWAY: Final = "otppi.service"
_SPARE: Final = 32 * 1024 * 1024
"""Octets that stay free for the gateway."""
_BLOCK: Final = 4096
"""Octets of a block of the card's file system, of which each file wastes half of one."""
_REFUSED: Final = 2
_PYTHON: Final = Path("/usr/bin/python3")


def _systemctl(*words: str) -> bool:
    return subprocess.run(["/usr/bin/systemctl", *words], check=False).returncode == 0


def self_tested(_version: str) -> bool:
    """Have the new version send a message by its simulated modem, as a user of its own; return whether it did."""
    return _systemctl("start", _SELF_TEST)


def restart() -> None:
    """Have systemd start the gateway anew, which may be ended by that and is not waited for."""
    _systemctl("--no-block", "restart", _GATEWAY)


@dataclass(frozen=True, slots=True)
class Update:
    """One update.

    Attributes:
        versions: The versions that are there.
        bundle, key, run: Files and a folder, as above.
        sends: Has the new version make its test.
        restart: Has the gateway started anew.
    """

    versions: Versions = field(default_factory=Versions)
    bundle: Path = BUNDLE
    key: Path = KEY
    run: Path = RUN
    sends: Callable[[str], bool] = self_tested
    restart: Callable[[], None] = restart
    _told: list[tuple[str, int]] = field(default_factory=list)

    def make(self) -> str:
        """Carry it out up to the new start of the gateway, and return the version.

        Raises:
            UpdateRefused: Nothing was changed, with the reason.
        """
        try:
            with self._alone():
                return self._make()
        except UpdateRefused as error:
            self.versions.note(error.version, Result.REFUSED, error.reason)
            raise
        except OSError as error:
            logger.error("%s: %s", error.filename, error.strerror)  # noqa: TRY400 - the reason says it all
            self.versions.note("", Result.REFUSED, Reason.CARD)
            raise UpdateRefused(Reason.CARD) from error

    def _make(self) -> str:
        if self.versions.trial():  # it may be the one that runs
            raise UpdateRefused(Reason.BUSY)
        self.versions.prune()
        packed = self.versions.home / "packed"
        with self._handed_over() as file:
            self._tell("check", 0.0)
            manifest = read_head(file, self.key)
            check_fit(manifest, self.versions.newest())
            self._check_space(manifest)
            with packed.open("xb") as copy:
                copy_packed(file, manifest, copy, lambda share: self._tell("check", share))
        self._unpack(packed, manifest)
        self._test(manifest.version)
        self._tell("restart", None)
        # First what is said of it: a start that comes at once says more.
        self.versions.note(manifest.version, Result.ON_TRIAL)
        self.versions.begin_trial(manifest.version)
        self.restart()
        return manifest.version

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep a second one out; systemd does, too, but for one that a person starts by hand."""
        self.versions.home.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.run.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(self.versions.home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _handed_over(self) -> Iterator[BinaryIO]:
        """Open what the gateway has put there: no link, no device, nothing that makes one wait."""
        try:
            descriptor = os.open(self.bundle, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            raise UpdateRefused(Reason.NO_BUNDLE) from None
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UpdateRefused(Reason.NO_BUNDLE)
            yield file

    def _check_space(self, manifest: Manifest) -> None:
        status = os.statvfs(self.versions.home)
        wanted = manifest.size + manifest.unpacked + manifest.files * _BLOCK + _SPARE
        inodes = status.f_files == 0 or status.f_favail > 2 * manifest.files
        if status.f_bavail * status.f_frsize < wanted or not inodes:
            raise UpdateRefused(Reason.NO_SPACE, manifest.version)

    def _unpack(self, packed: Path, manifest: Manifest) -> None:
        """Make the environment of the version, beside the others; it gets its name when the card has all of it."""
        python, target = manifest.python, self.versions.path(manifest.version)
        part = target.with_name(f"{target.name}.part")
        site = part / f"lib/python{python}/site-packages"
        try:
            site.mkdir(mode=0o755, parents=True)
            with packed.open("rb") as file:
                unpack(file, manifest, site, lambda share: self._tell("unpack", share))
            # As `python3 -m venv --system-site-packages` writes it (PEP 405), for D-Bus, which is Debian's.
            settings = f"home = {_PYTHON.parent}\ninclude-system-site-packages = true\nversion = {python}\n"
            (part / "pyvenv.cfg").write_text(settings)
            (part / "bin").mkdir(mode=0o755)
            (part / "bin/python").symlink_to(_PYTHON)
            os.sync()
            part.rename(target)
            sync_folder(target.parent)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        finally:
            packed.unlink(missing_ok=True)

    def _test(self, version: str) -> None:
        self._tell("test", None)
        candidate = self.run / CANDIDATE.name
        candidate.unlink(missing_ok=True)
        candidate.symlink_to(self.versions.path(version))
        if not self.sends(version):
            shutil.rmtree(self.versions.path(version))
            raise UpdateRefused(Reason.SELF_TEST, version)

    def _tell(self, step: str, share: float | None) -> None:
        """Say how far it is, in RAM, for the gateway's pages."""
        known = -1 if share is None else int(share * 100)
        if self._told != [(step, known)]:
            self._told[:] = [(step, known)]  # a file for each percent, and not for each block
            put(self.run / PROGRESS.name, as_json({"step": step, "share": share}), sync=lambda _descriptor: None)


def main(arguments: Sequence[str]) -> int:
    """Carry an update out; return the exit status."""
    if arguments:
        logger.error("this takes no arguments")
        return 1
    try:
        version = Update().make()
    except UpdateRefused as error:
        logger.error("%s %s", error.version or "-", error)  # noqa: TRY400 - the reason, not where
        return _REFUSED
    logger.info("version %s is on trial (%s)", version, platform.machine())
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    os.umask(0o022)
    sys.exit(main(sys.argv[1:]))
