"""Every operation of the core and of the plugins: listed, asked for by every role and by nobody, and hiding secrets."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.admin.api.admin_api import AdminApi
from otppi.admin.api.queries import by_address
from otppi.api.operations import Operation, Role
from otppi.api.settings import REDACTED
from otppi.host.core import CORE_OPERATIONS, load_plugins
from otppi.host.runtime.registry import COMMAND_LINE, Registry
from otppi.host.settings.config import Config
from otppi.testing.marked_secrets import HASHES, MARKER, PIN, TOTP, kept_secrets, marked_document

OPERATIONS = tuple(load_plugins().operations.values())
ON_THE_DEVICE = {"device_code", "administrator_totp_off", "administrator_recovery_codes"}
"""Refused to whoever is not on the command line, though they are an administrator."""


def ids(operation: Operation) -> str:
    return operation.name


@pytest.fixture(scope="module")
def registry(run: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with run(tmp_path_factory.mktemp("gateway")) as operations:
        yield operations


@pytest.fixture(scope="module")
def api(registry: Registry) -> AdminApi:
    return AdminApi(registry)


def test_every_operation_of_core_and_plugins_is_listed(api: AdminApi, asking: Any, registry: Registry) -> None:
    status, answer = asking(api).get("operations")
    assert status == 200
    assert [one["name"] for one in answer["operations"]] == [*registry.operations] == [one.name for one in OPERATIONS]
    assert {one.name for one in CORE_OPERATIONS} < {one.name for one in OPERATIONS}


@pytest.mark.parametrize("role", Role)
def test_a_role_is_shown_what_it_may_ask_for(api: AdminApi, asking: Any, role: Role) -> None:
    shown = {one["name"] for one in asking(api, role).get("operations")[1]["operations"]}
    assert shown == {one.name for one in OPERATIONS if role.covers(one.role)}


@pytest.mark.parametrize("role", [*Role, None])
@pytest.mark.parametrize("operation", OPERATIONS, ids=ids)
def test_who_may_ask(api: AdminApi, asking: Any, operation: Operation, role: Role | None) -> None:
    """By both methods, with arguments that are missing: who may gets to know that, who may not does not."""
    caller = asking(api, role)
    answers = {"POST": caller.post(operation.name), "GET": caller.get(f"operations/{operation.name}")}
    for method, (status, told) in answers.items():
        if role is None:
            assert (status, told["type"]) == (401, "/admin/api/problems/not-logged-in")
        elif method == "GET" and not by_address(operation):
            assert (status, told["type"]) == (405, "/admin/api/problems/wrong-method")
        elif not role.covers(operation.role):
            assert (status, told["type"]) == (403, "/admin/api/problems/not-permitted")
            assert operation.role.value in told["detail"]
        elif any(one.required for one in operation.parameters):
            missing = {one.key for one in operation.parameters if one.required}
            assert (status, {one["field"] for one in told["errors"]} >= missing) == (422, True)
        elif operation.name in ON_THE_DEVICE:
            assert (status, told["type"]) == (403, "/admin/api/problems/not-permitted")
        else:
            assert status in (200, 409, 422), told


@pytest.mark.parametrize("path", ["settings", "settings/sms"])
@pytest.mark.parametrize("role", [*Role, None])
def test_who_may_read_the_settings(api: AdminApi, asking: Any, path: str, role: Role | None) -> None:
    assert asking(api, role).get(path)[0] == {None: 401, Role.ADMINISTRATOR: 200}.get(role, 403)


@pytest.mark.parametrize("path", ["operations", "openapi.json", "problems", "problems/invalid"])
@pytest.mark.parametrize("role", [*Role, None])
def test_who_may_read_what_the_api_is(api: AdminApi, asking: Any, path: str, role: Role | None) -> None:
    assert asking(api, role).get(path)[0] == (401 if role is None else 200)


@pytest.mark.parametrize("operation", OPERATIONS, ids=ids)
def test_what_waits_for_an_answer_says_so(operation: Operation) -> None:
    """What takes `wait`, or is about a modem and does more than read, asks a modem or the network."""
    keys = {one.key for one in operation.parameters}
    if "wait" in keys or ("modem" in keys and not operation.reads_only and operation.name != "ussd_cancel"):
        assert operation.waits


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.reads_only], ids=ids)
def test_what_only_reads_changes_nothing(
    api: AdminApi, asking: Any, registry: Registry, operation: Operation, tmp_path: Path
) -> None:
    """A GET needs no token, so that it must not matter who has it sent (ASVS 3.5.3)."""
    before = registry.part(Config).export(secrets=True)
    for query in ("", "modem=m0", "session=0123456789abcdef&wait=0"):
        asking(api).get(f"operations/{operation.name}", query)
    assert registry.part(Config).export(secrets=True) == before


@pytest.mark.parametrize(
    ("name", "arguments", "again"),
    [
        ("settings_set", {"path": "api_users.app.phone", "value": "08120000001"}, True),
        ("settings_add", {"section": "api_users", "values": {"username": "new", "password": MARKER}}, True),
        ("settings_put", {"path": "api_users.app", "values": {"password": MARKER}}, True),
        ("settings_remove", {"path": "api_users.app"}, True),
        ("settings_put", {"path": "administrators.adi", "values": {"password": MARKER}}, True),
        ("settings_import", {"document": {}}, True),
        ("user_add", {"username": "new", "password": MARKER}, True),
        ("user_remove", {"username": "new"}, True),
        ("settings_set", {"path": "webhook.url", "value": ""}, False),
        ("settings_set", {"path": 1, "value": ""}, False),
        ("settings_add", {"section": "modems", "values": {}}, False),
        ("settings_put", {"path": "modems.m9", "values": {}}, False),
        ("settings_show", {}, False),
        ("users", {}, False),
    ],
)
def test_who_may_send_is_changed_with_a_fresh_password_only(
    api: AdminApi, asking: Any, name: str, arguments: dict[str, Any], again: bool
) -> None:
    status, told = asking(api, fresh=False).post(name, arguments)
    assert (told.get("type") == "/admin/api/problems/password-wanted") is again, (status, told)
    assert asking(api, fresh=False).post("users")[1] == {"result": []}


def test_what_changes_accounts_asks_again() -> None:
    accounts = ("administrator_", "account_", "user_")
    without = {one.name for one in OPERATIONS if one.changes and one.name.startswith(accounts) and not one.asks_again}
    # There is nobody to ask; it takes the old password; a login does it itself; it takes a code that was asked for so.
    assert without == {
        "administrator_claim", "account_password", "account_recovery_used", "account_phone_confirm",
    }  # fmt: skip


# -- secrets -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def marked_registry(run: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with run(tmp_path_factory.mktemp("marked"), marked_document) as operations:
        operations.call("user_add", {"username": "shop", "token": True}, COMMAND_LINE)
        yield operations


def test_every_secret_is_set(marked_registry: Registry) -> None:
    config = marked_registry.part(Config)
    kept = kept_secrets(config)
    assert {MARKER, PIN, TOTP} < kept
    assert len([one for one in kept if one.startswith("$argon2id$")]) == 2
    assert len(kept) == 6, "and the hash of a token"
    for key, section in config.sections.items():
        values = config.values_of(key)
        for item in values if isinstance(values, list) else [values]:
            secrets = {one.key for one in section.of(item).settings if one.secret} - HASHES - {"password"}
            assert all(item[one] in (MARKER, PIN, TOTP) for one in secrets), (key, secrets)


def readings(registry: Registry) -> Iterator[tuple[str, str]]:
    """Return what can be read, with every query that reaches something."""
    yield from (("operations", ""), ("openapi.json", ""), ("settings", ""), ("problems", ""))
    yield from ((f"settings/{key}", "") for key in registry.part(Config).sections)
    for one in registry.operations.values():
        keys = {parameter.key for parameter in one.parameters}
        yield f"operations/{one.name}", ""
        if "modem" in keys:
            yield f"operations/{one.name}", "modem=simulated"
        if "secrets" in keys:
            yield from ((f"operations/{one.name}", f"secrets={switch}") for switch in ("true", "false"))


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("role", Role)
def test_no_answer_holds_a_secret(
    marked_registry: Registry, asking: Any, role: Role, language: str, caplog: pytest.LogCaptureFixture
) -> None:
    kept = kept_secrets(marked_registry.part(Config))
    caller = asking(AdminApi(marked_registry), role, language)
    answered = 0
    with caplog.at_level("DEBUG"):
        for path, query in readings(marked_registry):
            answer = caller.raw("GET", path, query)
            answered += answer.status == 200
            assert not [one for one in kept if one in answer.body.decode() + str(answer.headers)], (path, query)
    assert answered > {Role.VIEWER: 12, Role.OPERATOR: 15, Role.ADMINISTRATOR: 35}[role]
    assert not [one for one in kept if one in caplog.text]


def test_secrets_are_not_exported(marked_registry: Registry, asking: Any) -> None:
    caller = asking(AdminApi(marked_registry))
    for status, told in (
        caller.get("operations/settings_export", "secrets=true"),
        caller.post("settings_export", {"secrets": True}),
    ):
        assert (status, told["type"]) == (403, "/admin/api/problems/not-permitted")
        assert "otppi settings export --secrets" in told["detail"]
    exported = caller.post("settings_export")[1]["result"]
    assert "password" not in exported["ingress-mqtt"]
    assert (
        marked_registry.call("settings_export", {"secrets": True}, COMMAND_LINE)["ingress-mqtt"]["password"] == MARKER
    )


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("settings_set", {"path": "modems.simulated.sim_card_pin", "value": f"{PIN}0"}),
        ("settings_set", {"path": f"modems.simulated.{MARKER}", "value": MARKER}),
        ("settings_put", {"path": "modems.simulated", "values": {"sim_card_pin": [MARKER], "apn_password": 1}}),
        ("settings_put", {"path": "modems.simulated", "values": MARKER}),
        ("settings_add", {"section": "api_users", "values": {"username": "", "password": MARKER}}),
        ("settings_import", {"document": {"webhook": {"secret": {"a": MARKER}}}}),
        ("settings_import", {"document": MARKER}),
        ("user_add", {"username": "app", "password": MARKER}),
        ("sim_enter_pin", {"modem": "nothing", "secret": PIN}),
        ("sim_change_pin", {"modem": "simulated", "secret": f"{PIN}0", "new_pin": MARKER}),
    ],
)
def test_what_is_wrong_with_a_secret_is_said_without_it(
    marked_registry: Registry, asking: Any, name: str, arguments: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        status, told = asking(AdminApi(marked_registry)).post(name, arguments)
    assert status == 422
    assert told["errors"]
    shown = json.dumps([one["reason"] for one in told["errors"]])
    assert MARKER not in shown
    assert PIN not in json.dumps(told) + caplog.text


def test_who_was_slower_sees_what_others_made_of_it_without_secrets(marked_registry: Registry, asking: Any) -> None:
    caller = asking(AdminApi(marked_registry))
    seen = caller.get("settings")[1]["revision"]
    url = {"path": "webhook.url", "value": "http://127.0.0.1:9/hook"}
    assert caller.post("settings_set", url, revision=seen) == (200, {"result": ["webhook"]})
    other = {"path": "webhook.url", "value": "http://127.0.0.1:9/other"}
    status, told = caller.post("settings_set", other, revision=seen)
    assert (status, told["type"], told["revision"]) == (409, "/admin/api/problems/changed-meanwhile", seen + 1)
    assert told["sections"] == ["webhook"]
    assert (told["current"]["webhook"]["url"], told["current"]["webhook"]["secret"]) == (url["value"], REDACTED)
    assert list(told["current"]) == ["webhook"]
    assert caller.post("settings_set", other, revision=told["revision"]) == (200, {"result": ["webhook"]})
    assert caller.get("settings/webhook")[1]["values"]["url"] == other["value"]
    assert caller.post("settings_set", other, revision=seen + 99)[1]["current"] == {}
