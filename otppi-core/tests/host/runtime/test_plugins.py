"""Each plugin loads in its own guard."""

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.host.core import CORE_OPERATIONS, CORE_SECTIONS, ROOMS, Room, load_plugins
from otppi.host.modems.settings import MODEMS
from otppi.host.runtime.plugins import KINDS, OPERATIONS, PAGES, SECTIONS, Plugins, PluginState

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
    section = Section(key="{key}", title="An ingress", help="For tests.", settings=(), reset_group="test")
    return [IngressType(section=section, create=print, enabled=bool)]
"""
OWN_SECTION = """
from otppi.api import hookimpl
from otppi.api.settings import Section

@hookimpl
def otppi_sections():
    return [Section(key="{key}", title="Of the plugin", help="For tests.", settings=(), reset_group="test")]
"""
MAIL = """
from otppi.api import hookimpl
from otppi.api.mail import MailType

@hookimpl
def otppi_mail_types():
    return [MailType(key="{key}", title="An account", help="For tests.", create=print)]
"""
SERVICE = """
from otppi.api import hookimpl
from otppi.api.services import Service, ServiceType

@hookimpl
def otppi_services():
    return [ServiceType(key="{key}", title="A service", help="For tests.", create=lambda context: Service())]
"""
WRITER = """
from otppi.api import hookimpl
from otppi.api.settings import Section
from otppi.api.trials import WriterType

@hookimpl
def otppi_{kind}_writers():
    section = Section(key="{key}", title="A part", help="For tests.", settings=(), reset_group="test")
    return [WriterType(section=section, create=print)]
"""
PAGE = """
from otppi.api import hookimpl
from otppi.api.operations import Operation
from otppi.api.pages import Page

@hookimpl
def otppi_admin_pages():
    top_up = Operation(name="page_top_up", title="Top up", help="Top up.", handler=print)
    return [Page(key="{key}", title="A page", blocks=lambda context: [], operations=(top_up,))]
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
    "hook gives a number": (GOOD.replace("return [", "return 7; ["), "TypeError"),
    "hook gives a class": (GOOD.replace("return [", "return [ModemType, "), "TypeError"),
    "hook is a generator that fails": (GOOD.replace("return [", "yield 1 / 0; return ["), "ZeroDivisionError"),
    "hook calls itself": (GOOD.replace("return [", "return otppi_modem_types(); ["), "RecursionError"),
    "key is no text": (GOOD.replace('"{key}"', "7"), "TypeError"),
    "no section": (SECTION.replace("section=section", "section=None").replace("{key}", "none"), "AttributeError"),
    "one of its hooks raises": (GOOD + SECTION.replace("section =", "1 / 0; section ="), "ZeroDivisionError"),
    "own section of the core": (OWN_SECTION.replace("{key}", "sms"), "ValueError"),
    "own section of another plugin": (OWN_SECTION.replace("{key}", "first-section"), "ValueError"),
    "section that its ingress has": (
        OWN_SECTION.replace("{key}", "twice") + SECTION.replace("{key}", "twice"),
        "ValueError",
    ),
    "key is used": (GOOD.replace("{key}", "first"), "ValueError"),
    "key is used by itself": (GOOD.replace("]\n", "] * 2\n"), "ValueError"),
    "declares a common setting": (GOOD.replace("{settings}", "text('port', 'Port', 'Again.'),"), "ValueError"),
    "section of the core": (SECTION.replace("{key}", "api_users"), "ValueError"),
    "page of the core": (PAGE.replace("{key}", "plugin-list"), "ValueError: 'plugin-list' is registered already"),
    "page with the name of one of ours": (
        PAGE.replace("{key}", "monitor"),
        "ValueError: page 'monitor' has the name of a page of the administration",
    ),
    "page with the name of a section": (
        PAGE.replace("{key}", "sms"),
        "ValueError: page 'sms' has the key of a section",
    ),
    "page with the name of its own section": (
        OWN_SECTION.replace("{key}", "both") + PAGE.replace("{key}", "both"),
        "ValueError: page 'both' has the key of a section",
    ),
    "page that is no name": (PAGE.replace("{key}", "../etc"), "ValueError: page '../etc' is not named by"),
    "page twice": (PAGE.replace("{key}", "twice").replace("]\n", "] * 2\n"), "ValueError: 'twice' is registered"),
    "page without a title": (
        PAGE.replace('title="A page"', 'title=""').replace("{key}", "x"),
        "ValueError: page 'x' needs a title",
    ),
    "page whose blocks are no function": (
        PAGE.replace("lambda context: []", "[]").replace("{key}", "x"),
        "TypeError: page 'x': blocks and tile are functions",
    ),
    "page with an operation of the core": (
        PAGE.replace('"page_top_up"', '"send"').replace("{key}", "x"),
        "ValueError: 'send' is registered already",
    ),
    "page with an operation that is none": (
        PAGE.replace("(top_up,)", "('top_up',)").replace("{key}", "x"),
        "TypeError: page 'x': its operations are",
    ),
    "page with other things": (PAGE.replace("return [", "return ['text', ").replace("{key}", "x"), "TypeError"),
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


def test_a_plugin_brings_a_type_of_mail_accounts(modules: Path) -> None:
    plugins = load_plugins([entry_point(modules, "letters", MAIL)])
    assert plugins.mail_types["letters"].title == "An account"
    twice = load_plugins([entry_point(modules, "first", MAIL, "same"), entry_point(modules, "second", MAIL, "same")])
    assert [one.error is None for one in twice.status] == [True, False]
    assert list(twice.mail_types) == ["same"]


def test_a_plugin_brings_a_service(modules: Path) -> None:
    plugins = load_plugins([entry_point(modules, "lamp", SERVICE)])
    assert plugins.service_types["lamp"].title == "A service"
    assert plugins.status[0].offers == ("service lamp",)
    twice = load_plugins([entry_point(modules, "one", SERVICE, "same"), entry_point(modules, "two", SERVICE, "same")])
    assert [one.error is None for one in twice.status] == [True, False]
    assert list(twice.service_types) == ["same"]


def test_all_parts_of_the_network_are_used_and_one_firewall(modules: Path) -> None:
    network, firewall = WRITER.replace("{kind}", "network"), WRITER.replace("{kind}", "firewall")
    plugins = load_plugins(
        [
            entry_point(modules, "wire", network),
            entry_point(modules, "wall", firewall),
            entry_point(modules, "radio", network),
            entry_point(modules, "fence", firewall),
        ]
    )
    assert [one.error for one in plugins.status] == [None] * 4
    assert sorted(plugins.writer_types) == ["radio", "wall", "wire"]


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_shown_and_the_others_load(
    modules: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    source, error = BROKEN[kind]
    plugins = load_plugins(
        [
            entry_point(modules, "first", GOOD + OWN_SECTION.replace("{key}", "first-section")),
            entry_point(modules, kind, source),
            entry_point(modules, "last", GOOD),
            entry_point(modules, "way", SECTION),
        ]
    )
    assert list(plugins.modem_types) == ["first", "last"]
    assert list(plugins.ingress_types) == ["way"]
    assert [one.key for one in plugins.sections[len(CORE_SECTIONS) :]] == ["first-section", "way"]
    assert [one.error is None for one in plugins.status] == [True, False, True, True]
    assert (plugins.status[1].error or "").startswith(error)
    assert f"plugin {kind} is left out" in caplog.text


def test_a_plugin_brings_a_page_and_its_operations_with_it(modules: Path) -> None:
    plugins = load_plugins([entry_point(modules, "stock", PAGE, "sim-stock")])
    assert (plugins.status[0].error, plugins.status[0].offers) == (
        None,
        ("operation page_top_up", "page sim-stock"),
    )
    assert plugins.pages["sim-stock"].title == "A page"
    assert plugins.operations["page_top_up"].command == "sim-stock page-top-up"
    section = entry_point(modules, "section", OWN_SECTION, "sim-stock")
    clash = load_plugins([entry_point(modules, "stock", PAGE, "sim-stock"), section])
    assert clash.status[1].error == "ValueError: section 'sim-stock' has the key of a page"


def test_a_plugin_that_is_switched_off_is_not_even_imported(modules: Path) -> None:
    found = [entry_point(modules, "on", GOOD), entry_point(modules, "off", "1 / 0")]
    plugins = load_plugins(found, off=["off"])
    assert [(one.name, one.state, one.error) for one in plugins.status] == [
        ("on", PluginState.LOADED, None),
        ("off", PluginState.OFF, None),
    ]
    assert "plugin_off" not in sys.modules


def test_two_entry_points_of_one_name_leave_the_first_one(modules: Path) -> None:
    plugins = load_plugins([entry_point(modules, "first", GOOD), entry_point(modules, "first", GOOD)])
    assert [one.error is None for one in plugins.status] == [True, False]
    assert list(plugins.modem_types) == ["first"]


def test_installed_plugins_are_loaded_in_the_order_of_their_names() -> None:
    names = [one.name for one in load_plugins().status]
    assert names == sorted(names)


def test_a_types_own_settings_join_the_common_ones(modules: Path) -> None:
    source = GOOD.replace("{settings}", "text('colour', 'Colour', 'Of the case.'),")
    plugins = load_plugins([entry_point(modules, "first", source)])
    section = MODEMS.extended(plugins.modem_types["first"])
    assert [setting.key for setting in section.settings][-1] == "colour"
    assert section["port"].key == "port"


def test_what_is_installed_loads() -> None:
    plugins = load_plugins()
    assert [one.error for one in plugins.status] == [None] * len(plugins.status)
    for one in plugins.status:
        assert one.version == importlib.metadata.version(one.distribution)


def test_it_is_told_what_each_offers_by_the_table_of_kinds(modules: Path) -> None:
    source = GOOD + SECTION.replace("{key}", "ingress-x") + OWN_SECTION.replace("{key}", "x-section")
    plugins = load_plugins([entry_point(modules, "x", source), entry_point(modules, "bad", "1 / 0")])
    assert [one.offers for one in plugins.status] == [("section x-section", "modem type x", "ingress ingress-x"), ()]


def test_every_plugin_that_is_installed_offers_something_of_a_kind() -> None:
    for one in load_plugins().status:
        assert one.offers, one.name
        assert all(any(offer.startswith(f"{kind.name} ") for kind in KINDS) for offer in one.offers)


def test_safe_mode_loads_the_rooms_and_no_plugin() -> None:
    plugins = load_plugins(safe_mode=True)
    assert {one.state for one in plugins.status} == {PluginState.SAFE_MODE}
    assert [one.name for one in plugins.status] == [one.name for one in load_plugins().status]
    of_rooms = (SECTIONS, OPERATIONS, PAGES)
    assert [kind.name for kind in KINDS if kind not in of_rooms and plugins.of_kind(kind)] == []
    assert list(plugins.pages.values()) == [page for room in ROOMS.values() for page in room.pages]
    assert list(plugins.operations.values()) == list(CORE_OPERATIONS)
    assert list(plugins.of_kind(SECTIONS)) == [section.key for section in CORE_SECTIONS]


def test_rooms_register_by_the_hooks_of_plugins_and_two_cannot_have_one_section() -> None:
    assert list(Plugins((), ROOMS).of_kind(SECTIONS).values()) == list(CORE_SECTIONS)
    with pytest.raises(ValueError, match="registered already"):
        Plugins((), {**ROOMS, "another": Room(CORE_SECTIONS[:1])})


def test_the_types_of_a_typed_section_are_those_of_its_kind(modules: Path) -> None:
    source = GOOD.replace("{settings}", "text('colour', 'Colour', 'Of the case.'),")
    plugins = load_plugins([entry_point(modules, "first", source)])
    (modems,) = [section for section in plugins.sections if section.key == "modems"]
    assert modems.of_type("first")["colour"].title == "Colour"
    for section in plugins.sections:
        assert (section.types is not None) == (section.typed_by is not None), section.key


def test_a_plugin_that_takes_the_name_of_an_operation_of_the_gateway_is_left_out(modules: Path) -> None:
    source = """
from otppi.api import hookimpl
from otppi.api.operations import Operation

@hookimpl
def otppi_operations():
    return [Operation(name="send", title="Send", help="Send.", handler=print)]
"""
    plugins = load_plugins([entry_point(modules, "first", source)])
    assert (plugins.status[0].error or "").startswith("ValueError: ")
    assert list(plugins.operations.values()) == list(CORE_OPERATIONS)
