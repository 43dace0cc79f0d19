"""A data folder of the version before (commit 7aef8c7) is read: its file is written here as that version wrote it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from otppi.host.data_folder import DataFolder, config_of
from otppi.host.meter.limits import Span, limits_of
from otppi.host.meter.prices import DAY, MONTH, Promotion, tariff_of
from otppi.host.modems.settings import MODEMS
from otppi.host.settings.config import Config
from otppi.host.settings.password_hash import is_password
from otppi.host.storage.store import Store

HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$0FVlEm0DJCPOr0lKXAjqX0eZI7J4MZ1mL3HxGcGuAjk"
MODEM: dict[str, Any] = {
    "name": "m0",
    "type": "scripted",
    "port": "/dev/ttyUSB0",
    "sms_center": "",
    "imei": "490154203237518",
    "msisdn": "0812",
    "imsi": "",
    "recipient_prefixes": ["0871", "62872"],
    "sim_card_pin": "1234",
    "baud_rate": 115200,
    "parity_bit": "none",
    "start_bits": 1,
    "stop_bits": 1,
    "flow_control": "none",
    "init_commands": ["AT+CFUN=1"],
    "internet_access": False,
    "internet_port": "",
    "apn_preset": "automatic",
    "apn": "",
    "apn_username": "",
    "apn_password": "",
    "dial_number": "",
    "init_dial_1": "",
    "init_dial_2": "",
    "init_dial_3": "",
    "init_dial_4": "",
    "init_dial_5": "",
    "dial_command": "",
    "send_from_api": True,
    "delivery_reports": True,
    "rate_per_minute": 0,
    "daily_quota": 100,
    "monthly_quota": 0,
    "monthly_receivers": 0,
    "quiet_hours": ["22:00-06:00", "12:00-13:00"],
    "quiet_for": "bulk",
    "price": 350.0,
    "prices": ["0871=50", "62872=49.5"],
    "promotions": ["100/day=10", "0871:5/month=0"],
    "ussd_timeout": 60.0,
    "balance_ussd": "*123#",
    "balance_pattern": "",
    "balance_low": 0.0,
    "balance_every": 0.0,
    "default_modem": True,
    "active": True,
    "speed": 2.0,
    "key": "k",
}
USER = {
    "username": "shop",
    "password": "",
    "password_hash": HASH,
    "token_hashes": ["9f86d081884c7d65"],
    "phone": "",
    "email": "",
    "active": True,
    "blocked": False,
    "manage_keys": False,
}
TABLES: dict[str, list[dict[str, Any]]] = {
    "sms": [{"country_code": "62", "countries": [], "attempts": 5}],
    "otp": [{"allowed_prefixes": ["0812"]}],
    "modems": [MODEM],
    "api_users": [USER],
    "ingress-test": [{"port": 8080, "enable": True, "password": "hidden"}],
}


def write(folder: Path, tables: dict[str, list[dict[str, Any]]]) -> Path:
    """Write a data folder as that version did: tables by number, a check sum, a copy, and the mark beside them."""
    numbered = {name: {str(at): one for at, one in enumerate(objects, 1)} for name, objects in tables.items()}
    canonical = json.dumps(numbered, sort_keys=True, separators=(",", ":")).encode()
    content = json.dumps(numbered | {"_check": {"1": {"sha256": hashlib.sha256(canonical).hexdigest()}}})
    folder.mkdir(mode=0o700)
    for name in ("settings.json", "settings.json.bak"):
        (folder / name).write_text(content)
    (folder / "settings.claimed").write_bytes(b"with check sums\n")
    return folder


@pytest.fixture
def earlier(tmp_path: Path, data: DataFolder) -> Config:
    return config_of(Store(write(tmp_path / "earlier", TABLES) / "settings.json"), data.plugins)


def test_all_of_it_can_be_used(earlier: Config) -> None:
    assert earlier.problems == []
    assert earlier.revision == 0
    (modem,) = earlier.many(MODEMS)
    for key in MODEM.keys() - {"recipient_prefixes", "prices", "promotions", "quiet_hours"}:
        assert dict(modem)[key] == MODEM[key], key
    assert earlier.one("ingress-test") == TABLES["ingress-test"][0]
    assert earlier.one("sms")["attempts"] == 5


def test_what_were_texts_are_rows(earlier: Config) -> None:
    (modem,) = earlier.many(MODEMS)
    assert modem["recipient_prefixes"] == ["62871", "62872"]
    assert earlier.one("otp")["allowed_prefixes"] == ["62812"]
    tariff = tariff_of(modem)
    assert tariff.prices == (("62871", 50.0), ("62872", 49.5))
    assert tariff.promotions == (Promotion("", 100, DAY, 10.0), Promotion("62871", 5, MONTH, 0.0))
    assert limits_of(modem).quiet_hours == (Span(22 * 60, 6 * 60), Span(12 * 60, 13 * 60))
    exported = earlier.export(secrets=False)["modems"][0]
    assert exported["prices"] == [{"prefix": "62871", "price": 50.0}, {"prefix": "62872", "price": 49.5}]
    assert exported["quiet_hours"][0] == {"start": "22:00", "end": "06:00"}


def test_users_keep_their_passwords(earlier: Config) -> None:
    earlier.update({"api_users": [{"username": "shop", "phone": "0812"}]})
    (user,) = earlier.many("api_users")
    assert (user["password_hash"], user["token_hashes"]) == (HASH, USER["token_hashes"])
    earlier.update({"api_users": [{"username": "shop", "password": "another"}]})
    assert is_password(earlier.many("api_users")[0]["password_hash"], "another")


def test_a_change_keeps_the_rest_in_the_new_form(tmp_path: Path, earlier: Config, data: DataFolder) -> None:
    assert earlier.update({"sms": {"country_code": "65"}}) == ["sms"]
    assert earlier.revision == 1
    again = config_of(Store(tmp_path / "earlier/settings.json"), data.plugins)
    assert again.problems == []
    (modem,) = again.many(MODEMS)
    assert modem["prices"][0] == {"prefix": "62871", "price": 50.0}  # not read anew with the country that is set now
    assert modem["sim_card_pin"] == "1234"


def test_a_document_in_the_earlier_form_changes_nothing(earlier: Config) -> None:
    document = {key: objects if key in ("modems", "api_users") else objects[0] for key, objects in TABLES.items()}
    assert earlier.update(document) == []


def test_what_could_not_work_is_told_and_the_rest_is_used(tmp_path: Path, data: DataFolder) -> None:
    twins = {"modems": [{**MODEM, "imei": ""}, {**MODEM, "name": "m1", "imei": ""}]}
    config = config_of(Store(write(tmp_path / "earlier", twins) / "settings.json"), data.plugins)
    assert [problem.field for problem in config.problems] == ["modems[1].port"]
    assert [modem["name"] for modem in config.many("modems") if modem["active"]] == ["m0", "m1"]
