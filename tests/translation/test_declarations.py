"""What the declarations of our plugins say to a person is a text; a plugin of somebody else need not know of texts."""

import importlib.metadata
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from otppi.api.modem import ModemType
from otppi.api.operations import Operation
from otppi.api.settings import Section, Setting
from otppi.host.core import load_plugins
from otppi.simulator import FAULTS
from otppi.text import Text
from otppi.text.languages import translated

OLD_PLUGIN = """
from otppi.api import hookimpl
from otppi.api.settings import Section, integer


@hookimpl
def otppi_sections():
    own = integer("level", "Level", "How much {of it}, 100 %.", 1, unit="cups")
    return [Section(key="plain", title="Plain title", help="Plain help.", settings=(own,), reset_group="sms")]
"""


def declared() -> Iterator[tuple[str, Setting]]:
    """Yield each setting of the core and of all plugins, the columns of rows, and the arguments of operations."""
    plugins = load_plugins()
    for section in plugins.sections:
        yield from with_columns(section.key, section.settings)
    for key, modem_type in plugins.modem_types.items():
        yield from with_columns(key, modem_type.settings)
    for operation in operations():
        yield from with_columns(operation.name, operation.parameters)


def with_columns(owner: str, settings: Iterable[Setting]) -> Iterator[tuple[str, Setting]]:
    for one in settings:
        yield f"{owner}.{one.key}", one
        yield from with_columns(f"{owner}.{one.key}", one.columns)


def operations() -> Iterable[Operation]:
    return load_plugins().operations.values()


def plain_words(one: Setting) -> list[str]:
    return [said for said in (one.title, one.help, one.unit) if said and not isinstance(said, Text)]


def test_titles_helps_and_units_of_settings_are_texts() -> None:
    found = dict(declared())
    assert len(found) > 300
    assert not [name for name, one in found.items() if plain_words(one)]


def test_titles_and_helps_of_kinds_groups_and_operations_are_texts() -> None:
    plugins = load_plugins()
    groups = [group for section in plugins.sections for group in section.groups]
    kinds: list[ModemType | Section | Operation] = [*plugins.modem_types.values(), *plugins.sections, *operations()]
    assert not [group.key for group in groups if not isinstance(group.title, Text)]
    assert not [repr(one)[:80] for one in kinds if not (isinstance(one.title, Text) and isinstance(one.help, Text))]


def test_every_fault_of_a_simulated_modem_is_a_text() -> None:
    assert not [name for name, fault in FAULTS.items() if not isinstance(fault.summary, Text)]
    assert translated(FAULTS["puk-required"].summary, "id") == "kartu SIM meminta PUK"


def test_they_are_said_in_indonesian() -> None:
    sections = {one.key: one for one in load_plugins().sections}
    assert translated(sections["internet"].title, "id") == "Internet seluler"
    assert translated(sections["ingress-rest"]["http_port"].title, "id") == "Port HTTP"


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Section]:
    """Load a plugin that says everything in plain strings, as those of earlier versions do."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "plugin_without_texts.py").write_text(OLD_PLUGIN)
    plugins = load_plugins([importlib.metadata.EntryPoint("plain", "plugin_without_texts", "otppi")])
    assert [one.error for one in plugins.status] == [None]
    yield next(one for one in plugins.sections if one.key == "plain")
    sys.modules.pop("plugin_without_texts", None)


def test_plain_strings_are_valid_and_shown_as_they_stand(plain: Section) -> None:
    level = plain["level"]
    said = translated([plain.title, plain.help, level.title, level.help, level.unit], "id")
    assert said == ["Plain title", "Plain help.", "Level", "How much {of it}, 100 %.", "cups"]
