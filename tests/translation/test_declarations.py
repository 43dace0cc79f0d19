"""What the declarations of our plugins say to a person is a text; a plugin of somebody else need not know of texts."""

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.api.modem import ModemType
from otppi.api.settings import Section, Setting
from otppi.host.core import load_plugins
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


def plugin_settings() -> Iterator[tuple[str, Setting]]:
    plugins = load_plugins()
    for section in plugins.sections:
        if section.key.startswith(("ingress-", "internet")):
            yield from ((f"{section.key}.{setting.key}", setting) for setting in section.settings)
    for key, modem_type in plugins.modem_types.items():
        yield from ((f"{key}.{setting.key}", setting) for setting in modem_type.settings)


def test_titles_and_helps_of_plugins_settings_are_texts() -> None:
    declared = dict(plugin_settings())
    assert len(declared) > 100
    plain = [name for name, one in declared.items() if not (isinstance(one.title, Text) and isinstance(one.help, Text))]
    assert not plain


def test_titles_and_helps_of_kinds_are_texts() -> None:
    plugins = load_plugins()
    kinds: list[ModemType | Section] = [*plugins.modem_types.values(), *plugins.sections]
    assert not [one.key for one in kinds if not (isinstance(one.title, Text) and isinstance(one.help, Text))]


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
