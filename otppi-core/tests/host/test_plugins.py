"""Each plugin loads in its own guard."""

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.host.runtime.plugins import Plugins, section_of_modem

GOOD = """
from otppi.api import hookimpl
from otppi.api.modem import ModemType
from otppi.api.settings import text

@hookimpl
def otppi_modem_types():
    return [ModemType(key="{key}", title="A modem", help="For tests.", create=print, settings=({settings}))]
"""
SECTION = """
from otppi.api import hookimpl
from otppi.api.ingress import IngressType
from otppi.api.settings import Section

@hookimpl
def otppi_ingress_types():
    section = Section(key="{key}", title="A way in", help="For tests.", settings=(), reset_group="test")
    return [IngressType(section=section, create=print, enabled=bool)]
"""
BROKEN = {
    "missing import": ("import a_module_that_is_nowhere", "ModuleNotFoundError"),
    "syntax": ("def (:", "SyntaxError"),
    "exits": ("import sys; sys.exit(3)", "SystemExit"),
    "raises": ("1 / 0", "ZeroDivisionError"),
    "hook raises": (GOOD.replace("return [", "1 / 0\n    return ["), "ZeroDivisionError"),
    "hook exits": (GOOD.replace("return [", "raise SystemExit\n    return ["), "SystemExit"),
    "hook is unknown": (GOOD.replace("otppi_modem_types", "otppi_modem_typos"), "PluginValidationError"),
    "hook wants too much": (GOOD.replace("types()", "types(registry)"), "PluginValidationError"),
    "hook gives nothing": (GOOD.replace("return [", "["), "TypeError"),
    "hook gives other things": (GOOD.replace("return [", "return ['text', "), "TypeError"),
    "key is used": (GOOD.replace("{key}", "first"), "ValueError"),
    "key is used by itself": (GOOD.replace("]\n", "] * 2\n"), "ValueError"),
    "declares a common setting": (GOOD.replace("{settings}", "text('port', 'Port', 'Again.'),"), "ValueError"),
    "section of the core": (SECTION.replace("{key}", "api_users"), "ValueError"),
    "section that is no name": (SECTION.replace("{key}", "../etc"), "ValueError"),
}


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def entry_point(folder: Path, name: str, source: str, key: str = "") -> importlib.metadata.EntryPoint:
    module = f"plugin_{name.replace(' ', '_')}"
    settings = "" if "{settings}" in source else ","
    (folder / f"{module}.py").write_text(
        source.replace("{key}", key or name).replace("{settings}", settings.strip(","))
    )
    return importlib.metadata.EntryPoint(name, module, "otppi")


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_shown_and_the_others_load(
    modules: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    source, error = BROKEN[kind]
    plugins = Plugins(
        [
            entry_point(modules, "first", GOOD),
            entry_point(modules, kind, source),
            entry_point(modules, "last", GOOD),
            entry_point(modules, "way", SECTION),
        ]
    )
    assert list(plugins.modem_types) == ["first", "last"]
    assert list(plugins.ingress_types) == ["way"]
    assert [one.error is None for one in plugins.status] == [True, False, True, True]
    assert (plugins.status[1].error or "").startswith(error)
    assert f"plugin {kind} is left out" in caplog.text


def test_two_entry_points_of_one_name_leave_the_first_one(modules: Path) -> None:
    plugins = Plugins([entry_point(modules, "first", GOOD), entry_point(modules, "first", GOOD)])
    assert [one.error is None for one in plugins.status] == [True, False]
    assert list(plugins.modem_types) == ["first"]


def test_installed_plugins_are_loaded_in_the_order_of_their_names() -> None:
    names = [one.name for one in Plugins().status]
    assert names == sorted(names)


def test_a_types_own_settings_join_the_common_ones(modules: Path) -> None:
    source = GOOD.replace("{settings}", "text('colour', 'Colour', 'Of the case.'),")
    plugins = Plugins([entry_point(modules, "first", source)])
    section = section_of_modem(plugins.modem_types["first"])
    assert [setting.key for setting in section.settings][-1] == "colour"
    assert section["port"].key == "port"


def test_what_is_installed_loads() -> None:
    plugins = Plugins()
    assert [one.error for one in plugins.status] == [None] * len(plugins.status)
    for one in plugins.status:
        assert one.version == importlib.metadata.version(one.distribution)


def test_safe_mode_loads_none() -> None:
    assert Plugins(()).status == []
