"""Plugins that are switched off and on: what cannot work is refused, and the next start obeys."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder, plugins_off
from otppi.host.parts import registry_of
from otppi.host.runtime.plugins import PluginState
from otppi.host.runtime.registry import COMMAND_LINE

Call = Callable[..., Any]
SETTINGS = "settings.json"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Call]]:
    """Return a function that opens the data folder as a start does, and returns how operations are called on it."""
    folders: list[DataFolder] = []

    def start(**more: Any) -> Call:
        while folders:
            folders.pop().close()
        folders.append(DataFolder(tmp_path / "data", plugins=load_plugins(off=plugins_off(tmp_path / "data"), **more)))
        registry = registry_of(folders[-1])
        return lambda operation, /, **arguments: registry.call(operation, arguments, COMMAND_LINE)

    yield start
    for one in folders:
        one.close()


def states(call: Call) -> dict[str, PluginState]:
    return {one["name"]: one["state"] for one in call("plugins")}


def refusal(call: Call, operation: str, /, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(InvalidSettings) as refused:
        call(operation, **arguments)
    (problem,) = refused.value.problems
    return problem.field, problem.reason


def test_the_next_start_does_without_it_and_the_one_after_that_has_it_again(
    opened: Callable[..., Call], tmp_path: Path
) -> None:
    call = opened()
    assert call("plugin_off", name="modem-zte") == "modem-zte is not loaded from the next start on."
    assert states(call)["modem-zte"] is PluginState.LOADED
    assert plugins_off(tmp_path / "data") == {"modem-zte"}
    call = opened()
    assert states(call)["modem-zte"] is PluginState.OFF
    assert states(call)["modem-at"] is PluginState.LOADED
    call("plugin_off", name="modem-zte")
    assert call("settings_show")["plugins"] == {"off": ["modem-zte"]}
    call("plugin_on", name="modem-zte")
    assert states(opened())["modem-zte"] is PluginState.LOADED


def test_what_cannot_work_is_refused(opened: Callable[..., Call], tmp_path: Path) -> None:
    call = opened()
    field, reason = refusal(call, "plugin_off", name="modem-typo")
    assert (field, reason.startswith("there is no such plugin; there are clock-systemd, ")) == ("name", True)
    assert refusal(call, "plugin_on", name="modem-typo") == ("name", "there is no such plugin")
    call("settings_add", section="modems", values={"name": "m7", "type": "simulated"})
    assert refusal(call, "plugin_off", name="modem-simulated") == ("name", "modem-simulated is needed by m7")
    direct = refusal(call, "settings_put", path="plugins", values={"off": ["modem-simulated"]})
    assert direct == ("plugins.off[0]", "modem-simulated is needed by m7")
    assert plugins_off(tmp_path / "data") == set()


def test_in_safe_mode_any_can_be_switched_off(opened: Callable[..., Call], tmp_path: Path) -> None:
    opened()("settings_add", section="modems", values={"name": "m7", "type": "simulated"})
    call = opened(safe_mode=True)
    assert set(states(call).values()) == {PluginState.SAFE_MODE}
    call("plugin_off", name="modem-simulated")
    assert plugins_off(tmp_path / "data") == {"modem-simulated"}
    assert states(opened())["modem-simulated"] is PluginState.OFF


@pytest.mark.parametrize("content", ["", "{", '{"plugins": {"1": {"off": 7}}}', '{"plugins": {"1": {"off": [7]}}}'])
def test_where_the_settings_cannot_be_read_all_are_loaded(tmp_path: Path, content: str) -> None:
    assert plugins_off(tmp_path / "nothing") == set()
    (tmp_path / SETTINGS).write_text(content)
    assert plugins_off(tmp_path) == set()
