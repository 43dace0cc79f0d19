"""What a backup holds, of all that is kept on the card; and how it is written down, and read again."""

import base64
import json
import re
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from otppi.api.errors import InvalidSettings
from otppi.host.backup.staging import RESTORE, SETTINGS, STAGED, UNDO, UNDO_STAGED
from otppi.host.storage.store import Tables
from otppi.text import Text, _
from otppi.wire.errors import FieldError

FORMAT: Final = 1
AUDIT: Final = ("audit/older.jsonl", "audit/newer.jsonl")
LAST_BACKUP: Final = "last-backup"
LARGEST_FILE: Final = 1024 * 1024
"""Octets of one file; of larger ones only the blocking list is in a backup."""

KEPT: Final[Mapping[str, Text]] = MappingProxyType(
    {
        SETTINGS: _("all settings with their secrets, administrators and users of the API among them"),
        "blocking-list": _("the blocking list"),
        "encryption-keys.json": _("the keys that envelopes are encrypted to"),
        "first-steps": _("which steps of the set-up were passed over"),
        LAST_BACKUP: _("when the last backup was made"),
        AUDIT[0]: _("the audit trail"),
        AUDIT[1]: _("the audit trail"),
        "usage/key": _("what modems and e-mail accounts have sent, for quotas and prices"),
        "usage/counters.json": _("what modems and e-mail accounts have sent, for quotas and prices"),
        "usage/receivers-*": _("how many receivers a modem had in a month"),
        "administration/*": _("the certificate of the pages, and its key"),
        "ingress-*/*": _("of ingresses their certificate, and the names by which brokers know them"),
        "service-*/*": _("what services of plugins keep"),
        "network/*/*": _("what changes the network keeps for itself"),
    }
)
"""Files of the data folder that are in a backup, by patterns of their names."""

LEFT: Final = (
    "settings.json.bak",  # and the mark beside it: both are made anew from the settings
    "settings.claimed",
    "claimed",  # when this device was claimed, and the code on its brochure: both are of this one
    "device-code",
    "reset.journal",  # a reset that goes on, and which sticks were obeyed: both are of this device
    "resets",
    "first-settings.json",  # what the device came with: it is taken at the first start, and gone then
    "first-settings.refused",
    "inbox.json",  # texts that came in: they are kept for a while only, and a backup for years
    "report/*",  # large, and nothing that a device needs to send
    "open",  # what is on its way now
    "before-update",  # the settings before the last update of this device, for the way back
    "update-noted",
    "alarms",  # which alarms were told
    "control",
    "*.damaged",
    "*/*.damaged",
    "*.new",  # what a power cut has left half-written
    "*/*.new",
    *(f"{folder}/*" for folder in (RESTORE, STAGED, UNDO, UNDO_STAGED)),
)
"""Files that are in none; what is restored leaves them as they are. docs/backup.md says why."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9][A-Za-z0-9._-]{0,63})?")
_UNKNOWN_FILE: Final = 64
"""Names of files that are shown of those that are not known here."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a backup.

    Attributes:
        made: When it was made, in Unix seconds.
        version: That of OTP-Pi which made it.
        device: What the device was called.
        settings: The tables of the settings, also of plugins that are not installed; secrets are in them.
        files: The other files by their names.
        left_out: Files that were too large.
        unknown: Names of files that this version does not know, so that they are not restored.
    """

    made: float
    version: str
    device: str
    settings: Tables = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)
    left_out: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def own_version() -> str:
    """Return the version of OTP-Pi that runs here."""
    from importlib.metadata import PackageNotFoundError, version  # half a megabyte

    try:
        return version("otppi-core")
    except PackageNotFoundError:  # run from a tree that is not installed
        return "0"


def said_of(name: str) -> str:
    """Return what a file is, in words."""
    return next((said for one, said in KEPT.items() if _matches(name, (one,))), name)


def is_kept(name: str) -> bool:
    """Whether a file of the data folder is one that a backup holds."""
    return _matches(name, KEPT) and not _matches(name, LEFT)


def is_listed(name: str) -> bool:
    """Whether it is known of a file of the data folder that it is in a backup, or that it is not."""
    return _matches(name, KEPT) or _matches(name, LEFT)


def files_of(folder: Path) -> Iterator[str]:
    """Yield the names of all files of a data folder, also of those within its folders."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or path.is_file():
            yield path.relative_to(folder).as_posix()


def _held(folder: Path) -> Iterator[str]:
    """Yield the names of the files that a backup holds, but for the settings."""
    for name in files_of(folder):
        if is_kept(name) and name != SETTINGS and not (folder / name).is_symlink():
            yield name


def too_large(folder: Path) -> list[str]:
    """Return which of these are left out, since they are too large."""
    return [name for name in _held(folder) if name != "blocking-list" and (folder / name).stat().st_size > LARGEST_FILE]


def gathered(folder: Path, settings: Tables) -> Contents:
    """Read what a backup holds.

    Raises:
        OSError: A file cannot be read.
    """
    left_out, now = too_large(folder), time.time()
    files = {name: (folder / name).read_bytes() for name in _held(folder) if name not in left_out}
    files[LAST_BACKUP] = f"{now:.0f}\n".encode()
    return Contents(now, own_version(), socket.gethostname(), settings, files, tuple(left_out))


def written(contents: Contents) -> bytes:
    """Write a backup's content down as JSON in UTF-8; files are text where they are, else base64."""
    document = {
        "format": FORMAT,
        "made": round(contents.made),
        "version": contents.version,
        "device": contents.device,
        "settings": contents.settings,
        "files": {name: _as_json(raw) for name, raw in contents.files.items()},
        "left_out": list(contents.left_out),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def read(raw: bytes) -> Contents:
    """Read what `written` wrote; whoever made it knew the passphrase, and may have meant harm all the same.

    Raises:
        InvalidSettings: It is no backup's content, or of a newer format; `content` is named.
    """
    try:
        document = json.loads(raw)
        if document["format"] != FORMAT:
            reason = _("was made by a newer OTP-Pi ({version}): update this device", version=document["version"])
            raise InvalidSettings([FieldError("content", reason)])
        named = {str(name): _from_json(kept) for name, kept in document["files"].items()}
        known = {name: content for name, content in named.items() if _NAME.fullmatch(name) and is_kept(name)}
        return Contents(
            float(document["made"]),
            str(document["version"])[:32],
            str(document["device"])[:64],
            _tables(document["settings"]),
            known,
            tuple(str(one)[:64] for one in document["left_out"]),
            tuple(name[:64] for name in named if name not in known)[:_UNKNOWN_FILE],
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        reason = _("cannot be read, although the passphrase is right")
        raise InvalidSettings([FieldError("content", reason)]) from None


def _tables(found: Any) -> Tables:
    """Return tables of objects by number.

    Raises:
        TypeError, AttributeError: They are none.
    """
    tables: Tables = {}
    for name, table in found.items():
        rows = list(table.values())
        if not all(isinstance(one, dict) for one in rows):
            raise TypeError(name)
        tables[str(name)] = {str(number): row for number, row in enumerate(rows, 1)}
    if not tables:
        raise TypeError("there are no settings")
    return tables


def _matches(name: str, patterns: Iterable[str]) -> bool:
    depth = name.count("/")
    return any(
        fnmatchcase(name, one) and (one.count("/") == depth or one.startswith((RESTORE, UNDO))) for one in patterns
    )


def _as_json(raw: bytes) -> str | dict[str, str]:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode("ascii")}


def _from_json(kept: Any) -> bytes:
    if isinstance(kept, str):
        return kept.encode("utf-8", "strict")
    return base64.b64decode(kept["base64"], validate=True)
