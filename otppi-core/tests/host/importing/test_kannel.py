"""The configuration of Kannel."""

from typing import Any

import pytest

from otppi.api.errors import InvalidSettings

CONF = """\
group = core
admin-port = 13000
admin-password = admin secret
unified-prefix = "+62,0062,0;+,00"
black-list = "file:/etc/kannel/black.txt"
sms-resend-retry = 3
sms-outgoing-queue-limit = 5000

group = smsc
smsc = at
smsc-id = telkomsel
modemtype = wavecom
device = /dev/ttyUSB0
pin = 4321
my-number = 08111111111
sms-center = +6281100000
allowed-prefix = "0811;0812"
preferred-prefix = "0812;0813"
denied-prefix = "0899"
throughput = 0.1
validityperiod = 167

group = smsc
smsc = smpp
smsc-id = operator
host = smpp.example.com
smsc-password = smpp secret

group = smsc
smsc = at
device = rawtcp

group = modems
id = wavecom
init-string = "AT+CNMI=1,2,0,1,0"
speed = 9600

group = smsbox
sendsms-port = 13013

group = sendsms-user
username = tester
password = "foo\\"bar"
user-allow-ip = "127.0.0.1"
default-smsc = telkomsel

group = sms-service
keyword = default
text = "No service specified"

group = wapbox
bearerbox-host = localhost
"""


def test_modems_users_and_what_holds_for_all(ours: Any) -> None:
    told = ours.take({"kannel.conf": CONF, "black.txt": "08111111112\n"})
    modem = ours.many("modems")["telkomsel"]
    assert (modem["type"], modem["port"], modem["baud_rate"]) == ("wavecom", "/dev/ttyUSB0", 9600)
    assert (modem["sim_card_pin"], modem["msisdn"], modem["sms_center"]) == ("4321", "08111111111", "+6281100000")
    assert modem["recipient_prefixes"] == ["62811", "62812", "62813"]
    assert (modem["rate_per_minute"], modem["init_commands"]) == (6, ["AT+CNMI=1,2,0,1,0"])
    sms = ours.one("sms")
    assert (sms["country_code"], sms["attempts"], sms["queue_size"]) == ("62", 4, 5000)
    assert set(ours.folder.blocklist.entries()) == {"628111111112"}
    assert ours.row(told, "operator")["outcome"] == "none"
    assert ours.row(told, "smsc 3 device")["outcome"] == "refused"
    for key in ("smsbox sendsms-port", "tester user-allow-ip", "telkomsel denied-prefix", "sms-service", "wapbox"):
        assert ours.row(told, key)["outcome"] == "none", key
    for secret in ("admin secret", "smpp secret", "foo"):
        assert secret not in str(told), secret


def test_a_black_list_that_is_longer_than_any_configuration(ours: Any) -> None:
    numbers = [f"62811{number:07}" for number in range(25_000)]
    told = ours.look({"kannel.conf": CONF, "black.txt": "\n".join(numbers)})
    assert told["program"] == "Kannel"
    assert ours.row(told, "numbers: 25000")["outcome"] == "taken"


def test_a_password_in_plain_text_is_that_of_the_user(ours: Any) -> None:
    from otppi.host.settings.password_hash import is_password

    ours.take({"kannel.conf": CONF}, leave_out=True)
    assert is_password(ours.many("api_users")["tester"]["password_hash"], 'foo"bar')


def test_taking_over_twice_changes_nothing_the_second_time(ours: Any) -> None:
    ours.take({"kannel.conf": CONF})
    again = ours.take({"kannel.conf": CONF})
    assert (again["changed"], again["counts"].get("taken", 0)) == ([], 0)


def test_a_look_compares_no_password_and_says_so(ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ours.take({"kannel.conf": CONF})
    monkeypatch.setattr("otppi.host.settings.secrets.is_password", never)
    monkeypatch.setattr("otppi.host.settings.secrets.hash_password", never)
    monkeypatch.setattr("argon2.PasswordHasher.verify", never)
    told = ours.look({"kannel.conf": CONF})
    row = ours.row(told, "tester password")
    assert (row["outcome"], row["old"], row["new"]) == ("taken", "***", "***")
    assert row["reason"] == "whether the user has this password already is known when it is taken over"
    assert told["counts"]["taken"] == 1


def never(*_arguments: object) -> bool:
    raise AssertionError("a password is compared")


def test_another_password_is_told_as_taken_over(ours: Any) -> None:
    ours.take({"kannel.conf": CONF})
    told = ours.take({"kannel.conf": CONF.replace("bar", "baz")})
    row = ours.row(told, "tester password")
    assert (row["outcome"], row["reason"], told["changed"], told["counts"]["taken"]) == ("taken", "", ["api_users"], 1)


def users(count: int) -> dict[str, str]:
    groups = (f"group = sendsms-user\nusername = user{number}\npassword = p{number}\n" for number in range(count))
    return {"kannel.conf": "\n".join(groups)}


def test_only_so_many_users_with_passwords_are_taken_over_at_once(ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "51 users with passwords are more than can be taken over at once: split the file into parts of 50"
    with monkeypatch.context() as patch:
        patch.setattr("otppi.host.settings.secrets.hash_password", never)
        assert [one["field"] for one in ours.look(users(51))["problems"]] == ["api_users"]
        for leave_out in (False, True):
            with pytest.raises(InvalidSettings, match=reason):
                ours.take(users(51), leave_out=leave_out)
    assert ours.many("api_users") == {}
    ours.take(users(50))
    assert len(ours.many("api_users")) == 50


@pytest.mark.parametrize("unified", ["+,00", "62,0", "+62", "", "+0,0", "x"])
def test_a_country_is_taken_only_where_a_national_number_says_one(ours: Any, unified: str) -> None:
    ours.take({"k.conf": f'group = core\nunified-prefix = "{unified}"\n'})
    assert ours.one("sms")["country_code"] == "62"


def test_a_file_that_is_included_and_was_not_given_is_asked_for(ours: Any) -> None:
    told = ours.look({"kannel.conf": 'group = core\nadmin-port = 1\ninclude = "/etc/kannel/modems.conf"\n'})
    assert ours.row(told, "include")["outcome"] == "ask"
    told = ours.look(
        {"kannel.conf": 'group = core\ninclude = "/etc/kannel/modems.conf"\n', "modems.conf": "group = x\n"}
    )
    assert [one for one in told["rows"] if one["key"] == "include"] == []


def test_files_of_several_programs_are_chosen_from(ours: Any) -> None:
    files = {"kannel.conf": CONF, "smsd.conf": "devices = A\n[A]\ndevice = /dev/ttyUSB1\n"}
    with pytest.raises(InvalidSettings, match="smstools, kannel"):
        ours.look(files)
    assert ours.look(files, program="smstools")["program"] == "smstools3"


def test_a_user_without_a_name_is_refused(ours: Any) -> None:
    told = ours.take({"k.conf": "group = sendsms-user\npassword = made up\n"})
    assert ours.row(told, "sendsms-user")["outcome"] == "refused"
    assert (told["changed"], ours.many("api_users")) == ([], {})
