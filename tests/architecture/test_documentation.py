"""What is declared is documented: hooks, settings, faults of the modem peer; and what documents name is there."""

import re
from pathlib import Path

import pytest

from otppi.api import hookspecs
from otppi.cli.declarations import reference
from otppi.host.core import load_plugins
from otppi.host.runtime.plugins import KINDS
from otppi.simulator import FAULTS
from tests.architecture.documents import DOCUMENTS, ROOT, anchors, name_of, without_code

TESTS = [
    one for folder in ("otppi-core/tests", "plugins/*/tests", "tests") for one in ROOT.glob(f"{folder}/**/test_*.py")
]
WITHOUT_PLUGIN = {"otppi_mail_types", "otppi_services"}
"""No plugin of this repository sends e-mail yet, or has a service: plugins of the tests use these hooks."""
HOOKS = [name for name in dir(hookspecs) if name.startswith("otppi_")]


def test_the_reference_of_settings_is_that_of_the_declarations() -> None:
    """If this fails: .venv/bin/otppi settings reference > docs/settings.md."""
    assert (ROOT / "docs/settings.md").read_text() == reference() + "\n"


def test_the_reference_has_every_section() -> None:
    missing = [one.key for one in load_plugins().sections if f"## `{one.key}`: " not in reference()]
    assert missing == []


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_and_used_by_a_plugin(hook: str) -> None:
    assert f"`{hook}`" in (ROOT / "docs/plugins.md").read_text()
    docstring = getattr(hookspecs, hook).__doc__
    assert "When:" in docstring
    assert "Raising:" in docstring
    plugins = (*ROOT.glob("plugins/*/src/*/plugin.py"), ROOT / "otppi-core/src/otppi/host/core.py")
    users = TESTS if hook in WITHOUT_PLUGIN else plugins
    assert [path for path in users if f"def {hook}(" in path.read_text()]


def test_every_hook_has_its_kind_and_every_kind_its_hook() -> None:
    assert sorted(kind.hook for kind in KINDS) == HOOKS
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_every_built_in_plugin_loads() -> None:
    assert [one.error for one in load_plugins().status] == [None] * len(list(ROOT.glob("plugins/*/")))


def test_every_fault_of_the_modem_peer_is_in_the_table() -> None:
    table = (ROOT / "docs/modems.md").read_text()
    assert [name for name in FAULTS if f"`{name}`" not in table] == []
    named = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", table)) - {"otppi-core"}
    assert named <= set(FAULTS)


@pytest.mark.parametrize("row", range(1, 34))
def test_every_row_of_real_modems_names_a_test_that_exists(row: int) -> None:
    (line,) = re.findall(rf"^\| {row} \|.*$", (ROOT / "docs/modems.md").read_text(), re.MULTILINE)
    *_, does, faults, tests = line.removesuffix("|").split(" | ")
    assert all(one.strip() for one in (does, faults))
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", tests)
    assert named
    for file, function in named:
        (path,) = [one for one in TESTS if one.name == file]
        assert f"\ndef {function}(" in path.read_text(), f"{file}::{function}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    for target, _, anchor in re.findall(r"\]\(([^)#]*)(#([^)]*))?\)", without_code(document.read_text())):
        if target.startswith(("http://", "https://")):
            continue
        there = document.parent / target if target else document
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text()), f"{target}#{anchor}"
