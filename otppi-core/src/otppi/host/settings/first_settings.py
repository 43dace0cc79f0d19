"""The settings that a device comes with: taken where there never were any, and no reason not to start where wrong."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from otppi.api.errors import InvalidSettings
from otppi.api.settings import Section
from otppi.host.settings.config import REVISION, Config
from otppi.host.settings.revisions import ChangedMeanwhile
from otppi.host.storage.store import Store
from otppi.kit.files import as_json, replace_whole, sync_folder
from otppi.text import Text, _, joined, labelled
from otppi.wire.errors import FieldError

logger = logging.getLogger(__name__)

Sections = Mapping[str, Any]

_REFUSED: Final = "first-settings.refused"
_LARGEST: Final = 1024 * 1024
"""Octets of a document: a thousand modems are less."""
_MOST: Final = 8
"""So many faults of a document are told as a warning; the log has all."""


@dataclass(frozen=True, slots=True)
class RefusedSettings:
    """Why a document was not taken.

    Attributes:
        file: Its path.
        revision: That of the settings when it was refused.
        sections: Those that it was to set, as far as they are known: once one of them is set, this is over.
        problems: The fields that are wrong, and why; no values.
    """

    file: str
    revision: int
    sections: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]

    @property
    def told(self) -> Text:
        """What people are told of it."""
        told: list[str] = [labelled(field, reason) for field, reason in self.problems[:_MOST]]
        if len(self.problems) > _MOST:
            told.append(_("and {count} more", count=len(self.problems) - _MOST))
        return _(
            "the settings that came with the card ({file}) were not taken: {problems}",
            file=self.file,
            problems=joined("; ", told),
        )


def _never(_section: str) -> bool:
    """Return that none was."""
    return False


class FirstSettings:
    """One thread at a time, as `Config`, but for `warnings`.

    They are taken before anything else is set, in one write: a power cut leaves none of them, or all. What was refused
    is noted in a file, since the device may be switched off before anybody looks, and the document may be gone then.

    Args:
        folder: The data folder.
        store: Where the settings are kept.
        config: The settings.
        emptied: Whether a reset has just emptied a section: it has again what the image brings.
    """

    def __init__(self, folder: Path, store: Store, config: Config, emptied: Callable[[str], bool] = _never) -> None:
        self._folder = folder
        self._store = store
        self._config = config
        self._emptied = emptied
        self._path = folder / _REFUSED
        self._refused = self._read()

    def adopt(self, files: Sequence[Path]) -> None:
        """Take documents where the data folder has never had settings; later ones are laid over those before them.

        Each is taken as a whole or not at all. A file that is not there is passed over. One that lies in the data
        folder is removed once it was taken or refused, as there may be secrets in it.
        """
        came = [path for path in files if path.is_symlink() or path.exists()]
        if not came:
            return
        if not self._store.is_new:
            for path in self._own(came):
                logger.warning("%s is removed: this device has settings already", path)
                _remove(path)
            self._adopt_anew([path for path in came if path not in self._own(came)])
            return
        read: list[object] = [_read(path) for path in came]
        whole, problems = laid_over(self._config, read)
        kept = self._config.provision(whole) if whole else True
        for path, found in zip(came, problems, strict=True):
            if not found:
                logger.info("the settings that came with the card were taken: %s", path)
            for one in found:
                logger.error("%s was not taken: %s: %s", path, _whole(one.noted or one.field), _whole(one.reason))
        self._note(self._refusals(came, read, problems))
        if kept:  # else they are wanted once more at the next start
            for path in self._own(came):
                _remove(path)

    def _adopt_anew(self, files: Sequence[Path]) -> None:
        """Take of the image's documents the sections that were reset; the others are set, and stay."""
        if not any(map(self._emptied, self._config.sections)):
            return
        whole, problems = laid_over(self._config, [_read(path) for path in files])
        for path, found in zip(files, problems, strict=True):
            for one in found:
                about = _whole(one.noted or one.field)
                logger.error("%s was not taken after a reset: %s: %s", path, about, _whole(one.reason))
        wanted = {key: values for key, values in whole.items() if self._emptied(key)}
        if wanted:
            self._config.provision(wanted)

    def warnings(self) -> list[str]:
        """Return what people should know."""
        return [one.told for one in self._refused if self._counts(one)]

    def tidy(self) -> None:
        """Forget what was refused, and has been set meanwhile."""
        if self._refused and not any(map(self._counts, self._refused)):
            self._note([])

    # -- what was refused ----------------------------------------------------------------------------------------------

    def _refusals(
        self, files: Sequence[Path], read: Sequence[object], problems: Sequence[Sequence[FieldError]]
    ) -> list[RefusedSettings]:
        return [
            RefusedSettings(
                str(path),
                self._config.revision,
                self._sections(document),
                tuple((_whole(one.field), _whole(one.reason)) for one in found),
            )
            for path, document, found in zip(files, read, problems, strict=True)
            if found
        ]

    def _sections(self, document: object) -> tuple[str, ...]:
        """Return by which sections it is seen that somebody has set what a document was to set.

        That an administrator is made, as is done first of all, shows nothing of the others.
        """
        try:
            named = set(self._config.sections_of(document))
        except InvalidSettings:
            named = set()
        declared = self._config.sections
        return tuple(
            [key for key in declared if key in named and not declared[key].own_operations]
            or [key for key in declared if key in named]
            or [key for key, one in declared.items() if not one.own_operations]
        )

    def _counts(self, refusal: RefusedSettings) -> bool:
        """Whether nobody has set any of it since then."""
        try:
            self._config.check_revision(refusal.revision, refusal.sections)
        except ChangedMeanwhile:
            return False
        return True

    def _note(self, refused: list[RefusedSettings]) -> None:
        if refused == self._refused:
            return
        self._refused = refused
        try:
            if refused:
                replace_whole(self._path, as_json([asdict(one) for one in refused]))
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            logger.error("%s cannot be written: %s", self._path, error.strerror)  # noqa: TRY400 - that says it all

    def _read(self) -> list[RefusedSettings]:
        try:
            kept = json.loads(self._path.read_bytes())
            return [
                RefusedSettings(
                    str(one["file"]),
                    int(one["revision"]),
                    tuple(map(str, one["sections"])),
                    tuple((str(field), str(reason)) for field, reason in one["problems"]),
                )
                for one in kept
            ]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, LookupError, RecursionError):
            logger.warning("%s cannot be read", self._path)
            return []

    def _own(self, files: Sequence[Path]) -> list[Path]:
        """Return those that lie in the data folder, by whatever path they are named."""
        folder = self._folder.resolve()
        return [path for path in files if path.parent.resolve() == folder]


def laid_over(config: Config, documents: Sequence[object]) -> tuple[Sections, list[list[FieldError]]]:
    """Lay documents over one another; return what they are together, and what is wrong with each.

    One that is wrong is left out. Of a section that is one object each document sets the settings that it names; a list
    takes the place of the one before.

    Args:
        config: Of a device that has no settings.
        documents: Of sections, in their order; an `InvalidSettings` in place of one that could not be read.
    """
    whole: Sections = {}
    problems: list[list[FieldError]] = []
    for document in documents:
        try:
            if isinstance(document, InvalidSettings):
                raise document
            together = _over(config, whole, config.sections_of(document))
            config.check(together)
        except InvalidSettings as error:
            problems.append(list(error.problems))
        else:
            whole = together
            problems.append([])
    return whole, problems


def _over(config: Config, below: Sections, above: Sections) -> Sections:
    laid = dict(below)
    for key, raw in above.items():
        if key == REVISION:  # of a device that the document was exported from
            continue
        section = config.sections.get(key)
        mixed = section is not None and section.identity is None and isinstance(raw, Mapping)
        laid[key] = _values_over(section, laid.get(key, {}), raw) if section is not None and mixed else raw
    return laid


def _values_over(section: Section, below: Sections, above: Sections) -> Sections:
    """Lay settings over others, by whichever of their names they are called."""
    names = {alias: one.key for one in section.settings for alias in one.aliases}
    given = {names.get(key, key): value for key, value in above.items()}
    if len(given) < len(above):  # one of them is given twice, which the check tells
        return above
    return {**below, **given}


def _read(path: Path) -> object:
    """Read a document; return why it cannot be read where that is so."""
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            return _unreadable(_("is longer than {most} octets", most=_LARGEST))
        return json.loads(raw)
    except OSError as error:
        return _unreadable(_("cannot be read: {reason}", reason=error.strerror))
    except json.JSONDecodeError as error:
        return _unreadable(_("is not JSON (line {line}, column {column})", line=error.lineno, column=error.colno))
    except UnicodeDecodeError as error:
        return _unreadable(_("is not UTF-8 (octet {at})", at=error.start))
    except RecursionError:
        return _unreadable(_("is nested too deeply"))
    except ValueError:  # of int, for more digits than it reads (sys.set_int_max_str_digits)
        return _unreadable(_("has a number of too many digits"))


def _whole(text: str) -> str:
    r"""Return a text that may be written: a name in JSON may hold half of a surrogate pair (`"\ud800"`)."""
    return text.encode(errors="replace").decode()


def _unreadable(reason: str) -> InvalidSettings:
    return InvalidSettings([FieldError("document", reason)])


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        logger.error("%s cannot be removed, and may hold secrets: %s", path, error.strerror)  # noqa: TRY400
