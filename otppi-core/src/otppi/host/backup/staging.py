"""A restore on the card, all or nothing: made ready beside what is kept, and put in its place at the next start.

What is to be used is written to `restore.new`, synced, and renamed to `restore`: from that instant on it counts, and
before it nothing has changed. The next start saves what it replaces to `undo`, moves each file into its place, and
removes `restore`; whatever instant a kill or a power cut comes at, the start after it goes on where that one ended.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from otppi.host.audit.trail import merge
from otppi.kit.files import as_json, replace_whole, sync_folder
from otppi.text import _

logger = logging.getLogger(__name__)

SETTINGS: Final = "settings.json"
RESTORE, STAGED, UNDO, UNDO_STAGED = "restore", "restore.new", "undo", "undo.new"
"""Folders of a restore that is to be used, one that is being made ready, and the state before the last one."""
_PLAN: Final = "plan.json"
_SAVED: Final = "saved"
_FILES: Final = "files"
_AUDIT: Final = "audit.jsonl"
_MARK: Final = "claimed"
"""A file that a restore may bring besides those of a backup: that the device was claimed, and by whom."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a restore changes on the card.

    Attributes:
        files: The files that are replaced, by their names.
        gone: The names of those that are removed.
        audit: Lines of an audit trail that are put beside those which there are.
        undo: Whether the state before it is kept; that of a device without an administrator is not, for to come back to
            it would open the device to whoever comes first.
    """

    files: Mapping[str, bytes]
    gone: frozenset[str] = frozenset()
    audit: bytes = b""
    undo: bool = True


def stage(folder: Path, change: Change, tell: Callable[[str, int, int], None]) -> None:
    """Make a change ready, and have it count.

    Args:
        folder: The data folder.
        change: What is to be changed.
        tell: Is told of each file: its name, its number, and how many there are; what it raises ends this.

    Raises:
        OSError: The card takes nothing; nothing has changed.
    """
    staged = folder / STAGED
    _drop(staged)
    try:
        for number, (name, content) in enumerate(change.files.items()):
            tell(name, number, len(change.files))
            _write(staged / _FILES / name, content)
        _write(staged / _AUDIT, change.audit)
        _write(staged / _PLAN, as_json({"files": [*change.files], "gone": sorted(change.gone), "undo": change.undo}))
        _sync_all(staged)
        waiting = folder / RESTORE
        _retire(waiting)  # one that was made ready, and whose start has not come yet
        staged.rename(waiting)
    except BaseException:
        _drop(staged)
        raise
    sync_folder(folder)


def settings_of(folder: Path) -> Path:
    """Return where the settings are that the next start uses."""
    waiting = folder / RESTORE
    staged = waiting / _FILES / SETTINGS
    return staged if staged.exists() and (waiting / _PLAN).exists() else folder / SETTINGS


def complete(folder: Path) -> str:
    """Put a restore in its place that waits, before anything of the folder is read; and clear up what ended early.

    Returns:
        Why it could not be, where nothing has changed because of that; empty where all is well.

    Raises:
        OSError: Some of it is in its place, and the card takes no more: nothing may be started on that.
    """
    for name in (STAGED, UNDO_STAGED):
        _drop(folder / name)
    waiting = folder / RESTORE
    if not (waiting / _PLAN).exists():
        _retire(waiting)  # what was left while it was removed
        return ""
    plan: dict[str, Any] = json.loads((waiting / _PLAN).read_bytes())
    if not (waiting / _SAVED).exists():
        try:
            _save(folder, plan)
            _write(waiting / _SAVED, b"")
        except OSError as error:
            logger.error("a restore waits: what it replaces cannot be saved: %s", error.strerror)  # noqa: TRY400
            return _("a restore waits, for what it replaces cannot be saved: {reason}", reason=error.strerror)
    _put_in_place(folder, plan)
    merge(folder / "audit", waiting / _AUDIT)
    _retire(waiting)
    logger.warning("a restore was put in its place: %s", ", ".join(plan["files"]))
    return ""


def undo_of(folder: Path) -> Change | None:
    """Return what brings the state before the last restore back; None where there is none."""
    from otppi.host.backup.contents import is_kept  # which a start without a restore does not need

    kept = folder / UNDO
    try:
        plan = json.loads((kept / _PLAN).read_bytes())
        files = {name: (kept / _FILES / name).read_bytes() for name in plan["files"] if is_kept(name)}
    except FileNotFoundError:
        return None
    return Change(files, frozenset(filter(is_kept, plan["gone"])), undo=False)


def undo_made(folder: Path) -> float | None:
    """Return since when there is a state to come back to, in Unix seconds."""
    try:
        return (folder / UNDO / _PLAN).stat().st_mtime
    except OSError:
        return None


def _save(folder: Path, plan: Mapping[str, Any]) -> None:
    """Save what a plan replaces. All is old still: it may be done again."""
    if not plan["undo"]:
        _drop(folder / UNDO)
        return
    names = [name for name in (*plan["files"], *plan["gone"]) if name != _MARK]
    there = [name for name in names if (folder / name).exists()]
    saved = folder / UNDO_STAGED
    for name in there:
        _write(saved / _FILES / name, (folder / name).read_bytes())
    gone = [name for name in plan["files"] if name not in there and name != _MARK]
    _write(saved / _PLAN, as_json({"files": there, "gone": gone}))
    _sync_all(saved)
    _drop(folder / UNDO)
    saved.rename(folder / UNDO)
    sync_folder(folder)


def _put_in_place(folder: Path, plan: Mapping[str, Any]) -> None:
    for name in plan["files"]:
        staged, path = folder / RESTORE / _FILES / name, folder / name
        if not staged.exists():
            continue  # it was moved before a kill
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if name == SETTINGS:  # a copy never holds another state than its file may get
            path.with_suffix(".json.bak").unlink(missing_ok=True)
        staged.replace(path)
    for name in plan["gone"]:
        (folder / name).unlink(missing_ok=True)
    for parent in {(folder / name).parent for name in (*plan["files"], *plan["gone"])}:
        if parent.is_dir():
            sync_folder(parent)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_whole(path, content)


def _sync_all(folder: Path) -> None:
    for one in _folders(folder):
        sync_folder(one)


def _folders(folder: Path) -> Iterable[Path]:
    return (folder, *(one for one in folder.rglob("*") if one.is_dir()))


def _retire(waiting: Path) -> None:
    """Remove a restore, its plan first: without that nothing of it counts, whenever a kill comes."""
    if (waiting / _PLAN).exists():
        (waiting / _PLAN).unlink()
        sync_folder(waiting)
    _drop(waiting)


def _drop(folder: Path) -> None:
    if folder.exists():
        import shutil  # for what is seldom there

        shutil.rmtree(folder)
