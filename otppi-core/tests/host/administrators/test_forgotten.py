"""A forgotten password: the same answer for all, a code of one use to a number that is known, and its limits."""

import re
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings, NotDone, OtpPiError, Throttled
from otppi.api.operations import Actor, Role
from otppi.host.administrators.administrators import ORIGIN
from otppi.host.administrators.forgotten import number_hash
from otppi.host.administrators.sent_codes import DIGITS, LIFE, SentCodes
from otppi.testing.accounts import ACCOUNT_PASSWORD, AccountsBench, account, person
from otppi.testing.waiting import until

NUMBER = "081234567890"
NEW = "sepeda biru di atas awan"
STRANGER = Actor("", ORIGIN, Role.VIEWER, "192.0.2.20")
SECRET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def known(name: str = "budi", **values: Any) -> dict[str, Any]:
    return account(name, **{"phone": NUMBER, "phone_confirmed": number_hash(NUMBER), **values})


def ask(device: AccountsBench, name: str = "budi", actor: Actor = STRANGER, **arguments: Any) -> str:
    answer = device.call("password_forgotten", actor, username=name, **arguments)
    assert answer.keys() == {"ticket"}
    return str(answer["ticket"])


def sent_code(device: AccountsBench, count: int = 1) -> str:
    until(lambda: len(device.sent) == count, "the code is handed over")
    (code,) = re.findall(rf"\b[0-9]{{{DIGITS}}}\b", device.sent[-1][1])
    return str(code)


def reset(device: AccountsBench, ticket: str, code: str, password: str = NEW) -> Any:
    return device.call("password_reset", STRANGER, ticket=ticket, code=code, new_password=password)


def refused(device: AccountsBench, ticket: str, code: str, password: str = NEW) -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        reset(device, ticket, code, password)
    return [one.field for one in caught.value.problems]


def test_a_code_by_sms_sets_a_new_password_once(device: AccountsBench) -> None:
    device.have(known())
    before = device.administrators.find("budi")
    ticket = ask(device)
    code = sent_code(device)
    number, text, name = device.sent[0]
    assert (number, name) == (NUMBER, "budi")
    assert len(text) <= 160, "one SMS"
    assert refused(device, ticket, code, "budi081234567890") == ["new_password"], "and the code stays good"
    assert reset(device, ticket, f" {code[:4]} {code[4:]} ") is True
    assert device.log_in("budi", NEW).name == "budi"
    after = device.administrators.find("budi")
    assert before is not None
    assert after is not None
    assert after.stamp != before.stamp, "all sessions end"
    assert refused(device, ticket, code) == ["code"]
    told = [(one.operation, one.actor.name, one.subject, one.outcome) for one in device.audit if one.outcome == "done"]
    assert ("password_forgotten", "budi", "budi", "done") in told, "the audit tells whose it was"
    assert {one.actor.address for one in device.audit} == {"192.0.2.20", "192.0.2.1"}
    assert not any(secret in repr(device.audit) for secret in (code, ticket, NEW, NUMBER))


def test_two_step_login_stays(device: AccountsBench) -> None:
    """ASVS 5.0 6.4.3."""
    device.have(known(totp_secret=SECRET))
    reset(device, ask(device), sent_code(device))
    assert device.log_in("budi", NEW).second_factor
    assert device.kept("budi")["totp_secret"] == SECRET


@pytest.mark.parametrize(
    "values",
    [
        {"phone_confirmed": ""},
        {"phone": "081200000000"},
        {"phone": "", "phone_confirmed": number_hash("")},
        {"active": False},
        {"blocked": True},
    ],
    ids=["not confirmed", "another number", "none", "not active", "blocked"],
)
def test_who_can_have_no_code_gets_the_same_answer_and_no_message(
    device: AccountsBench, values: dict[str, Any]
) -> None:
    device.have(known(**values), known("rina"))
    for name in ("budi", "nobody", "my own password"):
        ticket = ask(device, name)
        assert len(ticket) == 43
        assert refused(device, ticket, "12345678") == ["code"]
    ask(device, "rina", Actor("", ORIGIN, Role.VIEWER, "192.0.2.21"))
    sent_code(device)
    assert [name for _, _, name in device.sent] == ["rina"]
    assert "my own password" not in repr(device.audit)


def test_the_message_is_in_the_language_of_who_gets_it(device: AccountsBench) -> None:
    device.have(known(), known("rina", language="en"))
    ask(device)
    sent_code(device)
    assert "password baru" in device.sent[0][1]
    ask(device, preferred_language="en")
    sent_code(device, 2)
    assert "valid for 10 minutes" in device.sent[1][1]
    ask(device, "rina", preferred_language="id")
    sent_code(device, 3)
    assert "valid for 10 minutes" in device.sent[2][1]


def test_a_code_is_of_no_use_in_another_browser(device: AccountsBench) -> None:
    """ASVS 5.0 6.6.3."""
    device.have(known(), known("rina"))
    ticket = ask(device)
    code = sent_code(device)
    other = ask(device, "rina")
    for wrong in (other, "", "x" * 43, f"{ticket}x"):
        with pytest.raises(InvalidSettings):
            reset(device, wrong, code)
    assert reset(device, ticket, code)


def test_after_five_wrong_codes_the_right_one_is_refused(device: AccountsBench) -> None:
    device.have(known())
    ticket = ask(device)
    code = sent_code(device)
    wrong = f"{(int(code) + 1) % 10**DIGITS:0{DIGITS}}"
    for typed in (wrong, "0", "1", code[:-1], "x"):
        assert refused(device, ticket, typed) == ["code"]
    assert refused(device, ticket, code) == ["code"]
    assert device.log_in("budi", ACCOUNT_PASSWORD).name == "budi"


def test_a_code_is_valid_for_ten_minutes(device: AccountsBench) -> None:
    device.have(known())
    ticket = ask(device)
    code = sent_code(device)
    device.seconds += LIFE - 1
    assert refused(device, ticket, "1") == ["code"]
    device.seconds += 1
    assert refused(device, ticket, code) == ["code"]


def test_three_codes_an_hour_are_sent_and_the_last_one_is_good(device: AccountsBench) -> None:
    device.have(known())
    tickets = []
    for number in range(6):
        tickets.append(ask(device, actor=Actor("", ORIGIN, Role.VIEWER, f"192.0.2.{number}")))
        until(lambda: len(device.sent) >= min(3, len(tickets)))
    code = sent_code(device, 3)
    assert refused(device, tickets[1], code) == ["code"], "a new one takes the place of the one before"
    assert refused(device, tickets[5], code) == ["code"]
    assert reset(device, tickets[2], code), "and no stranger who asks spoils it"
    notice(device, 4)
    device.seconds += 3_600
    ask(device, actor=Actor("", ORIGIN, Role.VIEWER, "192.0.2.99"))
    sent_code(device, 5)


def test_an_address_that_asks_and_asks_is_slowed_down_and_told_the_seconds(device: AccountsBench) -> None:
    device.have(known())
    for number in range(5):
        ask(device, f"name {number}")
    for wait in (1, 2, 4, 8, 16, 32, 64, 128, 256, 300):
        with pytest.raises(Throttled) as caught:
            ask(device)
        assert caught.value.retry_after == wait
        device.seconds += wait
        ask(device, "nobody")
    ask(device, actor=Actor("", ORIGIN, Role.VIEWER, "192.0.2.99"))


def test_where_nothing_can_be_sent_that_is_said(device: AccountsBench) -> None:
    device.have(known())
    device.can_send = False
    for name in ("budi", "nobody"):
        with pytest.raises(NotDone, match="cannot send yet"):
            ask(device, name)


def test_a_message_that_is_not_taken_is_told_to_the_log_alone(
    device: AccountsBench, caplog: pytest.LogCaptureFixture
) -> None:
    def refuses(number: str, text: str, name: str) -> None:
        raise OtpPiError("the queue is full")

    device.have(known())
    device.forgotten._send = refuses
    ask(device)
    until(lambda: "the queue is full" in caplog.text)
    assert NUMBER not in caplog.text
    with pytest.raises(OtpPiError, match="the queue is full"):
        device.call("account_phone_code", person("budi"))


# -- whose number it is -----------------------------------------------------------------------------------------------


def test_a_number_serves_once_it_has_received_a_code(device: AccountsBench) -> None:
    """ASVS 5.0 6.6.1."""
    device.have(account("budi", phone=NUMBER))
    assert not device.log_in("budi").phone_confirmed
    budi = person("budi", Role.VIEWER)
    ticket = device.call("account_phone_code", budi)["ticket"]
    code = sent_code(device)
    with pytest.raises(InvalidSettings):
        device.call("account_phone_confirm", budi, ticket=ticket, code="1")
    with pytest.raises(InvalidSettings):
        reset(device, ticket, code)
    assert device.call("account_phone_confirm", budi, ticket=ticket, code=code) is True
    assert device.log_in("budi").phone_confirmed
    with pytest.raises(InvalidSettings):
        device.call("account_phone_confirm", budi, ticket=ticket, code=code)
    assert reset(device, ask(device), sent_code(device, 2))


@pytest.mark.parametrize(
    ("chosen", "asked", "words"), [("", "en", "is yours"), ("", "id", "milik Anda"), ("id", "en", "milik Anda")]
)
def test_the_code_comes_in_the_language_of_the_page(device: AccountsBench, chosen: str, asked: str, words: str) -> None:
    """An administrator who has chosen one gets it in that."""
    device.have(account("budi", phone=NUMBER, language=chosen))
    device.call("account_phone_code", person("budi"), preferred_language=asked)
    assert words in device.sent[0][1]


def test_a_code_confirms_no_number_that_was_set_meanwhile_and_no_other_account(device: AccountsBench) -> None:
    device.have(account("budi", phone=NUMBER), account("rina", phone=NUMBER))
    ticket = device.call("account_phone_code", person("budi"))["ticket"]
    code = sent_code(device)
    with pytest.raises(InvalidSettings):
        device.call("account_phone_confirm", person("rina"), ticket=ticket, code=code)
    device.call("account_edit", person("budi"), phone="081200000000")
    with pytest.raises(InvalidSettings):
        device.call("account_phone_confirm", person("budi"), ticket=ticket, code=code)
    assert not device.log_in("budi").phone_confirmed


def test_without_a_number_and_too_often_no_code_is_sent(device: AccountsBench) -> None:
    device.have(account("budi", phone=NUMBER), account("rina"))
    with pytest.raises(InvalidSettings):
        device.call("account_phone_code", person("rina"))
    for _ in range(3):
        device.call("account_phone_code", person("budi"))
    device.seconds += 60
    with pytest.raises(Throttled) as caught:
        device.call("account_phone_code", person("budi"))
    assert caught.value.retry_after == 3_540
    assert len(device.sent) == 3


def test_so_many_codes_are_remembered_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otppi.host.administrators.sent_codes._MOST", 10)
    codes = SentCodes()
    made = [codes.make("password", str(number)) for number in range(20)]
    assert len(codes._sent) == 10
    assert codes.whose("password", *made[-1]) == "19"
    assert codes.whose("password", *made[0]) == ""
    ticket, code = made[-1]
    kept = repr(codes._sent) + repr(list(codes._sent))
    assert ticket not in kept
    assert code not in kept


# -- a changed password is told ---------------------------------------------------------------------------------------


def notice(device: AccountsBench, count: int = 1) -> tuple[str, str, str]:
    until(lambda: len(device.sent) == count, "the notice is handed over")
    return device.sent[-1]


def test_whoever_changes_a_password_its_owner_is_told(device: AccountsBench) -> None:
    """ASVS 5.0 6.3.7."""
    device.have(known(language="en"), known("rina", phone="081211111111", phone_confirmed=number_hash("081211111111")))
    device.call("account_password", person("budi"), old_password=ACCOUNT_PASSWORD, new_password=NEW)
    number, text, name = notice(device)
    assert (number, name) == (NUMBER, "budi")
    assert re.fullmatch(r"The password of budi on OTP-Pi was changed at \d\d:\d\d\. .*", text)
    assert len(text) <= 160, "one SMS"
    device.call("administrator_password", person("budi"), username="rina", new_password=f"{NEW} lagi")
    number, text, name = notice(device, 2)
    assert (number, name) == ("081211111111", "rina")
    assert text.startswith("Password rina di OTP-Pi diganti")
    device.call("administrator_password", username="budi", new_password=f"{NEW} juga")
    assert notice(device, 3)[0] == NUMBER, "also where that was on the device"
    reset(device, ask(device, "rina"), sent_code(device, 4))
    assert notice(device, 5)[2] == "rina"
    assert not any(NEW in text for _, text, _ in device.sent)


@pytest.mark.parametrize("values", [{"phone_confirmed": ""}, {"phone": "081200000000"}, {"phone": ""}])
def test_no_number_is_told_that_is_not_confirmed(device: AccountsBench, values: dict[str, Any]) -> None:
    device.have(known(**values), known("rina"))
    device.call("administrator_password", username="budi", new_password=NEW)
    device.can_send = False
    device.call("administrator_password", username="rina", new_password=NEW)
    device.can_send = True
    device.call("administrator_password", username="rina", new_password=f"{NEW} lagi")
    assert notice(device)[2] == "rina"
