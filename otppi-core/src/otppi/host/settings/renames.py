"""Which objects of lists were renamed: kept beside the settings, for those who keep something by a name."""

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from otppi.host.storage.store import Lists

TABLE = "renames"
MOST = 32
"""So many changes of names are remembered: whoever keeps something by a name looks at the next start at the latest."""


@dataclass(frozen=True, slots=True)
class Rename:
    """One change of the settings that gave objects of a list other names, all of them at once.

    Attributes:
        id: Tells it from all others.
        at: When it was made, in Unix seconds.
        section: The key of the list.
        names: The new name of each that was renamed, by the one that it had.
    """

    id: str
    at: float
    section: str
    names: Mapping[str, str]


class Renames:
    """The newest of them, oldest first. One thread at a time, as `Config`.

    They are written with the settings that they are of, as one file: neither is there without the other after a crash.
    """

    def __init__(self, store: Lists) -> None:
        rows = store.read(TABLE) or []
        self.known = [one for row in rows if (one := _read(row)) is not None]

    def after(self, renamed: Mapping[str, Mapping[str, str]]) -> list[Rename]:
        """Return what is to be kept when names change; `renamed` has those of each section."""
        now = time.time()
        new = [Rename(secrets.token_hex(8), now, section, dict(names)) for section, names in renamed.items() if names]
        return [*self.known, *new][-MOST:]

    def adopt(self, known: list[Rename]) -> None:
        """Go on from what `after` returned."""
        self.known = known


def back_to(kept: Iterable[Mapping[str, Any]], here: Iterable[Rename]) -> list[Rename]:
    """Return what is to be known once settings of before are back, where what others keep by a name has not gone back.

    All that was renamed since then is renamed back, the newest first.

    Args:
        kept: What the settings that come back know, as `rows` gives it.
        here: What the settings know that they replace.
    """
    known = [one for row in kept if (one := _read(row)) is not None]
    ids, now = {one.id for one in known}, time.time()
    since = [one for one in here if one.id not in ids]
    back = [
        Rename(secrets.token_hex(8), now, one.section, {name: was for was, name in one.names.items()})
        for one in reversed(since)
    ]
    # Who has not followed what was since, as no gateway ran, does so first: names may have been exchanged.
    return [*known, *since, *back][-MOST:]


def rows(renames: list[Rename]) -> list[dict[str, Any]]:
    """Return what the store keeps of them."""
    return [asdict(one) for one in renames]


def _read(row: Mapping[str, Any]) -> Rename | None:
    """Read one that is kept; None where it is none, such as one that somebody edited."""
    names = row.get("names")
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        return None
    try:
        return Rename(str(row["id"]), float(row["at"]), str(row["section"]), names)
    except (KeyError, TypeError, ValueError):
        return None
