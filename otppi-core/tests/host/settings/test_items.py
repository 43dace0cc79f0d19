"""One object of a list is added, changed, renamed or removed; the others stay, and problems name it by its name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.host.settings.changes import SettingsChanges
from otppi.host.settings.revisions import ChangedMeanwhile


@pytest.fixture
def changes(data: DataFolder) -> SettingsChanges:
    """The changes of a folder with two modems."""
    changes = SettingsChanges(data.config)
    changes.update({"modems": [modem("m0", sim_card_pin="1234", rate_per_minute=5), modem("m1", sim_card_pin="5678")]})
    return changes


def modem(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "scripted", **more}


def shown(changes: SettingsChanges, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(one[key] for key in keys) for one in changes.config.many("modems")]


def refused(change: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(InvalidSettings) as caught:
        change()
    return {problem.field: problem.reason for problem in caught.value.problems}


def test_what_is_left_out_of_a_change_stays(changes: SettingsChanges) -> None:
    assert changes.put_item("modems", "m0", {"rate_per_minute": 7, "sim_card_pin": "********"}) == ["modems"]
    assert shown(changes, "name", "rate_per_minute", "sim_card_pin") == [("m0", 7, "1234"), ("m1", 0, "5678")]
    assert changes.put_item("modems", "m0", {"rate_per_minute": 7}) == []


def test_the_gateway_uses_what_was_changed(data: DataFolder) -> None:
    used: list[list[str]] = []
    changes = SettingsChanges(data.config, lambda keys: used.append(list(keys)))
    changes.add_item("modems", modem("m0"))
    changes.put_item("modems", "m0", {"active": False})
    changes.remove_item("modems", "m0")
    assert used == [["modems"]] * 3


def test_an_object_is_added_with_defaults_at_the_end(changes: SettingsChanges) -> None:
    changes.add_item("modems", modem("m2"))
    assert shown(changes, "name", "active", "sim_card_pin")[2:] == [("m2", True, "")]
    wrong = refused(lambda: changes.add_item("modems", modem("m2", rate_per_minute=-1)))
    assert list(wrong) == ["modems[3].rate_per_minute", "modems[3].name"]


def test_a_renamed_object_keeps_its_secrets_and_counters_and_what_it_does_not_name(changes: SettingsChanges) -> None:
    changes.put_item("modems", "m0", {"name": "front"})
    assert shown(changes, "name", "rate_per_minute", "sim_card_pin")[0] == ("front", 5, "1234")
    changes.put_item("modems", "front", {"name": "back", "rate_per_minute": 6})
    assert shown(changes, "name", "rate_per_minute", "sim_card_pin")[0] == ("back", 6, "1234")
    renames = changes.config.renames("modems")  # which the counters follow
    assert [dict(one.names) for one in renames] == [{"m0": "front"}, {"front": "back"}]
    assert refused(lambda: changes.put_item("modems", "back", {"name": "m1"})) == {"modems.m1.name": "is used twice"}


def test_a_removed_object_takes_its_secrets_along(changes: SettingsChanges) -> None:
    changes.remove_item("modems", "m0")
    changes.add_item("modems", modem("m0"))
    assert shown(changes, "name", "sim_card_pin") == [("m1", "5678"), ("m0", "")]


def test_every_problem_is_told_at_once_by_the_name(changes: SettingsChanges) -> None:
    wrong = {"rate_per_minute": "many", "active": 3, "colour": "red"}
    found = refused(lambda: changes.put_item("modems", "m1", wrong))
    assert found.keys() == {"modems.m1.rate_per_minute", "modems.m1.active", "modems.m1.colour"}
    assert refused(lambda: changes.put_item("modems", "m0", {"name": 5})) == {"modems.m0.name": "must be text"}
    assert shown(changes, "name", "rate_per_minute") == [("m0", 5), ("m1", 0)]


@pytest.mark.parametrize("former", ["m0", "m1", "m7", 5])
def test_a_former_name_is_no_value_of_an_object(changes: SettingsChanges, former: object) -> None:
    """Else the secrets of the object that has this name would move to another one."""
    told = {"renamed_from": former}
    own, new = "modems.m0.renamed_from", "modems[2].renamed_from"
    assert refused(lambda: changes.put_item("modems", "m0", told)) == {own: "is not a setting"}
    assert refused(lambda: changes.put_item("modems", "m0", {"name": "m8", **told})) == {own: "is not a setting"}
    assert refused(lambda: changes.add_item("modems", modem("m2", **told))) == {new: "is not a setting"}
    found = refused(lambda: changes.put_item("modems", "m0", {"active": 3, **told}))
    assert found.keys() == {own, "modems.m0.active"}
    assert shown(changes, "name", "sim_card_pin") == [("m0", "1234"), ("m1", "5678")]


def test_a_setting_may_go_by_its_other_name(changes: SettingsChanges) -> None:
    changes.add_item("api_users", {"username": "shop", "password": "secret", "phone": "1"})
    changes.put_item("api_users", "shop", {"phone_number": "2"})
    (user,) = changes.config.many("api_users")
    assert user["phone"] == "2"
    assert user["password_hash"]


def test_an_object_of_another_type_leaves_the_settings_of_the_old_one_behind(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "real", plugins=load_plugins())
    try:
        changes = SettingsChanges(folder.config)
        changes.add_item("modems", {"name": "m0", "type": "simulated", "network_time": 1.5, "rate_per_minute": 5})
        changes.put_item("modems", "m0", {"type": "at", "port": "/dev/ttyUSB2"})
        (kept,) = folder.config.many("modems")
        assert (kept["rate_per_minute"], "network_time" in kept) == (5, False)
        assert refused(lambda: changes.put_item("modems", "m0", {"network_time": 2.0})).keys() == {
            "modems.m0.network_time"
        }
    finally:
        folder.close()


@pytest.mark.parametrize(
    ("section", "field", "reason"),
    [
        ("sms", "sms", "is not a list; there are "),
        ("nothing", "nothing", "is not a list; there are "),
        ("modems", "modems.m7", "there is no name 'm7'"),
    ],
)
def test_what_is_not_there(changes: SettingsChanges, section: str, field: str, reason: str) -> None:
    for change in (
        lambda: changes.put_item(section, "m7", {}),
        lambda: changes.put_item(section, "m7", {"name": "m8"}),
        lambda: changes.remove_item(section, "m7"),
    ):
        found = refused(change)
        assert list(found) == [field]
        assert found[field].startswith(reason)


def test_what_somebody_else_changed_meanwhile_stays(changes: SettingsChanges) -> None:
    seen = changes.config.revision
    changes.put_item("modems", "m1", {"rate_per_minute": 9}, seen)
    late: list[Callable[[], object]] = [
        lambda: changes.put_item("modems", "m0", {"rate_per_minute": 8}, seen),
        lambda: changes.put_item("modems", "m0", {"name": "m8"}, seen),
        lambda: changes.remove_item("modems", "m0", seen),
        lambda: changes.add_item("modems", modem("m8"), seen),
    ]
    for change in late:
        with pytest.raises(ChangedMeanwhile):
            change()
    assert shown(changes, "name", "rate_per_minute") == [("m0", 5), ("m1", 9)]


# -- as operations -----------------------------------------------------------------------------------------------------


def test_the_operations_and_what_the_audit_is_told(data: DataFolder, changes: SettingsChanges) -> None:
    registry = registry_of(data)

    def call(name: str, **arguments: Any) -> Any:
        return registry.call(name, arguments, COMMAND_LINE)

    assert call("settings_add", section="modems", values=modem("m2", sim_card_pin="4711")) == ["modems"]
    assert call("settings_put", path="modems.m2", values={"name": "m 2.b"}) == ["modems"]
    assert call("settings_put", path="modems.m 2.b", values={"active": False}) == ["modems"]
    assert call("settings_remove", path="modems.m1") == ["modems"]
    assert shown(changes, "name", "active", "sim_card_pin") == [("m0", True, "1234"), ("m 2.b", False, "4711")]
    assert [(one["subject"], one["fields"]) for one in call("audit")][:4] == [
        ("modems.m1", ["modems.m1"]),
        ("modems.m 2.b", ["modems.m 2.b.active"]),
        ("modems.m2", ["modems.m2", "modems.m 2.b"]),
        ("modems", ["modems.m2"]),
    ]
    assert refused(lambda: call("settings_put", path="modems.m0", values=[])) == {"values": "must be an object"}


def test_a_section_that_is_one_object_is_put_as_one_of_a_list_is(data: DataFolder) -> None:
    registry = registry_of(data)

    def call(name: str, **arguments: Any) -> Any:
        return registry.call(name, arguments, COMMAND_LINE)

    before = call("settings_show")["sms"]
    assert call("settings_put", path="sms", values={"attempts": 7}) == ["sms"]
    assert call("settings_show")["sms"] == before | {"attempts": 7}, "what is left out stays"
    assert call("settings_put", path="webhook", values={"secret": "made up secret"}) == ["webhook"]
    assert call("settings_put", path="webhook", values={"states": True}) == ["webhook"]
    assert call("settings_export", secrets=True)["webhook"]["secret"] == "made up secret"
    assert refused(lambda: call("settings_put", path="sms", values={"attempts": 0, "no": 1})).keys() == {
        "sms.attempts",
        "sms.no",
    }
    assert "is not one object" in refused(lambda: call("settings_put", path="modems", values={}))["modems"]
    assert "is not one object" in refused(lambda: call("settings_put", path="nothing", values={}))["nothing"]
