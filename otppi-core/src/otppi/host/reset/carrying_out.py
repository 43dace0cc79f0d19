"""What a reset does on the card: before anything of the data folder is read, so that nothing holds what goes."""

import logging
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Final

from otppi.host.reset.groups import LEFT_BY_WIPE, ResetPlan
from otppi.host.reset.journal import BegunReset, ResetJournal
from otppi.host.storage.store import Store
from otppi.kit.files import sync_folder
from otppi.text import Text, _

logger = logging.getLogger(__name__)

SETTINGS: Final = "settings.json"
ON_THE_CARD: Final = ("section:", "files:", "wipe")
"""What the steps begin with that are done here; the others need the system, and a gateway that runs."""


class Resets:
    """The resets of a data folder: begun, carried out on the card at the next start, ended by the service.

    `complete` is called by who opens the folder, before anything of it is read; all else by one thread at a time, but
    for `begun` and `warnings`.

    Args:
        folder: The data folder.
        in_ram: The folder on a RAM disk that belongs to it.
    """

    def __init__(self, folder: Path, in_ram: Path) -> None:
        self.journal = ResetJournal(folder)
        self.begun: BegunReset | None = None
        self._folder = folder
        self._in_ram = in_ram
        self._waits: Text | str = ""

    def begin(self, plan: ResetPlan, by: tuple[str, str], at: float, content: str = "") -> None:
        """Write down that this is done from the next start on; what an earlier one has left to be done, is, too.

        Args:
            plan: What.
            by: In whose name: a name, and by what they came in.
            at: When, in Unix seconds.
            content: Which stick's content asks for it.

        Raises:
            OSError: The card takes nothing; nothing will be done.
        """
        contents = (content,) if content else ()
        if self.begun is not None:
            plan, contents = together(self.begun.plan, plan), (*self.begun.contents, *contents)
        begun = BegunReset(at, by, plan, contents)
        self.journal.begin(begun)
        self.begun = begun

    def complete(self) -> None:
        """Do what is to be done on the card of a reset that was begun; where the card takes nothing, it waits.

        Raises:
            StoreDamaged: The settings are damaged beyond their copy, and so not to be changed.
        """
        try:
            begun = self.begun = self.journal.read()
            for step in () if begun is None else begun.steps_left:
                if step.startswith(ON_THE_CARD):
                    assert self.begun is not None  # noqa: S101 - as `begun`
                    self.begun = self.journal.carry_out(self.begun, step, partial(self._carry_out_step, step))
                    logger.warning("reset: %s", step)
        except OSError as error:
            self._waits = _("a reset waits, for the card takes nothing: {reason}", reason=error.strerror)
            logger.error("%s", self._waits)  # noqa: TRY400 - it says all

    def emptied(self, section: str) -> bool:
        """Whether a section of settings has just lost what was set: it has again what the image brings."""
        return self.begun is not None and (self.begun.plan.wipe or section in self.begun.plan.sections)

    def warnings(self) -> list[str]:
        """Return what people should know."""
        return [self._waits] if self._waits else []

    def carry_out(self, step: str, do: Callable[[], None]) -> None:
        """Do a step of the reset that was begun, and write down that it is done; raise what `do` raises, or OSError."""
        assert self.begun is not None  # noqa: S101 - a programming error
        self.begun = self.journal.carry_out(self.begun, step, do)

    def end(self) -> BegunReset:
        """Tell that all is done of the reset that was begun; return it.

        Raises:
            OSError: The card takes nothing: it is ended once more at the next start.
        """
        begun = self.begun
        assert begun is not None  # noqa: S101 - a programming error
        self.journal.end(begun)
        self.begun = None
        return begun

    def _carry_out_step(self, step: str) -> None:
        kind, _colon, what = step.partition(":")
        if kind == "section":
            self._forget_section(what)
        elif kind == "files":
            _remove(self._folder, lambda name: fnmatchcase(name, what))
        else:
            _remove(self._folder, lambda name: name not in LEFT_BY_WIPE)
            _remove(self._in_ram, lambda _name: True)

    def _forget_section(self, key: str) -> None:
        """Remove what is kept of a section, its secrets with it, from the settings and from their copy."""
        store = Store(self._folder / SETTINGS)
        try:
            if store.read(key) is not None:
                store.write({key: None})
        finally:
            store.close()


def together(one: ResetPlan, other: ResetPlan) -> ResetPlan:
    """Return a plan that does what two do."""
    return ResetPlan(
        tuple(dict.fromkeys((*one.groups, *other.groups))),
        tuple(dict.fromkeys((*one.sections, *other.sections))),
        tuple(dict.fromkeys((*one.files, *other.files))),
        one.network or other.network,
        one.wipe or other.wipe,
    )


def _remove(folder: Path, which: Callable[[str], bool]) -> None:
    """Remove files, and the folders that are empty then; no link is followed."""
    for path in _deepest_first(folder):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif which(path.relative_to(folder).as_posix()):
            path.unlink()
    if folder.is_dir():
        sync_folder(folder)


def _deepest_first(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.rglob("*"), reverse=True))
