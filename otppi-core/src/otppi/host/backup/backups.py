"""The backups of one device: made, opened and compared, and a restore made ready. What they need is loaded then."""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from otppi.api.errors import InvalidSettings, NotDone
from otppi.host.administrators.claim import Claim
from otppi.host.administrators.page import ADMINISTRATION
from otppi.host.administrators.settings import ADMINISTRATORS, may_administer
from otppi.host.audit.trail import AuditTrail
from otppi.host.backup import staging
from otppi.host.backup.staging import SETTINGS, Change
from otppi.host.settings import renames, revisions
from otppi.host.settings.config import Config
from otppi.host.storage.store import Store, Tables, content_of, tables_of
from otppi.kit.files import replace_whole
from otppi.text import _
from otppi.wire.errors import FieldError

if TYPE_CHECKING:
    from otppi.host.backup.contents import Contents

_LAST: Final = "last-backup"
_MOST_OPEN: Final = 3
_OPEN_FOR: Final = 900.0
"""Seconds for which a backup that was opened may be restored."""
_USAGE_KEY: Final = "usage/key"
_GO_WITH_THE_STATE: Final = ("blocking-list", "encryption-keys.json", "first-steps")
"""Files that are removed where a backup has none: there was nothing of it then."""

Progress = Callable[[str, float | None], None]


@dataclass(frozen=True, slots=True)
class _Opened:
    contents: "Contents"
    until: float
    by_claim: bool


class Backups:
    """Any thread; a restore is made ready by one at a time.

    Args:
        folder: The data folder.
        store: What is kept of the settings.
        config: The settings.
        audit: The audit trail.
        claim: Whether the device has an administrator.
    """

    def __init__(self, folder: Path, store: Store, config: Config, audit: AuditTrail, claim: Claim) -> None:
        self._folder = folder
        self._store = store
        self._config = config
        self._audit = audit
        self._claim = claim
        self._lock = threading.Lock()
        self._opened: OrderedDict[str, _Opened] = OrderedDict()

    # -- making one ---------------------------------------------------------------------------------------------------

    def make(self, passphrase: str) -> "tuple[bytes, Contents]":
        """Make a backup, and open it again before it is given away.

        Raises:
            InvalidSettings: It would be too large.
            NotDone: What was sealed cannot be opened again.
            OSError: Something of it cannot be read.
        """
        from otppi.host.backup.container import seal, unsealed
        from otppi.host.backup.contents import gathered, written

        self._audit.flush()
        contents = gathered(self._folder, self._store.tables())
        plain = written(contents)
        container = seal(plain, passphrase)
        if unsealed(container, passphrase) != plain:
            raise NotDone(_("the backup that was made cannot be opened again: nothing was given away"))
        replace_whole(self._folder / _LAST, contents.files[_LAST])
        return container, contents

    def too_large(self) -> list[str]:
        """Return the files of the data folder that a backup leaves out, since they are too large."""
        from otppi.host.backup.contents import too_large

        return too_large(self._folder)

    def outside(self) -> list[str]:
        """Return the files that settings name and no backup has, each after its setting."""
        from otppi.host.backup.comparison import files_named

        return [f"{setting}: {file}" for setting, file in files_named(self._config, self._store.tables())]

    @property
    def last_made(self) -> float | None:
        """When the last one was made, in Unix seconds; None where none was, or that is not known."""
        try:
            return float((self._folder / _LAST).read_text("ascii"))
        except (OSError, ValueError):
            return None

    @property
    def undo_since(self) -> float | None:
        """When the last restore was, in Unix seconds, where the state before it is kept."""
        return staging.undo_made(self._folder)

    # -- looking at one -----------------------------------------------------------------------------------------------

    def compare(self, contents: "Contents") -> dict[str, Any]:
        """Return what a restore would change here.

        Raises:
            InvalidSettings: Nobody could log in after it.
        """
        from otppi.host.backup import comparison
        from otppi.host.backup.contents import own_version

        self._check_administrators(contents.settings)
        here = self._here(contents)
        return {
            "made": round(contents.made),
            "version": contents.version,
            "device": contents.device,
            "sections": comparison.of_settings(self._config, contents.settings),
            "files": comparison.of_files(here, contents),
            "unknown": comparison.unknown(self._config, contents),
            "warnings": self._warnings(contents, own_version()),
        }

    def hold(self, contents: "Contents", *, by_claim: bool) -> str:
        """Keep an opened backup in RAM until it is restored, or too long; return the name by which it is found."""
        name, now = secrets.token_urlsafe(12), time.monotonic()
        with self._lock:
            self._forget(now)
            while len(self._opened) >= _MOST_OPEN:
                self._opened.popitem(last=False)
            self._opened[name] = _Opened(contents, now + _OPEN_FOR, by_claim)
        return name

    def held(self, name: str, *, by_claim: bool) -> "Contents":
        """Return an opened backup.

        Raises:
            InvalidSettings: There is none of this name, or not any more.
        """
        with self._lock:
            self._forget(time.monotonic())
            found = self._opened.get(name)
        if found is None or found.by_claim is not by_claim:
            raise InvalidSettings([FieldError("check", _("is forgotten: open the backup once more"))])
        return found.contents

    def tidy(self) -> None:
        """Forget the opened backups that waited too long: all secrets are in them, in clear."""
        with self._lock:
            self._forget(time.monotonic())

    def _forget(self, now: float) -> None:
        for name in [name for name, one in self._opened.items() if one.until < now]:
            del self._opened[name]

    # -- restoring one ------------------------------------------------------------------------------------------------

    def restore(self, contents: "Contents", progress: Progress, address: str | None = None) -> None:
        """Make a restore ready, all or nothing; the gateway's next start puts it in its place.

        Args:
            contents: Of the backup.
            progress: Is told of each step.
            address: From where somebody claims the device by this; None where it is not that.

        Raises:
            InvalidSettings: Nobody could log in after it.
            Cancelled: It was called off; nothing has changed.
            OSError: The card takes nothing; nothing has changed.
        """
        from otppi.host.backup.comparison import validated

        self._check_administrators(contents.settings)
        for section in self._config.sections.values():
            progress(section.title, None)
            validated(section, contents.settings)  # what cannot be used was told, and something safe stands for it then
        files = {name: raw for name, raw in contents.files.items() if not name.startswith("audit/")}
        settings = contents.settings
        if self._is_same_device(contents):  # its counters have gone on since
            files = {name: raw for name, raw in files.items() if not name.startswith("usage/")}
            settings = self._with_names_of_before(settings)
        files[SETTINGS] = content_of(self._renumbered(settings))
        if address is not None:
            files["claimed"] = self._claim.mark_of(address)
        gone = {name for name in _GO_WITH_THE_STATE if name not in files and (self._folder / name).exists()}
        if _USAGE_KEY in files:
            old = (one.relative_to(self._folder).as_posix() for one in self._folder.glob("usage/receivers-*"))
            gone |= {name for name in old if name not in files}
        audit = b"\n".join(raw for name, raw in contents.files.items() if name.startswith("audit/"))
        undo = any(may_administer(one) for one in self._config.many(ADMINISTRATORS))
        self._stage(Change(files, frozenset(gone), audit, undo=undo), progress)

    def undo(self, progress: Progress) -> None:
        """Make the state before the last restore ready to come back.

        Raises:
            NotDone: There is none.
            Cancelled, OSError: As of `restore`.
        """
        change = staging.undo_of(self._folder)
        if change is None:
            raise NotDone(_("no restore is there to be undone"))
        if not any(name.startswith("usage/") for name in (*change.files, *change.gone)):
            with suppress(KeyError, ValueError):  # what is damaged comes back as it was
                settings = self._with_names_of_before(tables_of(change.files[SETTINGS]))
                change = replace(change, files={**change.files, SETTINGS: content_of(settings)})
        self._stage(change, progress)

    def _stage(self, change: Change, progress: Progress) -> None:
        from otppi.host.backup.contents import said_of

        def tell(name: str, number: int, count: int) -> None:
            progress(said_of(name), number / count)

        staging.stage(self._folder, change, tell)

    # -- what is looked at --------------------------------------------------------------------------------------------

    def _check_administrators(self, tables: Tables) -> None:
        from otppi.host.backup.comparison import validated

        found, _problems = validated(ADMINISTRATORS, tables)
        if not any(may_administer(one) for one in found):  # type: ignore[arg-type]  # validated: of this section's type
            reason = _("has no administrator who could log in: nothing was changed")
            raise InvalidSettings([FieldError("content", reason)])

    def _here(self, contents: "Contents") -> "dict[str, bytes]":
        from otppi.host.backup.contents import gathered

        found = dict(gathered(self._folder, {}).files)
        if self._is_same_device(contents):
            found |= {name: raw for name, raw in contents.files.items() if name.startswith("usage/")}
        return found

    def _is_same_device(self, contents: "Contents") -> bool:
        """Whether a backup's counters are those of this device, at an earlier time: they have the same key."""
        try:
            return (self._folder / _USAGE_KEY).read_bytes() == contents.files.get(_USAGE_KEY)
        except OSError:
            return False

    def _renumbered(self, tables: Tables) -> Tables:
        """Give the settings a revision that was never there: who edits those of before or after is told so."""
        rows = list(tables.get(revisions.TABLE, {}).values())
        kept = rows[0].get("number") if rows else 0
        number = max(self._config.revision, kept if isinstance(kept, int) else 0) + 1
        sections = dict.fromkeys((*self._config.sections, *tables), number)
        own: Tables = {revisions.TABLE: {"1": {"number": number, "sections": sections}}}
        return {renames.TABLE: {}, **tables, **own}

    def _with_names_of_before(self, tables: Tables) -> Tables:
        """Have the counters, which stay, follow to the names that these settings have."""
        known = renames.back_to(tables.get(renames.TABLE, {}).values(), renames.Renames(self._store).known)
        return {**tables, renames.TABLE: {str(number): row for number, row in enumerate(renames.rows(known), 1)}}

    def _warnings(self, contents: "Contents", own_version: str) -> list[str]:
        from otppi.host.backup.comparison import files_named, validated

        found: list[str] = []
        if _numbers(contents.version) > _numbers(own_version):
            found.append(
                _(
                    "it was made by OTP-Pi {version}, and this is {own}: what is new there is not used here",
                    version=contents.version,
                    own=own_version,
                )
            )
        will, _problems = validated(ADMINISTRATION, contents.settings)
        was = self._config.one(ADMINISTRATION)
        if isinstance(will, dict) and not will["enable"]:
            found.append(_("the pages are switched off after it: they are switched on on the device"))
        elif isinstance(will, dict) and (will["port"], will["bind_address"]) != (was["port"], was["bind_address"]):
            found.append(_("the pages are at port {port} after it", port=str(will["port"])))
        found += [
            _(
                "{setting}: {file} is no part of a backup, and is not on this device: put it there",
                setting=name,
                file=file,
            )
            for name, file in files_named(self._config, contents.settings)
            if not Path(file).exists()
        ]
        return found


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
