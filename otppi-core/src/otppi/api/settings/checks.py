"""Checks that take more than one setting: what they are given, and how they are run."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from otppi.api.settings.kinds import Suggest
from otppi.wire.errors import FieldError

logger = logging.getLogger(__name__)


class Document(Protocol):
    """All settings as they will be: what a check across sections reads."""

    def object(self, section: str) -> Mapping[str, Any]:
        """Return the values of a section that is one object; empty where there is no such section."""
        ...

    def objects(self, section: str) -> Sequence[Mapping[str, Any]]:
        """Return the objects of a section that is a list; none where there is no such section."""
        ...

    def known(self, suggest: Suggest) -> Collection[str]:
        """Return what the gateway knows of a kind, such as its ingresses."""
        ...


Check = Callable[[Any], Iterable[FieldError]]
"""Given the values of one object, a mapping (or its TypedDict); yields problems whose field is a key of it."""
ItemsCheck = Callable[[Sequence[Any]], Iterable[FieldError]]
"""Given the objects of a list, each a mapping; yields problems whose field is such as ``[2].port``."""
ChangesCheck = Callable[[tuple[Sequence[Any], Sequence[Any]]], Iterable[FieldError]]
"""Given the objects of a list as they are and as they are to be; yields problems whose field is such as ``[2].port``,
or empty for the list itself."""
DocumentCheck = Callable[[Document], Iterable[FieldError]]
"""Given all settings; yields problems whose field begins with a section's key."""


class NotSoundError(Exception):
    """A check read a value that is not valid, which has been told already."""


class Sound(dict[str, Any]):
    """Values of which some are not valid: who reads one of those ends, and says nothing that follows from it."""

    def __init__(self, values: Mapping[str, Any], faulty: Collection[str]) -> None:
        super().__init__(values)
        self._faulty = frozenset(faulty)

    def __getitem__(self, key: str) -> Any:
        if key in self._faulty:
            raise NotSoundError(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Read a value that may not be there."""
        try:
            return self[key]
        except KeyError:
            return default


def run_check(name: str, check: Callable[[Any], Iterable[FieldError]], given: object) -> list[FieldError]:
    """Run a check, which may be a stranger's: one that fails by a mistake of its own refuses nothing, and is logged."""
    found: list[FieldError] = []
    try:
        found.extend(check(given))
    except NotSoundError:
        pass
    except Exception:
        logger.exception("a check of section %s failed", name)
    return found
