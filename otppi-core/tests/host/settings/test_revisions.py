"""Two who edit the settings: neither overwrites the other unseen, and a renamed object keeps its secrets."""

import json
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings
from otppi.host.data_folder import DataFolder, config_of
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.host.settings.config import Config
from otppi.host.settings.renames import MOST
from otppi.host.settings.revisions import ChangedMeanwhile


@pytest.fixture
def config(data: DataFolder) -> Config:
    return data.config


def modem(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "scripted", **more}


def pins(config: Config) -> dict[str, str]:
    return {one["name"]: one["sim_card_pin"] for one in config.many("modems")}


def refused(config: Config, document: object) -> dict[str, str]:
    with pytest.raises(InvalidSettings) as caught:
        config.update(document)
    return {problem.field: problem.reason for problem in caught.value.problems}


# -- revisions ---------------------------------------------------------------------------------------------------------


def test_each_change_has_a_revision_and_a_restart_goes_on_from_it(config: Config, data: DataFolder) -> None:
    assert config.revision == 0
    config.update({"sms": {"attempts": 5}})
    config.update({"sms": {"attempts": 5}})
    assert config.revision == 1
    config.update({"inbox": {"retention": "card"}, "otp": {"attempts": 4}})
    assert config.revision == config_of(data.store, data.plugins).revision == 2


def test_who_comes_late_is_refused_and_nothing_is_changed(config: Config) -> None:
    seen = config.revision
    config.update({"sms": {"attempts": 5}}, revision=seen)
    with pytest.raises(ChangedMeanwhile, match=r"sms: changed by somebody else since revision 0 \(now 1\)") as caught:
        config.update({"sms": {"attempts": 6}, "otp": {"attempts": 4}}, revision=seen)
    assert (caught.value.revision, caught.value.sections) == (1, ("sms",))
    assert (config.one("sms")["attempts"], config.one("otp")["attempts"]) == (5, 5)
    config.update({"sms": {"attempts": 6}}, revision=config.revision)
    config.update({"sms": {"attempts": 7}})
    assert config.one("sms")["attempts"] == 7


def test_who_changes_another_section_is_not_in_the_way(config: Config) -> None:
    seen = config.revision
    config.update({"sms": {"attempts": 5}}, revision=seen)
    assert config.update({"otp": {"attempts": 4}}, revision=seen) == ["otp"]


def test_a_revision_that_there_never_was_is_refused(config: Config) -> None:
    with pytest.raises(ChangedMeanwhile, match="there is no revision 7") as caught:
        config.update({"sms": {"attempts": 5}}, revision=7)
    assert (caught.value.revision, caught.value.sections) == (0, ())


def test_a_document_may_hold_the_revision_that_it_was_made_from(config: Config) -> None:
    document = {"revision": config.revision, "sms": {"attempts": 5}}
    assert config.update(document) == ["sms"]
    with pytest.raises(ChangedMeanwhile):
        config.update(document)
    for wrong in ("1", True, 1.5):
        assert refused(config, {"revision": wrong, "sms": {}}) == {"revision": "must be a whole number"}


def test_the_kept_form_is_taken_whatever_its_revision(config: Config, data: DataFolder) -> None:
    config.update({"sms": {"attempts": 5}})
    kept = json.loads((data.path / "settings.json").read_bytes())
    config.update({"sms": {"attempts": 6}})
    assert config.update(kept) == ["sms"]
    assert config.one("sms")["attempts"] == 5


# -- renaming ----------------------------------------------------------------------------------------------------------


def test_a_renamed_object_keeps_its_secrets(config: Config) -> None:
    config.update({"modems": [modem("m0", sim_card_pin="1234"), modem("m1", sim_card_pin="5678")]})
    config.update({"modems": [modem("m1"), modem("m2", renamed_from="m0")]})
    assert pins(config) == {"m1": "5678", "m2": "1234"}
    assert "renamed_from" not in config.many("modems")[1]


def test_a_new_object_under_the_former_name_has_none_of_them(config: Config) -> None:
    config.update({"modems": [modem("m0", sim_card_pin="1234")]})
    document = {"modems": [modem("m0"), modem("m1", renamed_from="m0")]}
    for _ in range(2):  # the same document again: it is renamed already
        config.update(document)
        assert pins(config) == {"m0": "", "m1": "1234"}


def test_names_may_be_exchanged(config: Config) -> None:
    config.update({"modems": [modem("m0", sim_card_pin="1234"), modem("m1", sim_card_pin="5678")]})
    config.update({"modems": [modem("m1", renamed_from="m0"), modem("m0", renamed_from="m1")]})
    assert pins(config) == {"m1": "1234", "m0": "5678"}


def test_an_object_may_take_the_name_of_one_that_goes(config: Config) -> None:
    config.update({"modems": [modem("m0", sim_card_pin="1234"), modem("m1", sim_card_pin="5678")]})
    config.update({"modems": [modem("m1", renamed_from="m0")]})
    assert pins(config) == {"m1": "1234"}


def test_a_renamed_user_keeps_the_password(config: Config) -> None:
    config.update({"api_users": [{"username": "shop", "password": "secret"}]})
    before = config.many("api_users")[0]["password_hash"]
    config.update({"api_users": [{"username": "store", "renamed_from": "shop"}]})
    assert config.many("api_users")[0]["password_hash"] == before


def test_former_names_that_cannot_be(config: Config) -> None:
    config.update({"modems": [modem("m0")]})
    assert refused(config, {"modems": [modem("m1", renamed_from="m7")]}) == {
        "modems[0].renamed_from": "there is no name 'm7'"
    }
    assert refused(config, {"modems": [modem("m1", renamed_from="m0"), modem("m2", renamed_from="m0")]}) == {
        "modems[0].renamed_from": "is renamed twice",
        "modems[1].renamed_from": "is renamed twice",
    }
    assert refused(config, {"modems": [modem("m1", renamed_from=7)]}) == {"modems[0].renamed_from": "must be text"}


def test_new_names_are_remembered_with_the_change_that_gave_them(config: Config, data: DataFolder) -> None:
    config.update({"modems": [modem("m0"), modem("m1")]})
    assert config.renames("modems") == []
    config.update({"modems": [modem("m1", renamed_from="m0"), modem("m0", renamed_from="m1")]})
    config.update({"modems": [modem("m1"), modem("m0", renamed_from="m0")]})  # no other name
    with pytest.raises(InvalidSettings):
        config.update({"modems": [modem("m2", renamed_from="m1"), modem("m2", renamed_from="m0")]})
    (one,) = config.renames("modems")
    assert one.names == {"m0": "m1", "m1": "m0"}
    assert config_of(data.store, data.plugins).renames("modems") == [one]
    assert config.renames("api_users") == []


def test_a_name_set_by_itself_is_a_rename_and_the_secrets_stay(data: DataFolder) -> None:
    data.config.update({"modems": [modem("m0", sim_card_pin="1234")]})
    registry_of(data).call("settings_set", {"path": "modems.m0.name", "value": "front"}, COMMAND_LINE)
    assert pins(data.config) == {"front": "1234"}
    assert [one.names for one in data.config.renames("modems")] == [{"m0": "front"}]


def test_only_the_newest_new_names_are_kept_and_damaged_ones_are_left_out(config: Config, data: DataFolder) -> None:
    config.update({"modems": [modem("m0")]})
    for number in range(MOST + 1):
        config.update({"modems": [modem(f"m{number + 1}", renamed_from=f"m{number}")]})
    assert [dict(one.names) for one in config.renames("modems")][:: MOST - 1] == [
        {"m1": "m2"},
        {f"m{MOST}": f"m{MOST + 1}"},
    ]
    data.store.write({"renames": [{"id": "1", "section": "modems", "names": {"m0": 7}}, {"names": {"m0": "m1"}}]})
    assert config_of(data.store, data.plugins).renames("modems") == []


def test_names_are_remembered_where_the_card_takes_nothing(
    config: Config, monkeypatch: pytest.MonkeyPatch, data: DataFolder
) -> None:
    config.update({"modems": [modem("m0")]})

    def full(lists: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(data.store, "write", full)
    config.provision({"modems": [modem("m1", renamed_from="m0")]})
    assert [one.names for one in config.renames("modems")] == [{"m0": "m1"}]
