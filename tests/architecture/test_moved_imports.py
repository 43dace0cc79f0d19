"""A plugin that was written for 0.1 as of commit 7aef8c7 runs when its imports are changed by the table of the docs."""

import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.api.modem import ModemType
from otppi.host.core import load_plugins
from otppi.host.runtime.plugins import Plugins
from otppi.simulator import ModemProfile
from otppi.simulator.vendors import WAVECOM_Q2406, ZTE_MF190
from otppi.testing.modem_type import works_with_the_peer

ROOT = Path(__file__).parents[2]
OLD_PLUGIN = Path(__file__).with_name("plugin_of_0_1.txt")
"""The module of otppi-modem-zte as it was in that commit."""


def moves() -> dict[str, str]:
    """Read the table of the docs."""
    _, _, part = (ROOT / "docs/plugins.md").read_text().partition("### Imports that moved")
    return dict(re.findall(r"^\| `(otppi[\w.]+)` \| `(otppi[\w.]+)` \|$", part, re.MULTILINE))


def changed(source: str) -> str:
    """Change the imports of a module as the table says, and nothing else."""
    for old, new in moves().items():
        source = re.sub(rf"^(from|import) {re.escape(old)}( |$)", rf"\1 {new}\2", source, flags=re.MULTILINE)
    return source


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("plugin_of_then", None)


def loaded(folder: Path, source: str) -> Plugins:
    (folder / "plugin_of_then.py").write_text(source)
    return load_plugins([importlib.metadata.EntryPoint("then", "plugin_of_then", "otppi")])


def there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its package is not there either
        return False


def test_what_the_table_says_is_so() -> None:
    assert len(moves()) > 40
    assert [old for old in moves() if there(old)] == []
    assert [new for new in moves().values() if not there(new)] == []


def test_without_the_changes_it_is_left_out_and_shown(modules: Path) -> None:
    (status,) = loaded(modules, OLD_PLUGIN.read_text()).status
    assert (status.error or "").startswith("ModuleNotFoundError: No module named 'otppi.kit.at_modem'")


def test_only_lines_that_import_change() -> None:
    old, new = OLD_PLUGIN.read_text().splitlines(), changed(OLD_PLUGIN.read_text()).splitlines()
    differing = [one for one, other in zip(old, new, strict=True) if one != other]
    assert len(differing) == 4
    assert all(one.startswith("from otppi.kit.") for one in differing)


@pytest.mark.parametrize(
    ("key", "profile", "baud_rate"), [("zte", ZTE_MF190, 115_200), ("wavecom", WAVECOM_Q2406, 9600)]
)
def test_with_them_its_modems_send(
    modules: Path, tmp_path: Path, key: str, profile: ModemProfile, baud_rate: int
) -> None:
    plugins = loaded(modules, changed(OLD_PLUGIN.read_text()))
    (status,) = plugins.status
    assert (status.error, status.offers) == (None, ("modem type zte", "modem type wavecom"))
    modem_type: ModemType = plugins.modem_types[key]
    works_with_the_peer(modem_type, profile, tmp_path, baud_rate=baud_rate)
