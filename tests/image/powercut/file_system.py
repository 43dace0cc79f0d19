"""The file systems of a card, without mounting any: mended as a boot mends them, and read, loudly where that fails."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ENVIRONMENT: Final = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
_SOUND: Final = (0, 1)
"""What e2fsck(8) ends with where all is well, or was mended; with all else systemd stops the boot."""


class TornError(Exception):
    """A file system that does not mend itself, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What mending took.

    Attributes:
        replayed: Whether the journal had to be replayed: it was not switched off in peace.
        repaired: Whether that was not all.
    """

    replayed: bool
    repaired: bool


@contextmanager
def mended(partition: Path) -> Iterator[Mended]:
    """Mend an ext4 file system as a boot does, by `e2fsck -p`; what that has changed is undone in the end.

    In two steps, as an undo file of e2fsck 1.47 does not go on after it has replayed the journal.

    Raises:
        TornError: A person would have to.
    """
    undos = [partition.with_suffix(f".{step}.undo") for step in ("journal", "repair")]
    try:
        first = _e2fsck("-p", "-E", "journal_only", "-z", undos[0], partition)
        second = _e2fsck("-p", "-z", undos[1], partition)
        yield Mended("recovering journal" in first.stdout, second.returncode == 1)
    finally:
        for undo in reversed(undos):
            if undo.exists():
                _run("e2undo", undo, partition)
                undo.unlink()


def _e2fsck(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(["e2fsck", *arguments], capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode not in _SOUND:
        raise TornError(f"e2fsck ends with {done.returncode}: {done.stdout[-400:]}{done.stderr[-400:]}")
    return done


def copied(partition: Path, folders: Sequence[str], to: Path) -> None:
    """Copy folders out of an ext4 file system, to the same places below another folder; one that is not there is not.

    Raises:
        TornError: One cannot be read.
    """
    commands = []
    for one in folders:
        there = to / one.lstrip("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        commands.append(f"rdump {one} {there.parent}")
    done = subprocess.run(
        ["debugfs", "-f", "/dev/stdin", partition],
        input="\n".join(commands), capture_output=True, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    absent = [f"{one}: File not found by ext2_lookup" for one in folders]
    told = [
        line for line in done.stderr.splitlines() if not line.startswith("debugfs 1.") and line.strip() not in absent
    ]
    if done.returncode or told:
        raise TornError(f"{' '.join(folders)} cannot be read: {told}")


def read_of_fat(partition: Path, name: str) -> bytes | None:
    """Return the content of a file of the FAT file system; None where it is not there.

    Raises:
        TornError: It cannot be read.
    """
    done = subprocess.run(["mtype", "-i", partition, f"::/{name}"], capture_output=True, env=ENVIRONMENT)
    if done.returncode == 0:
        return done.stdout
    told = done.stderr.decode(errors="replace")
    if "not found" in told:
        return None
    raise TornError(f"{name} of the boot partition cannot be read: {told}")


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
