"""The operations on administrators: who may, what is refused, what is told, and that one administrator stays."""

from typing import Any

import pyotp
import pytest

from otppi.api.errors import InvalidSettings, NotPermitted, Throttled
from otppi.api.operations import Actor, Role
from otppi.host.administrators import operations
from otppi.host.administrators.claim import ClaimState
from otppi.host.administrators.second_factor import recovery_hash
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.host.settings.password_hash import is_password
from otppi.testing.accounts import ACCOUNT_PASSWORD, AccountsBench, account, person

NEW = "sepeda biru di atas awan"


def refused(device: AccountsBench, name: str, actor: Actor = COMMAND_LINE, /, **arguments: Any) -> list[str]:
    before = device.data.config.export(secrets=True)
    with pytest.raises(InvalidSettings) as caught:
        device.call(name, actor, **arguments)
    assert device.data.config.export(secrets=True) == before
    return [one.field for one in caught.value.problems]


# -- accounts ---------------------------------------------------------------------------------------------------------


def test_an_administrator_from_beginning_to_end(device: AccountsBench) -> None:
    assert device.call("administrators") == []
    given = {"username": "budi", "password": ACCOUNT_PASSWORD, "phone": "0812", "email": "b@example.com"}
    assert device.call("administrator_add", **given) == {"username": "budi", "role": "administrator"}
    assert device.data.claim.state is ClaimState.DONE
    device.call("administrator_add", username="rina", password=NEW, role="operator")
    device.call("administrator_edit", username="rina", phone="0813", new_username="ratna")
    assert device.call("administrator_edit", username="ratna", email="r@example.com") == {"username": "ratna"}
    shown = {"active": True, "blocked": False, "second_factor": False, "recovery_codes": 0, "language": ""}
    assert device.call("administrators") == [
        {"username": "budi", "role": "administrator", "phone": "0812", "email": "b@example.com", **shown},
        {"username": "ratna", "role": "operator", "phone": "0813", "email": "r@example.com", **shown},
    ]
    assert device.log_in("ratna", NEW).role is Role.OPERATOR
    device.call("administrator_edit", username="ratna", phone="", preferred_language="en", role="viewer")
    assert device.administrators.find("ratna").language == "en"  # type: ignore[union-attr]
    assert (device.kept("ratna")["phone"], device.kept("ratna")["email"]) == ("", "r@example.com")
    device.call("administrator_remove", username="ratna")
    assert [one["username"] for one in device.call("administrators")] == ["budi"]


@pytest.mark.parametrize(
    ("there", "back", "gone"),
    [("deactivate", "activate", "active"), ("block", "unblock", "blocked")],
)
def test_switches_let_nobody_in_and_in_again(device: AccountsBench, there: str, back: str, gone: str) -> None:
    device.have(account("budi"), account("rina"))
    before = device.administrators.find("rina")
    device.call(f"administrator_{there}", username="rina")
    assert device.administrators.find("rina") is None
    assert device.kept("rina")[gone] is (gone == "blocked")
    device.call(f"administrator_{back}", username="rina")
    after = device.administrators.find("rina")
    assert before is not None
    assert after is not None
    assert after.stamp != before.stamp, "who was logged in stays logged out"


@pytest.mark.parametrize(
    "name",
    [
        *("administrator_edit", "administrator_remove", "administrator_activate", "administrator_deactivate"),
        *("administrator_block", "administrator_unblock", "administrator_totp_off", "administrator_recovery_codes"),
    ],
)
def test_who_is_not_there_is_told(device: AccountsBench, name: str) -> None:
    device.have(account("budi"))
    assert refused(device, name, username="nobody") == ["username"]


@pytest.mark.parametrize(
    ("name", "arguments", "field"),
    [
        ("administrator_remove", {"username": "budi"}, "username"),
        ("administrator_block", {"username": "budi"}, "blocked"),
        ("administrator_deactivate", {"username": "budi"}, "active"),
        ("administrator_edit", {"username": "budi", "role": "operator"}, "role"),
        ("settings_remove", {"path": "administrators.budi"}, "administrators"),
        ("settings_set", {"path": "administrators.budi.active", "value": "no"}, "administrators.budi.active"),
        ("settings_put", {"path": "administrators.budi", "values": {"role": "viewer"}}, "administrators.budi.role"),
        ("settings_import", {"document": {"administrators": []}}, "administrators"),
        (
            "settings_import",
            {"document": {"administrators": [{"username": "budi", "blocked": True, "role": "administrator"}]}},
            "administrators[0].blocked",
        ),
    ],
)
@pytest.mark.parametrize("others", [(), ("viewer", "operator")], ids=["alone", "beside others"])
def test_the_last_administrator_stays_whatever_way_he_is_to_go(
    device: AccountsBench, name: str, arguments: dict[str, Any], field: str, others: tuple[str, ...]
) -> None:
    """admin.md section 5, row Roles."""
    device.have(account("budi"), *(account(role, role=role) for role in others))
    if others and name in ("settings_remove", "administrator_remove"):
        field = {"settings_remove": "administrators.viewer.role", "administrator_remove": "role"}[name]
    assert refused(device, name, **arguments) == [field]
    assert device.log_in("budi").role is Role.ADMINISTRATOR


def test_one_of_two_may_go(device: AccountsBench) -> None:
    device.have(account("budi"), account("rina"))
    device.call("administrator_remove", username="budi")
    assert device.data.claim.state is ClaimState.DONE


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ({"username": "budi"}, ["username"]),
        ({"username": "a b"}, ["username"]),
        ({"username": "x" * 65}, ["username"]),
        ({"username": "rina", "role": "emperor"}, ["role"]),
        ({"username": "rina", "password": "short"}, ["password"]),
        ({"username": "rina", "password": "x" * 129}, ["password"]),
        ({"username": "rinawati", "password": "rinawati2026"}, ["password"]),
        ({"username": "rina", "preferred_language": "fr"}, ["preferred_language"]),
    ],
)
def test_what_is_wrong_is_named_by_the_argument(
    device: AccountsBench, arguments: dict[str, Any], fields: list[str]
) -> None:
    device.have(account("budi"))
    assert refused(device, "administrator_add", **{"password": NEW, **arguments}) == fields


def test_the_first_one_has_to_be_able_to_do_everything(device: AccountsBench) -> None:
    assert refused(device, "administrator_add", username="budi", password=NEW, role="operator") == ["role"]
    assert device.data.claim.state is ClaimState.OPEN


def test_a_revision_that_is_outdated_is_refused(device: AccountsBench) -> None:
    device.have(account("budi"), account("rina"))
    revision = device.data.config.revision
    device.call("administrator_block", username="rina")
    with pytest.raises(Exception, match="changed"):
        device.registry.call("administrator_unblock", {"username": "rina"}, COMMAND_LINE, revision)


# -- passwords --------------------------------------------------------------------------------------------------------


def test_a_password_is_set_for_others_and_ends_their_sessions(device: AccountsBench) -> None:
    device.have(account("budi"), account("rina", role="viewer"))
    before = device.administrators.find("rina")
    device.call("administrator_password", person("budi"), username="rina", new_password=NEW)
    assert is_password(device.kept("rina")["password_hash"], NEW)
    after = device.administrators.find("rina")
    assert before
    assert after
    assert after.stamp != before.stamp
    assert refused(device, "administrator_password", person("budi"), username="rina", new_password="rinarinarina") == [
        "new_password"
    ]
    assert refused(device, "administrator_password", person("budi"), username="budi", new_password=NEW) == ["username"]
    device.call("administrator_password", username="budi", new_password=NEW)
    assert device.log_in("budi", NEW).name == "budi", "on the device nobody needs the old one"


def test_the_own_password_is_changed_with_the_old_one(device: AccountsBench) -> None:
    """ASVS 5.0 6.2.3."""
    device.have(account("budi"), account("rina", role="viewer"))
    rina = person("rina", Role.VIEWER)
    for old in ("wrong", ""):
        fields = refused(device, "account_password", rina, old_password=old, new_password=NEW)
        assert fields == ["old_password"]
    fields = refused(device, "account_password", rina, old_password=ACCOUNT_PASSWORD, new_password="rinarinarina")
    assert fields == ["new_password"]
    device.call("account_password", rina, old_password=ACCOUNT_PASSWORD, new_password=NEW)
    assert device.log_in("rina", NEW).role is Role.VIEWER
    assert device.log_in("budi").name == "budi"


def test_guesses_of_the_old_password_are_slowed_down(device: AccountsBench) -> None:
    device.have(account("budi"))
    for number in range(8):
        fields = refused(device, "account_password", person("budi"), old_password=f"guess {number}", new_password=NEW)
        assert fields == ["old_password"]
        device.seconds += 300
    fields = refused(device, "account_password", person("budi"), old_password="guess 8", new_password=NEW)
    assert fields == ["old_password"]
    with pytest.raises(Throttled) as caught:
        device.call("account_password", person("budi"), old_password=ACCOUNT_PASSWORD, new_password=NEW)
    assert caught.value.retry_after == 16


# -- who may ----------------------------------------------------------------------------------------------------------

OWN = {
    "account_edit": {"phone": "0812"},
    "account_password": {"old_password": ACCOUNT_PASSWORD, "new_password": NEW},
    "account_totp_on": {"secret": "A" * 32, "code": "123456"},
    "account_totp_off": {"code": "123456"},
    "account_recovery_codes": {},
    "account_recovery_used": {"code": "abcd"},
    "account_phone_code": {},
    "account_phone_confirm": {"ticket": "x", "code": "12345678"},
}
STRANGERS = {"administrator_claim", "totp_new", "password_forgotten", "password_reset"}
ALL = {
    "administrator_add": {"username": "ayu", "password": NEW},
    "administrator_edit": {"username": "rina", "role": "administrator"},
    "administrator_remove": {"username": "rina"},
    "administrator_activate": {"username": "rina"},
    "administrator_deactivate": {"username": "rina"},
    "administrator_block": {"username": "rina"},
    "administrator_unblock": {"username": "rina"},
    "administrator_password": {"username": "rina", "new_password": NEW},
    "administrator_totp_on": {"username": "rina", "secret": "A" * 32, "code": "123456"},
    "administrator_totp_off": {"username": "rina"},
    "administrator_recovery_codes": {"username": "rina"},
    "device_code": {},
    "administrators": {},
}


def test_every_operation_of_the_room_is_in_the_tables() -> None:
    assert {one.name for one in operations.OPERATIONS} == {*OWN, *ALL, *STRANGERS}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
@pytest.mark.parametrize("name", ALL)
def test_others_are_for_administrators(device: AccountsBench, name: str, role: Role) -> None:
    device.have(account("budi"), account("rina", role=role.value))
    with pytest.raises(NotPermitted):
        device.call(name, person("rina", role), **ALL[name])


@pytest.mark.parametrize("name", OWN)
def test_the_own_account_is_that_of_who_logged_in(device: AccountsBench, name: str) -> None:
    device.have(account("administrator"), account("app"))
    for actor in (COMMAND_LINE, Actor("app", "ingress-rest", Role.ADMINISTRATOR)):
        with pytest.raises(NotPermitted, match="logged in to the administration"):
            device.call(name, actor, **OWN[name])
    assert refused(device, name, person("gone"), **OWN[name]) == ["username"]


@pytest.mark.parametrize("name", ["administrator_totp_off", "administrator_recovery_codes", "device_code"])
def test_what_only_the_device_does_no_page_does(device: AccountsBench, name: str) -> None:
    device.have(account("budi"), account("rina", totp_secret="A" * 32))
    with pytest.raises(NotPermitted, match="on the device only"):
        device.call(name, person("budi"), **ALL[name])


def test_an_own_account_is_edited_and_no_other(device: AccountsBench) -> None:
    device.have(account("budi", phone="0811"), account("rina", role="viewer", email="r@example.com"))
    device.call("account_edit", person("rina", Role.VIEWER), preferred_language="id", phone="0812")
    rina, budi = device.kept("rina"), device.kept("budi")
    assert (rina["language"], rina["phone"], rina["email"], rina["role"]) == ("id", "0812", "r@example.com", "viewer")
    assert (budi["language"], budi["phone"]) == ("", "0811")
    with pytest.raises(InvalidSettings):
        device.call("account_edit", person("rina", Role.VIEWER), role="administrator")


# -- two-step login ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["own", "device"])
def test_two_step_login_is_on_after_a_right_code_and_that_one_is_used(device: AccountsBench, way: str) -> None:
    """ASVS 5.0 6.5.1."""
    device.have(account("budi"))
    actor, name, whose = (
        (person("budi"), "account_totp_on", {})
        if way == "own"
        else (COMMAND_LINE, "administrator_totp_on", {"username": "budi"})
    )
    made = device.call("totp_new", person("budi", Role.VIEWER), username="budi")
    assert device.kept("budi")["totp_secret"] == "", "nothing is kept before"
    totp = pyotp.parse_uri(made["uri"])
    assert isinstance(totp, pyotp.TOTP)
    wrong = f"{(int(totp.at(device.now)) + 1) % 10**6:06}"
    assert refused(device, name, actor, **whose, secret=made["secret"], code=wrong) == ["code"]
    code = totp.at(device.now)
    answer = device.call(name, actor, **whose, secret=made["secret"], code=code)
    assert len(answer["recovery_codes"]) == 10
    assert device.kept("budi")["recovery_hashes"] == [recovery_hash(one) for one in answer["recovery_codes"]]
    assert device.log_in("budi").second_factor
    assert not device.administrators.check_code("budi", code), "the code that switched it on is used"
    assert device.administrators.check_code("budi", totp.at(device.now + 30))
    for secret in (made["secret"], *answer["recovery_codes"]):
        assert secret not in repr(device.audit)
        assert secret not in repr(device.call("settings_show"))


@pytest.mark.parametrize("secret", ["", "short", "a" * 32, "1" * 32, "A" * 33, "A" * 20])
def test_a_secret_that_is_none_is_refused(device: AccountsBench, secret: str) -> None:
    device.have(account("budi"))
    assert refused(device, "account_totp_on", person("budi"), secret=secret, code="123456") == ["secret"]


def test_it_is_off_with_a_code_or_a_recovery_code_or_on_the_device(device: AccountsBench) -> None:
    secret = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    totp = pyotp.TOTP(secret)

    def on() -> list[str]:
        device.now += 60
        device.have(account("budi"))
        codes: list[str] = device.call(
            "administrator_totp_on", username="budi", secret=secret, code=totp.at(device.now)
        )["recovery_codes"]
        return codes

    codes = on()
    assert refused(device, "account_totp_off", person("budi"), code="000000") == ["code"]
    assert device.call("account_totp_off", person("budi"), code=totp.at(device.now + 30)) is True
    assert device.kept("budi")["recovery_hashes"] == []
    assert device.call("account_totp_off", person("budi"), code="000000") is False
    device.now += 60
    codes = on()
    assert device.call("account_totp_off", person("budi"), code=codes[0]) is True
    assert device.kept("budi")["totp_secret"] == ""
    on()
    assert device.call("administrator_totp_off", username="budi") is True
    assert device.call("administrator_totp_off", username="budi") is False
    assert not device.log_in("budi").second_factor


def test_new_recovery_codes_take_the_place_of_all_others(device: AccountsBench) -> None:
    device.have(account("budi"))
    assert refused(device, "account_recovery_codes", person("budi")) == ["username"]
    secret = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    device.have(account("budi", totp_secret=secret))
    first = device.call("account_recovery_codes", person("budi"))["recovery_codes"]
    second = device.call("administrator_recovery_codes", username="budi")["recovery_codes"]
    assert device.call("administrators")[0]["recovery_codes"] == 10
    assert not device.administrators.check_code("budi", first[0])
    assert device.administrators.check_code("budi", second[0])
    assert device.call("account_recovery_used", person("budi"), code=second[0]) is False
    assert device.call("account_recovery_used", person("budi"), code=second[1]) is True


def test_the_device_s_code_is_told_on_the_device(device: AccountsBench) -> None:
    code = device.data.claim.device_code.code
    assert device.call("device_code") == {"code": code, "state": "open"}
    device.have(account("budi"))
    assert device.call("device_code") == {"code": code, "state": "done"}


def test_no_password_and_no_code_is_in_the_audit(device: AccountsBench) -> None:
    device.have(account("budi"), account("rina"))
    device.call("administrator_password", username="rina", new_password=NEW)
    with pytest.raises(InvalidSettings):
        device.call("administrator_add", username="x" * 70, password=NEW)
    with pytest.raises(InvalidSettings):
        device.call("account_totp_on", person("budi"), secret="A" * 32, code="123456")
    told = repr(device.audit)
    assert not any(secret in told for secret in (NEW, "A" * 32, "123456"))
    assert [(one.operation, one.subject, one.fields) for one in device.audit[:1]] == [
        ("administrator_password", "rina", ("username", "new_password"))
    ]


# -- no other way -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("settings_add", {"section": "administrators", "values": {"username": "new", "password": "aaaaaaaaaa"}}),
        ("settings_put", {"path": "administrators.rina", "values": {"totp_secret": ""}}),
        ("settings_put", {"path": "administrators.rina", "values": {"password": "aaaaaaaaaa"}}),
        ("settings_remove", {"path": "administrators.rina"}),
        ("settings_set", {"path": "administrators.rina.password", "value": "aaaaaaaaaa"}),
        ("settings_import", {"document": {"administrators": [account("budi"), account("rina", totp_secret="")]}}),
        ("settings_import", {"document": {"sms": {}, "administrators": [account("budi")]}}),
        ("settings_import", {"document": {"administrators": {"1": account("budi")}}}),
    ],
)
def test_pages_do_not_go_around_the_operations(device: AccountsBench, name: str, arguments: dict[str, Any]) -> None:
    """A settings' document asks for no old password, judges none, and switches the two-step login of others off."""
    device.have(account("budi"), account("rina", totp_secret="A" * 32))
    before = device.data.config.export(secrets=True)
    with pytest.raises(NotPermitted, match="operations of its own"):
        device.call(name, person("budi"), **arguments)
    assert device.data.config.export(secrets=True) == before
    device.call(name, **arguments)
    assert device.data.config.export(secrets=True) != before, "on the device it does"


def test_a_document_that_changes_no_administrator_is_taken(device: AccountsBench) -> None:
    device.have(account("budi"), account("rina", totp_secret="A" * 32))
    document = device.call("settings_export", person("budi"), secrets=False)
    document["sms"]["attempts"] = 2
    assert device.call("settings_import", person("budi"), document=document) == ["sms"]
    assert device.kept("rina")["totp_secret"] == "A" * 32
