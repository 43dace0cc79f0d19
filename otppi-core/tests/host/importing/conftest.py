import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.parts import registry_of
from otppi.host.runtime.plugins import Plugins
from otppi.host.runtime.registry import COMMAND_LINE


class Import:
    """A data folder, and the operations by which a configuration is looked at and taken over."""

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self.registry = registry_of(folder)

    def look(self, files: Mapping[str, Any], **how: Any) -> dict[str, Any]:
        """Look at files; what is no text is written as JSON."""
        told: dict[str, Any] = self._call("import_look", files, how)
        return told

    def take(self, files: Mapping[str, Any], **how: Any) -> dict[str, Any]:
        """Take files over."""
        told: dict[str, Any] = self._call("import_take", files, how)
        return told

    def take_from(self, revision: int, files: Mapping[str, Any]) -> dict[str, Any]:
        """Take files over as who saw the settings at a revision."""
        told: dict[str, Any] = self._call("import_take", files, {}, revision)
        return told

    def _call(
        self, operation: str, files: Mapping[str, Any], how: Mapping[str, Any], revision: int | None = None
    ) -> Any:
        texts = {name: one if isinstance(one, str) else json.dumps(one) for name, one in files.items()}
        return self.registry.call(operation, {"files": texts, **how}, COMMAND_LINE, revision=revision)

    def set(self, document: Mapping[str, Any]) -> None:
        """Change the settings."""
        self.registry.call("settings_import", {"document": document}, COMMAND_LINE)

    def one(self, section: str) -> Mapping[str, Any]:
        """Return the values of a section."""
        return self.folder.config.one(section)

    def many(self, section: str) -> dict[str, Mapping[str, Any]]:
        """Return the objects of a section by their names."""
        identity = str(self.folder.config.sections[section].identity)
        return {one[identity]: one for one in self.folder.config.many(section)}

    @staticmethod
    def row(told: Mapping[str, Any], key: str, place: str = "") -> Any:
        """Return the only row of a key; of a place, where the key becomes several settings."""
        found = [one for one in told["rows"] if one["key"] == key and one["place"].endswith(place)]
        assert len(found) == 1, [one["key"] for one in told["rows"]]
        return found[0]


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    """All plugins: what there is to be set is declared by them, and no test changes that."""
    return load_plugins()


@pytest.fixture
def ours(tmp_path: Path, plugins: Plugins) -> Iterator[Import]:
    """A data folder of a new gateway."""
    folder = DataFolder(tmp_path / "data", plugins=plugins)
    yield Import(folder)
    folder.close()
