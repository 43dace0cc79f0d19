"""A control group of a twin's own (cgroups(7)).

systemd-nspawn makes the groups of what it boots below the one that it runs in. Of two twins with the same one above
them, each systemd takes the other's units for its own: what one of them stops, it ends in both.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from otppi.testing.waiting import until

_ENTER: Final = 'while [ "$1" != -- ]; do echo $$ >"$1"; shift; done; shift; exec "$@"'
"""A program of sh(1): goes into the groups whose lists of processes are named, and becomes what comes after them."""
_OF_SYSTEMD: Final = "name=systemd"
"""The hierarchy in which systemd keeps its units where a computer has those of version 1."""


class ControlGroup:
    """One group, in each hierarchy that systemd uses. Use it as a context: it is removed when all in it has ended.

    Args:
        name: Nobody else's.
    """

    def __init__(self, name: str) -> None:
        self._folders = [one / name for one in _own_groups()]

    def __enter__(self) -> "ControlGroup":
        for folder in self._folders:
            folder.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        for folder in self._folders:
            until(lambda folder=folder: _removed(folder), f"something runs in {folder}")  # type: ignore[misc]

    @property
    def entering(self) -> Sequence[str]:
        """What comes before a command that is to run in it; the process stays the same one."""
        return ("sh", "-ec", _ENTER, "sh", *(str(one / "cgroup.procs") for one in self._folders), "--")


def _own_groups() -> Iterator[Path]:
    """Yield the groups of this process, in the hierarchies that systemd uses."""
    places = dict(_mounted())
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, kind, path = line.split(":", 2)
        place = places.get("" if number == "0" else kind)
        if place is not None and (number == "0" or kind == _OF_SYSTEMD):
            yield place / path.lstrip("/")


def _mounted() -> Iterator[tuple[str, Path]]:
    """Yield the hierarchies that are mounted, by what /proc/self/cgroup calls them; that of version 2 has no name."""
    command = ("findmnt", "--raw", "--noheadings", "--types", "cgroup,cgroup2", "--output", "FSTYPE,OPTIONS,TARGET")
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    for line in told.stdout.splitlines():
        kind, options, target = line.split(" ", 2)
        if kind == "cgroup2":
            yield "", Path(target)
        elif _OF_SYSTEMD in options.split(","):
            yield _OF_SYSTEMD, Path(target)


def _removed(folder: Path) -> bool:
    """Remove a group with all below it, and return whether that is done: not while something runs in one."""
    for path, _folders, _files in os.walk(folder, topdown=False):
        try:
            Path(path).rmdir()
        except OSError:
            return False
    return True
