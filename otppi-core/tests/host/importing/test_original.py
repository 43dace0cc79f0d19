"""The JSON files of the original, as its own code writes them; all names, numbers and secrets are made up."""

import json
import logging
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings

MODEM: dict[str, Any] = {
    "id": "0123456789abcdef0123456789abcdef",
    "name": "Telkomsel 1",
    "port": "/dev/ttyUSB0",
    "manufacturer": "SIMCOM_Ltd",
    "model": "SIMCOM_SIM800L",
    "revision": "Revision:1418B04SIM800L24",
    "iccid": "8962100000000000000f",
    "smsCenter": "+6281100000",
    "incommingInterval": 0,
    "timeRange": 0,
    "maxPerTimeRange": 5,
    "provider": "",
    "imei": "490154203237518",
    "copsOperator": "",
    "msisdn": "628111111111",
    "imsi": "510100000000001",
    "recipientPrefix": "62811,62812",
    "simCardPIN": "4321",
    "baudRate": 0,
    "parityBit": "N",
    "startBits": "",
    "stopBits": "1.5",
    "internetAccess": True,
    "smsAPI": True,
    "deleteSentSMS": True,
    "defaultModem": True,
    "active": True,
    "apn": "internet",
    "apnUsername": "u",
    "apnPassword": "apn secret",
    "dialNumner": "*99#",
    "initDial1": "ATZ",
    "initDial2": "",
    "initDial3": "",
    "initDial4": "",
    "initDial5": "ATQ0",
    "dialCommand": "ATD",
    "autoreconnect": True,
}
SERVICES = {
    "httpEnable": True,
    "httpPort": 8898,
    "httpsEnable": False,
    "httpsPort": 10444,
    "messagePath": "/api/pesan",
    "blockingPath": "/api/block",
    "unblockingPath": "/api/unblock",
    "smsPath": "/api/sms",
    "emailPath": "/api/email",
    "otpPath": "/api/otp",
}
USER = {
    "username": "bank",
    "name": "Bank",
    "password": "6b3a55e0261b0304143f805a24924d0c1c44524821305f31d9277843b8a10f4e",
    "phone": "08111111112",
    "email": "bank@example.com",
    "lastActive": 0,
    "blocked": True,
    "active": True,
}


def test_a_modem_becomes_one_with_all_that_has_a_counterpart(ours: Any) -> None:
    told = ours.take({"resource/data/gsm/devices.json": {MODEM["id"]: MODEM}})
    modem = ours.many("modems")["Telkomsel 1"]
    assert {
        key: modem[key] for key in modem if modem[key] != ours.folder.config.sections["modems"].of(modem)[key].default
    } == {
        "name": "Telkomsel 1",
        "type": "simcom",
        "port": "/dev/ttyUSB0",
        "imei": "490154203237518",
        "sim_card_pin": "4321",
        "msisdn": "628111111111",
        "imsi": "510100000000001",
        "sms_center": "+6281100000",
        "recipient_prefixes": ["62811", "62812"],
        "default_modem": True,
        "internet_access": True,
        "apn": "internet",
        "apn_username": "u",
        "apn_password": "apn secret",
        "dial_number": "*99#",
        "init_dial_1": "ATZ",
        "init_dial_5": "ATQ0",
        "dial_command": "ATD",
        "baud_rate": 0,
        "stop_bits": 1.5,
    }
    assert ours.row(told, "Telkomsel 1 dialNumner")["place"] == "modems.Telkomsel 1.dial_number"
    assert ours.row(told, "Telkomsel 1 autoreconnect")["outcome"] == "none"
    assert ours.row(told, "Telkomsel 1 maxPerTimeRange")["reason"]


def test_no_secret_is_in_what_is_told(ours: Any) -> None:
    files = {"gsm/devices.json": {"1": MODEM}, "api/urses.json": {"bank": USER}}
    for told in (json.dumps(ours.look(files)), json.dumps(ours.take(files))):
        for secret in ("4321", "apn secret", USER["password"]):
            assert str(secret) not in told.replace("510100000000001", "")
    assert ours.row(ours.look(files), "Telkomsel 1 simCardPIN")["old"] == "***"


def test_users_of_the_api_come_without_a_password_that_anybody_has(ours: Any) -> None:
    told = ours.take({"api/urses.json": {"bank": USER}})
    user = ours.many("api_users")["bank"]
    assert (user["phone"], user["email"], user["active"], user["blocked"]) == (
        "08111111112",
        "bank@example.com",
        True,
        True,
    )
    assert user["password_hash"].startswith("$argon2id$")
    asked = ours.row(told, "bank password")
    assert (asked["outcome"], asked["old"]) == ("ask", "***")


def test_administrators_are_created_anew(ours: Any) -> None:
    told = ours.take({"user/urses.json": {"owner": USER | {"username": "owner"}}})
    assert ours.many("administrators") == {}
    assert ours.row(told, "owner")["outcome"] == "ask"
    assert told["changed"] == []


def test_which_users_a_file_without_its_folder_holds_is_asked(ours: Any) -> None:
    told = ours.look({"urses.json": {"bank": USER}})
    assert [one["outcome"] for one in told["rows"]] == ["refused"]
    assert "api" in told["rows"][0]["reason"]


def test_paths_and_ports_of_the_api(ours: Any) -> None:
    told = ours.take({"api/services.json": SERVICES})
    rest = ours.one("ingress-rest")
    assert (rest["http_port"], rest["https_enable"], rest["https_port"]) == (8898, False, 10444)
    assert rest["message_path"] == "/api/pesan"
    assert ours.row(told, "smsPath")["outcome"] == "none"
    assert ours.row(told, "httpEnable")["outcome"] == "same"


def test_a_blocking_list_is_blocked_by_our_keys(ours: Any) -> None:
    numbers = {"628111111111": True, "08111111112": True, "+628111111113": "true", "628111111114": False}
    told = ours.take({"api/blocking.json": numbers, "gsm/sms.json": {"countryCode": "62"}})
    assert set(ours.folder.blocklist.entries()) == {"628111111111", "628111111112", "628111111113"}
    assert told["blocked"] == 3
    assert ours.row(told, "numbers: 1")["outcome"] == "none"


def test_numbers_that_cannot_be_read_refuse_all_or_are_left_out(ours: Any) -> None:
    files = {"api/blocking.json": {"628111111111": True, "12": True}, "api/services.json": SERVICES}
    with pytest.raises(InvalidSettings) as refused:
        ours.take(files)
    assert [one.field for one in refused.value.problems] == ["blocking list 12"]
    assert not ours.folder.blocklist.entries()
    assert ours.one("ingress-rest")["http_port"] == 8899
    told = ours.take(files, leave_out=True)
    assert set(ours.folder.blocklist.entries()) == {"628111111111"}
    assert ours.row(told, "12")["outcome"] == "refused"


def test_numbers_that_refuse_an_import_are_neither_in_the_log_nor_in_the_audit_trail(
    ours: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    written = ["0812345678901234567", "+62 811 1111 x7", "08111"]
    with pytest.raises(InvalidSettings) as refused:
        ours.take({"api/blocking.json": dict.fromkeys(written, True), "api/services.json": SERVICES})
    assert [one.field for one in refused.value.problems] == [f"blocking list {one}" for one in written]
    ours.folder.audit.flush()
    kept = [caplog.text, *(one.read_text() for one in (ours.folder.path / "audit").iterdir())]
    assert "refused (blocking list)" in caplog.text
    assert [one for one in written for text in kept if one[:5] in text] == []


def test_the_country_of_the_files_is_that_of_their_numbers(ours: Any) -> None:
    ours.take({"gsm/sms.json": {"countryCode": "60"}, "api/blocking.json": {"0123456789": True}})
    assert ours.one("sms")["country_code"] == "60"
    assert set(ours.folder.blocklist.entries()) == {"60123456789"}


@pytest.mark.parametrize(
    ("name", "values", "section", "expected"),
    [
        (
            "subscriber-ws.json",
            {
                "subscriberWsEnable": True,
                "subscriberWsSSL": True,
                "subscriberWsAddress": "ws.example.com",
                "subscriberWsPort": 8080,
                "subscriberWsPath": "ws",
                "subscriberWsUsername": "u",
                "subscriberWsPassword": "p",
                "subscriberWsTopic": "otp",
                "subscriberWsTimeout": 5000,
                "subscriberWsReconnectDelay": 12000,
                "subscriberWsRefresh": 600,
            },
            "ingress-wsmessagebroker",
            {
                "enable": True,
                "ssl": True,
                "host": "ws.example.com",
                "port": 8080,
                "path": "/ws",
                "username": "u",
                "password": "p",
                "topic": "otp",
                "timeout": 5.0,
                "reconnect_delay": 12.0,
                "refresh": 600,
            },
        ),
        (
            "feeder-amqp.json",
            {
                "feederAmqpEnable": True,
                "feederAmqpAddress": "mq.example.com",
                "feederAmqpPort": 5671,
                "feederAmqpSSL": True,
                "feederAmqpTopic": "codes",
                "feederAmqpTimeout": 0,
                "feederAmqpPath": "",
            },
            "ingress-rabbitmq",
            {"enable": True, "host": "mq.example.com", "port": 5671, "ssl": True, "queue": "codes", "timeout": 10.0},
        ),
        (
            "subscriber-mqtt.json",
            {
                "subscriberMqttEnable": True,
                "subscriberMqttAddress": "mqtt.example.com",
                "subscriberMqttPort": "1884",
                "subscriberMqttClientID": "otp-1",
                "subscriberMqttTopic": "sms/otp",
                "subscriberMqttQos": 0,
                "subscriberMqttTimeout": 2500,
            },
            "ingress-mqtt",
            {
                "enable": True,
                "host": "mqtt.example.com",
                "port": 1884,
                "client_id": "otp-1",
                "topic": "sms/otp",
                "qos": 0,
                "timeout": 2.5,
            },
        ),
        (
            "subscriber-stomp.json",
            {"subscriberStompEnable": True, "subscriberStompTopic": "sms", "subscriberStompPort": 61613},
            "ingress-stomp",
            {"enable": True, "destination": "/topic/sms", "port": 61613},
        ),
        (
            "subscriber-redis.json",
            {"subscriberRedisEnable": True, "subscriberRedisTopic": "otp", "subscriberRedisUsername": "name"},
            "ingress-redis",
            {"enable": True, "key": "otp", "kind": "channel", "username": ""},
        ),
    ],
)
def test_brokers(ours: Any, name: str, values: dict[str, Any], section: str, expected: dict[str, Any]) -> None:
    ours.take({f"subscriber/{name}": values})
    assert {key: ours.one(section)[key] for key in expected} == expected


def test_amqp_1_is_another_protocol_and_is_not_switched_on(ours: Any) -> None:
    values = {
        "subscriberAmqpEnable": True,
        "subscriberAmqpVersion": 1,
        "subscriberAmqpAddress": "mq.example.com",
        "subscriberAmqpTopic": "sms",
    }
    told = ours.take({"subscriber-amqp.json": values})
    assert (ours.one("ingress-rabbitmq")["enable"], ours.one("ingress-rabbitmq")["host"]) == (False, "mq.example.com")
    assert "0-9-1" in ours.row(told, "subscriberAmqpVersion")["reason"]


def test_a_file_of_an_earlier_version_gives_way_to_its_successor(ours: Any) -> None:
    new = {"subscriberAmqpAddress": "new.example.com"}
    told = ours.take({"a/feeder-amqp.json": {"feederAmqpAddress": "old.example.com"}, "b/subscriber-amqp.json": new})
    assert ours.one("ingress-rabbitmq")["host"] == "new.example.com"
    assert [one["reason"] for one in told["rows"] if one["file"] == "a/feeder-amqp.json"] == [
        "b/subscriber-amqp.json says it, which is read instead"
    ]


def test_general_settings(ours: Any) -> None:
    values = {
        "deviceTimeZone": "Asia/Makassar",
        "dropExpireOTP": True,
        "otpExpirationOffset": 30000,
        "ntpServer": "pool.example.com",
        "restartService": "",
    }
    told = ours.take({"general/general-config.json": values})
    assert ours.one("clock")["time_zone"] == "Asia/Makassar"
    assert ours.one("sms")["default_lifetime"] == 30
    assert ours.row(told, "ntpServer")["outcome"] == "none"


def test_what_has_no_counterpart_is_told_with_the_reason(ours: Any) -> None:
    told = ours.look(
        {
            "email/sender-account.json": [{"host": "smtp.example.com", "senderPassword": "mail secret", "port": 25}],
            "ddns/vendor/noip.json": {"username": "u", "password": "ddns secret", "active": True},
            "network/wlan.json": {"essid": "OTP-Pi", "key": "wlan secret"},
            "keystore/keystores.json": {"1": {"filePassword": "key secret", "fileName": "k.jks"}},
        }
    )
    assert {one["outcome"] for one in told["rows"]} == {"none"}
    assert all(one["reason"] for one in told["rows"])
    assert [one["key"] for one in told["rows"] if one["file"].startswith("email")] == ["values: 3"]
    assert "secret" not in json.dumps(told)


def test_what_cannot_work_is_said_in_the_words_of_the_settings_all_at_once(ours: Any) -> None:
    modem = MODEM | {"port": "COM4", "simCardPIN": "wrong", "name": "A/B"}
    files = {"gsm/devices.json": {"1": modem}, "api/services.json": SERVICES | {"httpPort": 99999}}
    with pytest.raises(InvalidSettings) as refused:
        ours.take(files)
    assert {one.field for one in refused.value.problems} == {
        "modems.A-B.port",
        "modems.A-B.sim_card_pin",
        "ingress-rest.http_port",
    }
    look = ours.look(files)
    assert "COM4" in ours.row(look, "A-B port")["reason"]
    assert ours.row(look, "httpEnable")["outcome"] == "same"
    told = ours.take(files, leave_out=True)
    assert ours.many("modems")["A-B"]["port"] == ""
    assert ours.row(told, "A-B simCardPIN")["outcome"] == "refused"
    assert ours.one("ingress-rest")["http_port"] == 8899
    assert ours.one("ingress-rest")["message_path"] == "/api/pesan"


def test_taking_over_twice_changes_nothing_the_second_time(ours: Any) -> None:
    files = {
        "gsm/devices.json": {"1": MODEM},
        "api/urses.json": {"bank": USER},
        "api/services.json": SERVICES,
        "api/blocking.json": {"628111111111": True},
    }
    first = ours.take(files)
    revision = ours.folder.config.revision
    second = ours.take(files)
    assert set(first["changed"]) == {"modems", "api_users", "ingress-rest"}
    assert (second["changed"], second["blocked"], ours.folder.config.revision) == ([], 0, revision)
    assert second["counts"].get("taken", 0) == 0


def test_all_of_it_is_one_revision(ours: Any) -> None:
    before = ours.folder.config.revision
    ours.take({"gsm/devices.json": {"1": MODEM}, "api/services.json": SERVICES, "gsm/sms.json": {"countryCode": "60"}})
    assert ours.folder.config.revision == before + 1


def test_a_modem_that_is_here_under_another_name_stays_one(ours: Any) -> None:
    ours.set({"modems": [{"name": "mine", "imei": MODEM["imei"], "daily_quota": 200}]})
    ours.take({"gsm/devices.json": {"1": MODEM}})
    assert list(ours.many("modems")) == ["mine"]
    assert (ours.many("modems")["mine"]["daily_quota"], ours.many("modems")["mine"]["sim_card_pin"]) == (200, "4321")


def test_names_that_are_there_twice_become_two(ours: Any) -> None:
    ours.take({"gsm/devices.json": {"1": MODEM, "2": MODEM | {"imei": "490154203237519", "imsi": "510100000000002"}}})
    assert list(ours.many("modems")) == ["Telkomsel 1", "Telkomsel 1 2"]


def test_the_port_of_the_pages_is_in_another_file(ours: Any) -> None:
    ours.take({"config.ini": "# Server\notppi.server.port=8889\notppi.device.secret.key=made up\n"})
    assert ours.one("administration")["port"] == 8889


@pytest.mark.parametrize(
    "text", ["{", "[1, 2]", '{"1": 5}', "[" * 100_000, '{"a": NaN}', '{"a": ' + "9" * 5000 + "}", "{}x"]
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(ours: Any, text: str) -> None:
    told = ours.look({"gsm/devices.json": text, "api/services.json": SERVICES})
    assert [one["outcome"] for one in told["rows"] if one["file"] == "gsm/devices.json"] == ["refused"]
    assert ours.row(told, "httpPort")["outcome"] == "taken"


@pytest.mark.parametrize("value", [None, [], {}, -1, 1e300, "x" * 10_000, True, "\x00\u202e"])
def test_values_of_any_kind_are_taken_or_refused_and_harm_nothing(ours: Any, value: object) -> None:
    files = {
        "gsm/devices.json": {"1": dict.fromkeys(MODEM, value)},
        "api/services.json": dict.fromkeys(SERVICES, value),
        "api/urses.json": {"bank": dict.fromkeys(USER, value)},
        "general-config.json": dict.fromkeys(("deviceTimeZone", "otpExpirationOffset", "dropExpireOTP"), value),
        "gsm/sms.json": {"countryCode": value},
    }
    told = ours.look(files)
    assert {one["outcome"] for one in told["rows"]} <= {"taken", "same", "ask", "none", "refused"}
    assert all(len(one["old"]) <= 80 for one in told["rows"])
    ours.take(files, leave_out=True)


def test_what_is_no_configuration_is_told(ours: Any) -> None:
    with pytest.raises(InvalidSettings, match="hold no configuration that is known"):
        ours.look({"notes.txt": "nothing of the kind"})
