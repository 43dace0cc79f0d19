"""The names of time zones: those of Indonesia, which any device knows, and those of its tables (zoneinfo)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

INDONESIAN: Final[Mapping[str, str]] = {
    "Asia/Jakarta": "WIB-7",
    "Asia/Pontianak": "WIB-7",
    "Asia/Makassar": "WITA-8",
    "Asia/Jayapura": "WIT-9",
}
"""The zones of Indonesia as POSIX writes them (IEEE 1003.1, 8.3), which need no table on the device."""
TABLES: Final = Path("/usr/share/zoneinfo")
_LONGEST: Final = 64
"""Characters: the longest name of the tables has half as many, and a file's has an end."""
_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")


def zones(tables: Path = TABLES) -> list[str]:
    """Return the names of all zones that this device knows, those of Indonesia first."""
    try:
        lines = (tables / "zone.tab").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    named = sorted({row[2] for row in rows if len(row) > 2} - INDONESIAN.keys())
    return [*INDONESIAN, *named]


def is_zone(name: str, tables: Path = TABLES) -> bool:
    """Whether this is the name of a zone that this device knows."""
    if name in INDONESIAN:
        return True
    return len(name) <= _LONGEST and _NAME.fullmatch(name) is not None and (tables / name).is_file()
