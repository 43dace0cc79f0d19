"""The journal of a reset on the card: what is to be done, before anything is, and which of it is done."""

import json
import logging
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from otppi.host.reset.groups import ResetPlan
from otppi.kit.files import as_json, replace_whole, sync_folder

logger = logging.getLogger(__name__)

JOURNAL: Final = "reset.journal"
RESETS: Final = "resets"
_MOST_SEEN: Final = 64
"""Contents of sticks that are remembered, the newest."""


@dataclass(frozen=True, slots=True)
class BegunReset:
    """A reset that was begun, and may have been done in part.

    Attributes:
        at: When, in Unix seconds.
        by: Who: a name, and by what they came in.
        plan: What is done.
        contents: Of which sticks' contents it is; none where a person asked.
        done: Its steps that are done.
    """

    at: float
    by: tuple[str, str]
    plan: ResetPlan
    contents: tuple[str, ...] = ()
    done: tuple[str, ...] = ()

    @property
    def steps_left(self) -> tuple[str, ...]:
        """The steps that are not done yet, in their order."""
        return tuple(one for one in self.plan.steps if one not in self.done)


@dataclass(frozen=True, slots=True)
class PastResets:
    """What is remembered of resets that are over.

    Attributes:
        seen: Contents of sticks that were obeyed, oldest first.
        last: The last one: when, by whom and what; None where there was none.
    """

    seen: tuple[str, ...] = ()
    last: dict[str, Any] | None = field(default=None)


class ResetJournal:
    """The file, and what is remembered beside it. One thread at a time.

    Args:
        folder: The data folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / JOURNAL
        self._past = folder / RESETS

    def begin(self, begun: BegunReset) -> None:
        """Write down what is to be done: from this instant on it will be.

        Raises:
            OSError: The card takes nothing; nothing will be done.
        """
        replace_whole(self._path, _written(asdict(begun)))

    def read(self) -> BegunReset | None:
        """Return the reset that was begun, and is not over; None where there is none, or it is damaged and put aside.

        Raises:
            OSError: The card cannot be read.
        """
        try:
            told = _read(self._path.read_bytes())
            name, origin = told["by"]
            return BegunReset(
                float(told["at"]),
                (str(name), str(origin)),
                _plan_of(told["plan"]),
                tuple(map(str, told["contents"])),
                tuple(map(str, told["done"])),
            )
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            aside = self._path.with_suffix(".damaged")
            self._path.replace(aside)
            logger.error("the journal of a reset is damaged, and nothing of it is done: it is %s now", aside.name)  # noqa: TRY400
            return None

    def carry_out(self, begun: BegunReset, step: str, do: Callable[[], None]) -> BegunReset:
        """Do a step, and write down that it is done.

        Raises:
            OSError: It, or that, could not be; it is to be done again.
        """
        do()
        marked = replace(begun, done=(*begun.done, step))
        replace_whole(self._path, _written(asdict(marked)))
        return marked

    def end(self, begun: BegunReset) -> None:
        """Remember what was done, and forget that it was to be.

        Raises:
            OSError: The card takes nothing.
        """
        past = self.past()
        seen = [*(one for one in past.seen if one not in begun.contents), *begun.contents]
        name, origin = begun.by
        last = {"at": begun.at, "by": name, "from": origin, "groups": list(begun.plan.groups), "wipe": begun.plan.wipe}
        replace_whole(self._past, _written({"seen": seen[-_MOST_SEEN:], "last": last}))
        self._path.unlink()
        sync_folder(self._folder)

    def past(self) -> PastResets:
        """Return what is remembered; nothing where it is damaged, which is told."""
        try:
            told = _read(self._past.read_bytes())
            return PastResets(tuple(map(str, told["seen"])), dict(told["last"]))
        except FileNotFoundError:
            return PastResets()
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            logger.error("what is remembered of resets cannot be read: a stick that was obeyed may be once more")  # noqa: TRY400
            return PastResets()


def _plan_of(told: Mapping[str, Any]) -> ResetPlan:
    groups, sections, files = (tuple(map(str, told[key])) for key in ("groups", "sections", "files"))
    return ResetPlan(groups, sections, files, bool(told["network"]), bool(told["wipe"]))


def _written(told: object) -> bytes:
    content = as_json(told)
    return b"%08x %b\n" % (zlib.crc32(content), content)


def _read(line: bytes) -> dict[str, Any]:
    """Return what a file says.

    Raises:
        ValueError, TypeError: It is damaged.
    """
    check, _space, content = line.rstrip(b"\n").partition(b" ")
    if int(check, 16) != zlib.crc32(content):
        raise ValueError("the check sum is wrong")
    told = json.loads(content)
    if not isinstance(told, dict):
        raise TypeError("no object")
    return told
