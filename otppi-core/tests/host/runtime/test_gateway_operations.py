"""The gateway's own operations: how they are declared, who may ask for them, and what the audit does not tell."""

import contextlib
import logging
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings, NotPermitted, OtpPiError
from otppi.api.operations import Actor, Role
from otppi.host.core import CORE_OPERATIONS
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import COMMAND_LINE, HostCall, NotRunning
from otppi.testing.scripted import until

VIEWER, OPERATOR, ADMINISTRATOR = (Actor("ayu", "pages", role, "192.0.2.1") for role in Role)
PIN = "73917391"
SECRETS = {
    "settings_set": {"path": "modems.m0.sim_card_pin", "value": PIN},
    "settings_import": {"document": {"modems": [{"name": "m0", "type": "scripted", "sim_card_pin": PIN}]}},
    "settings_add": {"section": "modems", "values": {"name": "m1", "type": "scripted", "sim_card_pin": PIN}},
    "settings_put": {"path": "modems.m0", "values": {"sim_card_pin": PIN}},
    "user_add": {"username": "app", "password": PIN, "token": True},
    "sim_enter_pin": {"modem": "m0", "secret": PIN},
    "send": {"receiver": "081234567890", "message": PIN},
    "ussd": {"modem": "m0", "code": PIN},
}


def test_names_and_commands_of_the_gateway_s_own_are_unique(data: DataFolder) -> None:
    assert list(registry_of(data).operations) == [one.name for one in CORE_OPERATIONS]


def test_what_changes_nothing_says_so_or_is_no_reading() -> None:
    """Whoever adds an operation decides: one that changes what is kept waits for its turn."""
    acting = {one.name for one in CORE_OPERATIONS if not one.reads_only and not one.changes}
    assert acting == {
        *("send", "inbox_show", "inbox_mark", "inbox_delete", "inbox_reply", "clear_memory", "modem_test"),
        *("sim_enter_pin", "sim_unblock", "sim_change_pin", "sim_enable_pin", "sim_disable_pin"),
        *("ussd", "ussd_reply", "ussd_cancel", "balance_read"),
        *("password_forgotten", "account_phone_code"),
        *(
            "restart",
            "device_reboot",
            "device_power_off",
            "job_cancel",
            "backup_create",
            "inbox_mark_several",
            "alarms_test",
            "alarms_signal_test",
            "alarms_silence",
            "clock_set",
            "clock_offer",
            "clock_sync",
            "update_receive",
            "update_install",
            "update_rollback",
        ),
    }


def test_parts_are_found_by_their_class(data: DataFolder) -> None:
    call = HostCall(registry_of(data), CORE_OPERATIONS[0], COMMAND_LINE, changing=False)
    assert call.part(type(data.config)) is data.config
    with pytest.raises(NotRunning):
        call.part(Host)


def test_every_role_may_ask_for_what_is_its_own_and_no_more(data: DataFolder) -> None:
    registry = registry_of(data)
    for operation in CORE_OPERATIONS:
        for actor in (VIEWER, OPERATOR, ADMINISTRATOR):
            if actor.role.covers(operation.role):
                continue
            with pytest.raises(NotPermitted):
                registry.call(operation.name, {}, actor)
    least = {role: {one.name for one in CORE_OPERATIONS if one.role is role} for role in Role}
    assert {"send", "ussd", "block_add", "inbox_list", "inbox_reply", "phone"} <= least[Role.OPERATOR]
    assert {"settings_set", "settings_export", "user_add", "keys_rotate", "sim_unblock"} <= least[Role.ADMINISTRATOR]
    changing = {one.name for one in CORE_OPERATIONS if one.role is Role.VIEWER and not one.reads_only}
    own_account = {name for name in changing if name.startswith("account_")}  # they look for whose it is themselves
    by_code = {
        "administrator_claim",
        "claim_restore",
        "password_forgotten",
        "password_reset",
    }  # that of the device, or one by SMS
    assert changing - own_account == {"keys", *by_code, "clock_offer"}  # the last looks for itself whether it may


# -- the audit --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_and_no_text_is_in_the_audit_of_the_gateway_s_own(
    host: Host, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    registry = registry_of(host.data, host)
    registry.call("settings_import", {"document": {"modems": [{"name": "m0", "type": "scripted"}]}}, COMMAND_LINE)
    until(lambda: registry.call("modems", {}, COMMAND_LINE)[0]["state"] == "ready")
    caplog.clear()
    # The scripted modem's SIM card has no lock.
    with pytest.raises(OtpPiError) if name == "sim_enter_pin" else contextlib.nullcontext():
        registry.call(name, SECRETS[name], COMMAND_LINE)
    assert f"{name} " in caplog.text
    assert "by command-line/administrator" in caplog.text
    assert PIN not in caplog.text
    assert "81234567890" not in caplog.text


def test_every_secret_argument_is_declared_so() -> None:
    told = {
        f"{one.name}.{setting.key}"
        for one in CORE_OPERATIONS
        for setting in one.parameters
        if setting.key in ("value", "values", "document", "password", "secret", "new_pin") and not setting.secret
    }
    assert told == set()


# -- revisions --------------------------------------------------------------------------------------------------------


def test_a_change_of_settings_that_were_changed_meanwhile_is_refused(data: DataFolder) -> None:
    registry = registry_of(data)
    seen = registry.call("settings_revision", {}, ADMINISTRATOR)
    one, other = {"path": "sms.attempts", "value": "5"}, {"path": "otp.code_length", "value": "7"}
    assert registry.call("settings_set", one, ADMINISTRATOR, seen) == ["sms"]
    with pytest.raises(OtpPiError, match="sms: changed by somebody else"):
        registry.call("settings_set", {"path": "sms.attempts", "value": "6"}, ADMINISTRATOR, seen)
    assert registry.call("settings_set", other, ADMINISTRATOR, seen) == ["otp"]
    user = {"username": "app", "token": True}
    registry.call("user_add", user, ADMINISTRATOR, seen)
    for name, arguments in (
        ("user_add", {"username": "other", "token": True}),
        ("user_remove", {"username": "app"}),
        ("settings_import", {"document": {"sms": {}}}),
    ):
        with pytest.raises(OtpPiError, match="changed by somebody else"):
            registry.call(name, arguments, ADMINISTRATOR, seen)
    assert data.config.one("sms")["attempts"] == 5
    now = registry.call("settings_revision", {}, ADMINISTRATOR)
    assert registry.call("user_remove", {"username": "app"}, ADMINISTRATOR, now)
    assert registry.call("settings_set", {"path": "sms.attempts", "value": "6"}, ADMINISTRATOR) == ["sms"]


@pytest.mark.parametrize("revision", ["1", 1.5, True, [1]])
def test_a_revision_is_a_whole_number(data: DataFolder, revision: Any) -> None:
    with pytest.raises(InvalidSettings, match="revision: must be a whole number"):
        registry_of(data).call("user_remove", {"username": "app"}, ADMINISTRATOR, revision)


def test_a_revision_is_for_changes_of_settings(data: DataFolder) -> None:
    with pytest.raises(InvalidSettings, match="revision: block_add changes no settings"):
        registry_of(data).call("block_add", {"receiver": "081234567890"}, ADMINISTRATOR, 1)
