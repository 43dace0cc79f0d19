"""The versions of the gateway that a device has, in a folder that is root's; the gateway only reads it.

Files of the folder, each replaced as a whole:

- `versions/V/`: the environment of a version, beside the image's own, which is always there in /opt/otppi;
- `current`: the version that is confirmed and the one before it, `-` for the image's own; missing: the image's own;
- `trial`: the version on trial, and how often it was tried; written by `otppi-update.service`, counted and taken away
  by `/usr/lib/otppi/version`, which systemd runs before and after each start of the gateway;
- `outcome`: what became of the last update, a line of JSON.
"""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from otppi.host.update.bundle import order
from otppi.kit.files import as_json, sync_folder

HOME: Final = Path("/var/lib/otppi-update")
IMAGE: Final = Path("/opt/otppi")
"""The version that the card image came with."""
KEY: Final = Path("/usr/share/otppi/update-key.pub")
_DIST_INFO: Final = re.compile(r"otppi_core-([0-9.]+)\.dist-info")
_NONE: Final = "0.0"


@dataclass(frozen=True, slots=True)
class UpdateOutcome:
    """What became of the last update.

    Attributes:
        version: Which was to be used; empty where the bundle did not even tell that.
        result, reason: As `outcomes.Result` and `outcomes.Reason` name them; another version may know more of them.
        at: When, in Unix seconds by the device's clock.
        number: Tells one outcome from another.
    """

    version: str
    result: str
    reason: str
    at: float
    number: str

    def describe(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        return {"version": self.version, "result": self.result, "reason": self.reason, "at": round(self.at)}


class Versions:
    """What there is, read anew each time. Any thread.

    Args:
        home: The folder.
        image: Where the image's own version is.
    """

    def __init__(self, home: Path = HOME, image: Path = IMAGE) -> None:
        self.home = home
        self.image = image

    def path(self, version: str) -> Path:
        """Return the folder of a version's environment, whether it is there or not."""
        return self.home / "versions" / version

    def of_image(self) -> str:
        """Return which version the image came with; `0.0` where that is not known."""
        return version_in(self.image)

    def current(self) -> tuple[str, str]:
        """Return the confirmed version and the one before it; empty for the image's own."""
        words = self._words("current")
        confirmed, before = words if len(words) == 2 else ("", "")
        return self._kept(confirmed), self._kept(before)

    def newest(self) -> str:
        """Return the version that an update has to be newer than: the confirmed one."""
        return self.current()[0] or self.of_image()

    def trial(self) -> str:
        """Return which version is on trial; empty where none is."""
        words = self._words("trial")
        return self._kept(words[0]) if words else ""

    def outcome(self) -> UpdateOutcome | None:
        """Return what became of the last update; None where there was none, or where that cannot be read."""
        path = self.home / "outcome"
        try:
            with path.open("rb") as file:
                raw, status = file.read(4096), os.fstat(file.fileno())
            told = json.loads(raw)
            version, result, reason = (str(told[key])[:64] for key in ("version", "result", "reason"))
            return UpdateOutcome(version, result, reason, status.st_mtime, f"{status.st_ino}-{status.st_mtime_ns}")
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None

    def _words(self, name: str) -> list[str]:
        try:
            return (self.home / name).read_text()[:256].split()
        except (OSError, UnicodeDecodeError):
            return []

    def _kept(self, version: str) -> str:
        return version if is_version(version) and self.path(version).is_dir() else ""

    # -- what root alone does ---------------------------------------------------------------------------------------

    def prune(self) -> None:
        """Remove what no start of the gateway can choose any more, and what a power cut has left.

        Raises:
            OSError: The card takes nothing.
        """
        wanted = {*self.current(), self.trial()}
        folder = self.home / "versions"
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for one in folder.iterdir():
            if one.name not in wanted:
                shutil.rmtree(one)
        for name in ("packed", *(one.name for one in self.home.glob("*.new"))):
            (self.home / name).unlink(missing_ok=True)

    def begin_trial(self, version: str) -> None:
        """Have the next start of the gateway try a version that is there.

        Raises:
            OSError: The card takes nothing: it is not tried.
        """
        put(self.home / "trial", f"{version} 0\n".encode())

    def note(self, version: str, result: str, reason: str = "") -> None:
        """Write down what became of an update; where the card takes nothing it is not kept, and that is all."""
        with contextlib.suppress(OSError):
            put(self.home / "outcome", as_json({"version": version, "result": result, "reason": reason}) + b"\n")


def put(path: Path, content: bytes, sync: Callable[[int], None] = os.fsync) -> None:
    """Replace a file as a whole, durably, for all to read: `replace_whole` keeps it to its owner.

    Raises:
        OSError: The card takes nothing: the old content stays.
    """
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(content)
        file.flush()
        sync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def is_version(text: str) -> bool:
    """Whether a text is a version."""
    try:
        order(text)
    except ValueError:
        return False
    return True


def version_in(environment: Path) -> str:
    """Return which version of the gateway an environment has; `0.0` where that is not known."""
    names = (one.name for one in environment.glob("lib/python3*/site-packages/otppi_core-*.dist-info"))
    found = [match[1] for name in names if (match := _DIST_INFO.fullmatch(name)) and is_version(match[1])]
    return found[0] if found else _NONE
