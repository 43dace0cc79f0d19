"""Documents of settings: checked as a whole, secrets kept, all or nothing."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from otppi.api.errors import InvalidSettings
from otppi.api.settings import REDACTED, TypedSection
from otppi.host.core import CORE_SECTIONS, load_plugins
from otppi.host.data_folder import DataFolder, config_of
from otppi.host.messages.settings import SMS
from otppi.host.modems.settings import MODEMS
from otppi.host.settings.config import Config
from otppi.host.settings.password_hash import is_password
from otppi.host.storage.store import Store
from otppi.host.users.settings import API_USERS

PROVISION = {
    "sms": {"country_code": "62"},
    "modems": [
        {
            "name": "m0",
            "type": "scripted",
            "port": "/dev/ttyUSB0",
            "baud_rate": 115200,
            "recipient_prefixes": ["62812"],
            "default_modem": True,
            "send_from_api": True,
            "active": True,
        }
    ],
    "ingress-test": {"port": 8899, "enable": True},
    "api_users": [{"username": "app", "password": "secret", "active": True}],
}


def problems(config: Config, document: object) -> dict[str, str]:
    with pytest.raises(InvalidSettings) as caught:
        config.update(document)
    return {problem.field: problem.reason for problem in caught.value.problems}


def kept(data: DataFolder) -> str:
    return (data.path / "settings.json").read_text() if (data.path / "settings.json").exists() else ""


@pytest.fixture
def config(data: DataFolder) -> Config:
    return data.config


def reopened(data: DataFolder) -> Config:
    return config_of(data.store, data.plugins)


def test_defaults_are_there_where_nothing_was_set(config: Config) -> None:
    assert config.problems == []
    assert config.one("sms") == SMS.defaults()
    assert config.many("modems") == config.many("api_users") == []
    assert config.one("ingress-test")["port"] == 8080


def test_the_provisioning_document_is_taken_and_kept(config: Config, data: DataFolder) -> None:
    assert config.update(PROVISION) == ["modems", "ingress-test", "api_users"]
    for one in (config, reopened(data)):
        assert one.problems == []
        (modem,) = one.many("modems")
        assert modem["recipient_prefixes"] == ["62812"]
        assert modem["speed"] == 1.0
        (user,) = one.many("api_users")
        assert user["password"] == ""
        assert is_password(user["password_hash"], "secret")
        assert one.one("ingress-test")["port"] == 8899
    assert config.update(PROVISION) == []
    assert "secret" not in kept(data)


def test_all_problems_of_all_sections_at_once_and_nothing_is_changed(config: Config, data: DataFolder) -> None:
    document = {
        "sms": {"country_code": "0", "queue_size": "many", "atempts": 3},
        "modems": [
            {"type": "scripted"},
            7,
            {"name": "m1", "type": "nothing"},
            {"name": "m2", "type": "scripted", "speed": "x"},
        ],
        "api_users": [{"username": "app"}, {"username": "app", "password": 5}, {"username": "a b", "password": "x"}],
        "ingress-test": [],
        "ingress-nowhere": {},
    }
    found = problems(config, document)
    reasons = {
        "sms.country_code": "is not a country code, such as 62",
        "sms.queue_size": "must be a whole number",
        "sms.atempts": "is not a setting; did you mean attempts?",
        "modems[0].name": "is required",
        "modems[1]": "must be an object",
        "modems[2].type": "there is no such type; there are scripted",
        "modems[3].speed": "must be a number",
        "api_users[0].password": "is required",
        "api_users[1].username": "is used twice",
        "api_users[1].password": "must be text",
        "api_users[2].username": API_USERS["username"].problem("a b"),
        "ingress-test": "must be an object",
        "ingress-nowhere": f"is not a section; there are {', '.join(one.key for one in CORE_SECTIONS)}, ingress-test",
    }
    assert found == reasons
    assert config.one("sms") == SMS.defaults()
    assert kept(data) == ""


@pytest.mark.parametrize("document", [None, [], "sms", 7, {"sms": None}, {"modems": {}}, {"modems": [None]}, {5: {}}])
def test_a_document_that_is_none(config: Config, document: object) -> None:
    assert problems(config, document)


@pytest.mark.parametrize("kind", [[], {}, 7, None, "at"])
def test_a_modem_type_that_is_none(config: Config, kind: object) -> None:
    assert "modems[0].type" in problems(config, {"modems": [{"name": "m0", "type": kind}]})


def test_names_are_used_once(config: Config) -> None:
    modem = {"name": "m0", "type": "scripted"}
    assert problems(config, {"modems": [modem, modem]}) == {"modems[1].name": "is used twice"}
    user = {"username": "app", "password": "x"}
    assert problems(config, {"api_users": [user, user]}) == {"api_users[1].username": "is used twice"}


@pytest.mark.parametrize("given", [{}, {"password": REDACTED}])
def test_secrets_stay_where_a_document_leaves_them_out_or_shows_asterisks(
    config: Config, given: dict[str, str]
) -> None:
    config.update(PROVISION | {"ingress-test": {"password": "kept"}})
    assert config.update({"ingress-test": {"port": 1, **given}}) == ["ingress-test"]
    assert config.one("ingress-test") == {"port": 1, "enable": True, "password": "kept"}
    assert config.update({"ingress-test": {"password": ""}}) == ["ingress-test"]
    assert config.one("ingress-test")["password"] == ""


def test_secrets_of_a_list_belong_to_their_object(config: Config) -> None:
    modem = {"type": "scripted", "sim_card_pin": "1234", "key": "k"}
    config.update({"modems": [{**modem, "name": "m0"}]})
    config.update({"modems": [{"name": "m1", "type": "scripted"}, {"name": "m0", "type": "scripted", "key": REDACTED}]})
    assert [(one["name"], one["sim_card_pin"], one["key"]) for one in config.many("modems")] == [
        ("m1", "", ""),
        ("m0", "1234", "k"),
    ]


def test_asterisks_elsewhere_are_what_they_are(config: Config) -> None:
    config.update({"api_users": [{"username": "app", "token_hashes": ["x"], "email": REDACTED}]})
    assert config.many("api_users")[0]["email"] == REDACTED


def test_an_export_is_taken_back(config: Config, data: DataFolder, tmp_path: Path) -> None:
    config.update(PROVISION | {"ingress-test": {"password": "hidden"}})
    shown, whole = config.export(secrets=False), config.export(secrets=True)
    assert "hidden" not in json.dumps(shown)
    assert "argon2" not in json.dumps(shown)
    assert ': "secret"' not in json.dumps(whole)
    assert config.update(shown) == config.update(whole) == []
    other = DataFolder(tmp_path / "other", plugins=data.plugins)
    try:
        other.config.update(whole)
        assert other.config.export(secrets=True) == whole
    finally:
        other.close()


def test_a_user_keeps_the_password_and_may_get_another(config: Config) -> None:
    config.update(PROVISION)
    before = config.many("api_users")[0]["password_hash"]
    config.update({"api_users": [{"username": "app", "phone": "0812"}]})
    assert config.many("api_users")[0]["password_hash"] == before
    config.update({"api_users": [{"username": "app", "password": "another"}]})
    assert is_password(config.many("api_users")[0]["password_hash"], "another")


def test_a_card_that_is_full_changes_nothing(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Store, "write", full)
    with pytest.raises(OSError, match="no space left"):
        config.update({"sms": {"attempts": 5}})
    assert config.one("sms")["attempts"] == 3


def test_what_is_kept_and_cannot_be_used_is_told_and_its_default_is_used(data: DataFolder) -> None:
    data.store.write(
        {"sms": [{"attempts": 0, "gone": 1}], "modems": [{"name": "m0", "type": "gone", "port": "/dev/x"}]}
    )
    config = reopened(data)
    assert {problem.field for problem in config.problems} == {"sms.attempts", "sms.gone", "modems[0].type"}
    assert config.one("sms")["attempts"] == 3
    assert config.many("modems")[0]["port"] == "/dev/x"


def test_the_plugin_of_a_modem_may_be_gone(data: DataFolder, config: Config) -> None:
    config.update({"modems": [{"name": "m0", "type": "scripted", "speed": 3.0, "key": "k"}]})
    without = config_of(data.store, load_plugins(()))
    assert without.many("modems")[0]["name"] == "m0"
    assert without.export(secrets=False)["modems"][0]["type"] == "scripted"


TYPED = {
    "recipient_prefixes": ["0871", "+62 812", "62813", "0062814", "0813"],
    "prices": ["0871=50", "62872=49.5"],
    "promotions": ["100/day=10", "0871:5/month=0"],
}
KEPT = {
    "recipient_prefixes": ["62871", "62812", "62813", "62814"],
    "prices": [{"prefix": "62871", "price": 50.0}, {"prefix": "62872", "price": 49.5}],
    "promotions": [
        {"prefix": "", "after": 100, "period": "day", "price": 10.0},
        {"prefix": "62871", "after": 5, "period": "month", "price": 0.0},
    ],
}


def prefixes_of(config: Config) -> dict[str, Any]:
    return {key: value for key, value in config.many("modems")[0].items() if key in KEPT}


def test_typed_prefixes_are_kept_as_msisdns_begin(data: DataFolder, config: Config) -> None:
    """The seed document: who sets 0871 in Indonesia has 62871 kept, also when the country code changes."""
    config.update({"modems": [{"name": "m0", "type": "scripted", **TYPED}], "otp": {"allowed_prefixes": ["0812"]}})
    assert prefixes_of(config) == KEPT
    assert config.one("otp")["allowed_prefixes"] == ["62812"]
    config.update({"sms": {"country_code": "65"}})
    again = config_of(data.store, data.plugins)
    assert prefixes_of(config) == prefixes_of(again) == KEPT
    assert again.export(secrets=False)["modems"][0]["recipient_prefixes"] == KEPT["recipient_prefixes"]


def test_a_document_that_changes_the_country_means_its_prefixes_so(config: Config) -> None:
    modem = {"name": "m0", "type": "scripted", "recipient_prefixes": ["04"]}
    config.update({"modems": [modem], "sms": {"country_code": "61"}})
    assert config.many("modems")[0]["recipient_prefixes"] == ["614"]


def test_prefixes_that_an_earlier_version_kept_as_typed_stay_those_of_their_country(
    data: DataFolder, config: Config
) -> None:
    config.update({"modems": [{"name": "m0", "type": "scripted"}]})
    data.store.write({"modems": [{**config.many("modems")[0], **TYPED}]})
    earlier = config_of(data.store, data.plugins)
    assert prefixes_of(earlier) == KEPT
    assert earlier.update({"sms": {"country_code": "65"}}) == ["sms"]
    assert prefixes_of(config_of(data.store, data.plugins)) == KEPT


def test_prefixes_that_cannot_be_kept_are_refused(config: Config) -> None:
    for key, values, reason, place in (
        ("prices", ["0871=50", "62871=60"], "'62871' is there twice", "[1].prefix"),
        ("recipient_prefixes", ["000871"], "country code", ""),
    ):
        with pytest.raises(InvalidSettings, match=reason) as caught:
            config.update({"modems": [{"name": "m0", "type": "scripted", key: values}]})
        assert [problem.field for problem in caught.value.problems] == [f"modems[0].{key}{place}"]
    assert config.many("modems") == []


@pytest.mark.parametrize("section", CORE_SECTIONS, ids=lambda section: section.key)
def test_the_json_schema_takes_what_validation_takes(section: Any) -> None:
    schema = section.json_schema()
    jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    validator = jsonschema_rs.Draft202012Validator(schema)
    samples: dict[str, Any] = {
        MODEMS.key: [MODEMS.defaults() | {"name": "m0"}, PROVISION["modems"][0]],  # type: ignore[index]
        API_USERS.key: [API_USERS.defaults() | {"username": "app"}, *PROVISION["api_users"]],
    }
    samples["mail_accounts"] = [{"name": "box"}]
    samples["administrators"] = [{"username": "budi", "password": "long enough"}]
    sample = samples.get(section.key, section.defaults())
    assert list(validator.iter_errors(sample)) == []
    broken: Any = [{**sample[0], "extra": 1}] if isinstance(sample, list) else {**sample, "extra": 1}
    assert not validator.is_valid(broken)


def test_a_kept_value_that_cannot_be_used_is_mended_by_setting_its_default(tmp_path: Path) -> None:
    store = Store(tmp_path / "settings.json")
    store.write({"sms": [{"attempts": 1000}]})
    config = config_of(store, load_plugins(()))
    assert [problem.field for problem in config.problems] == ["sms.attempts"]
    assert config.update({"sms": {"attempts": 3}}) == ["sms"]
    assert config.problems == []
    assert config_of(store, load_plugins(())).problems == []


def test_what_guards_is_closed_where_it_cannot_be_used(tmp_path: Path) -> None:
    """Issue 9, row 26: a user whose `blocked` is "yes" may not send."""
    users: list[dict[str, Any]] = [
        {"username": "a", "token_hashes": ["x"]},
        {"username": "b", "token_hashes": ["x"], "blocked": "yes"},
        {"username": "c", "token_hashes": ["x"], "active": 0},
        {"username": "d", "token_hashes": ["x"], "blockec": True},
    ]
    store = Store(tmp_path / "settings.json")
    store.write(
        {
            "api_users": users,
            "encryption": [{"required_on": "ingress-rabbitmq"}],
            "modems": [{"name": "m0", "active": "no"}, {"name": "m1", "attempts": 1}],
        }
    )
    config = config_of(store, load_plugins(()))
    assert [user["username"] for user in config.many("api_users") if user["active"] and not user["blocked"]] == ["a"]
    assert config.one("encryption")["required_on"] == ["all"]
    assert [modem["active"] for modem in config.many("modems")] == [False, True]
    (warning,) = config.warnings()
    assert "api_users[1].blocked" in warning
    assert not config.usable("modems")


def test_a_document_may_have_the_form_in_which_it_is_kept(config: Config, data: DataFolder) -> None:
    config.update(PROVISION)
    kept = json.loads((data.path / "settings.json").read_bytes())
    kept["sms"] = {"1": {"attempts": 7}}
    assert config.update(kept | {"blocking_list": {"1": {"msisdn": "6281200000001"}}}) == ["sms"]
    assert config.one("sms")["attempts"] == 7
    kept["modems"]["1"]["baud_rate"] = "fast"
    assert "modems[0].baud_rate" in problems(config, kept)


@pytest.mark.parametrize("section", CORE_SECTIONS, ids=lambda section: section.key)
def test_every_section_of_the_core_has_a_type_for_its_values_so_that_a_misspelt_key_is_found(section: Any) -> None:
    assert isinstance(section, TypedSection)
    assert section.values.__annotations__.keys() == section.defaults().keys()
