"""Which plugins are installed: the entry points of one group, read from the metadata of installed distributions.

Not by importlib.metadata: importing it brings the parsers of e-mail, zip and CSV files along, which take 2 MB for as
long as the gateway runs, and 15 ms of the start of each command.

Format: the specifications "Recording installed projects" and "Entry points" of packaging.python.org.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

_METADATA = {".dist-info": "METADATA", ".egg-info": "PKG-INFO"}
"""Folders of metadata by their suffix, and the file in each that has the name and version."""
_ENTRY_POINTS = "entry_points.txt"


class Distributed(Protocol):
    """What a plugin was installed with."""

    @property
    def name(self) -> str:
        """Its name, as its author spells it."""

    @property
    def version(self) -> str:
        """Its version."""


class Found(Protocol):
    """One plugin that may be loaded; an `importlib.metadata.EntryPoint` is one, too."""

    @property
    def name(self) -> str:
        """The name of the entry point."""

    @property
    def dist(self) -> Distributed | None:
        """What it was installed with; None where that is not known."""

    def load(self) -> Any:
        """Import it. It may raise anything."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Name and version of an installed distribution."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """An entry point: a module, or an object in one (`package.module:object.attribute`)."""

    name: str
    value: str
    dist: Distribution

    def load(self) -> Any:
        """Import the module and return what is named. It may raise anything."""
        module, _, attributes = self.value.partition("[")[0].partition(":")
        names = filter(None, attributes.strip().split("."))
        return reduce(getattr, names, import_module(module.strip()))


def installed(group: str, path: Iterable[str] | None = None) -> list[InstalledPlugin]:
    """Return the entry points of a group by their names: a folder gives them in an order that varies.

    Args:
        group: The name of the group.
        path: Where distributions are looked for; `sys.path` where it is None. Of two with one name the first counts.
    """
    found: list[InstalledPlugin] = []
    seen: set[str] = set()
    for folder in _folders(sys.path if path is None else path):
        name = re.sub(r"[-_.]+", "-", folder.stem.partition("-")[0]).lower()
        if name not in seen:
            seen.add(name)
            found += _in(folder, group)
    return sorted(found, key=lambda one: one.name)


def _folders(path: Iterable[str]) -> Iterator[Path]:
    """Yield the folders of metadata on a path; what is no folder, or cannot be read, has none."""
    for place in path:
        try:
            entries = sorted(Path(place).iterdir())
        except OSError:
            continue
        yield from (entry for entry in entries if entry.suffix in _METADATA)


def _in(folder: Path, group: str) -> list[InstalledPlugin]:
    values = dict(_values(_text(folder / _ENTRY_POINTS), group))
    if not values:
        return []
    head = _text(folder / _METADATA[folder.suffix]).partition("\n\n")[0]
    fields = dict(re.findall(r"^(Name|Version):\s*(.*?)\s*$", head, re.MULTILINE))
    distribution = Distribution(fields.get("Name", folder.stem), fields.get("Version", ""))
    return [InstalledPlugin(name, value, distribution) for name, value in values.items()]


def _values(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Read the lines `name = value` of one group of an INI file."""
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section == group and "=" in line and line[0] not in "#;":
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()


def _text(file: Path) -> str:
    """Read a file; one that is not there, or cannot be read, has nothing in it."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
