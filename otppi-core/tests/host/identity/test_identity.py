"""The identity of a device: what is drawn, what a document may say, and what is told of one that cannot be."""

import json
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings
from otppi.host.administrators.device_code import ALPHABET
from otppi.host.identity.countries import COUNTRIES
from otppi.host.identity.identity import CODE_LENGTH, EASY, Identity, make, read

GOOD = {
    "ssid": "OTP-Pi-K7QX",
    "passphrase": "k7mq-x4wd-p9ba",
    "device_code": "ACDEFHJKMNPQRTUW",
    "country": "ID",
    "time_zone": "Asia/Makassar",
    "language": "en",
}


def problems(document: object) -> dict[str, str]:
    with pytest.raises(InvalidSettings) as caught:
        read(document)
    return {one.field: one.reason for one in caught.value.problems}


def test_what_is_not_given_is_drawn_anew_for_each_device() -> None:
    made = [make() for _number in range(200)]
    for one in made:
        assert one.ssid.startswith("OTP-Pi-")
        assert len(one.ssid) == 11
        assert set(one.ssid[7:]) <= set(ALPHABET)
        assert [len(group) for group in one.passphrase.split("-")] == [4, 4, 4]
        assert set(one.passphrase) <= {*EASY, "-"}
        assert len(one.device_code) == CODE_LENGTH == 16
        assert set(one.device_code) <= set(ALPHABET)
        assert (one.country, one.time_zone, one.language, one.settings) == ("ID", "Asia/Jakarta", "id", None)
    assert len({one.passphrase for one in made}) == len({one.device_code for one in made}) == 200
    counted = Counter("".join(one.passphrase for one in made))
    assert all(counted[character] > 30 for character in EASY), "each is drawn, about 77 times"


def test_passphrase_and_code_cannot_be_guessed_nor_misread() -> None:
    assert 12 * math.log2(len(EASY)) >= 59
    assert CODE_LENGTH * math.log2(len(ALPHABET)) >= 71
    assert not {*"01loi"} & {*EASY}


def test_a_document_is_read_as_it_was_written() -> None:
    settings = {"sms": {"country_code": "62"}}
    made = make(country="SG", time_zone="Asia/Jayapura", language="en", settings=settings)
    document = json.loads(json.dumps(made.document()))
    assert read(document) == made
    assert document["settings"] == settings
    assert "settings" not in make().document()


def test_a_person_may_write_the_code_with_hyphens_and_leave_out_where_the_device_is() -> None:
    written = {"ssid": "Kantor", "passphrase": 'a;:,"\\ b', "device_code": "acde-fhjk mnpq-RTUW"}
    assert read(written) == Identity("Kantor", 'a;:,"\\ b', "ACDEFHJKMNPQRTUW")
    assert read(written).written_code == "ACDE-FHJK-MNPQ-RTUW"


def test_the_secrets_are_in_no_traceback() -> None:
    shown = repr(read(GOOD | {"settings": {"api_users": [{"password": "tersembunyi"}]}}))
    assert "OTP-Pi-K7QX" in shown
    assert not [one for one in (GOOD["passphrase"], GOOD["device_code"], "tersembunyi") if one in shown]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("ssid", "", "must be of ASCII"),
        ("ssid", " OTP", "must be of ASCII"),
        ("ssid", "Café", "must be of ASCII"),
        ("ssid", "a\nb", "must be of ASCII"),
        ("ssid", "abc\n", "must be of ASCII"),
        ("ssid", "x" * 33, "must be of 32 characters at most"),
        ("ssid", 7, "must be text"),
        ("passphrase", "x" * 7, "must be of 8 to 63 characters"),
        ("passphrase", "x" * 64, "must be of 8 to 63 characters"),
        ("passphrase", "ends with ", "must be of ASCII"),
        ("passphrase", None, "must be text"),
        ("device_code", "ACDE-FHJK", "must be of 16 characters of 3479"),
        ("device_code", "ACDE-FHJK-MNPQ-RTU0", "must be of 16 characters of 3479"),
        ("country", "UK", "must be the code of a country"),
        ("country", "id", "must be the code of a country"),
        ("time_zone", "Asia/Bandung", "must be a time zone"),
        ("time_zone", "", "must be a time zone"),
        ("time_zone", "../../etc/passwd", "must be a time zone"),
        ("time_zone", "A" * 300, "must be a time zone"),
        ("language", "jv", "must be one of: en, id"),
        ("settings", [], "must be an object of sections"),
        ("pasphrase", "x", "is not a field of a device"),
    ],
)
def test_a_field_that_cannot_be_is_named(field: str, value: Any, told: str) -> None:
    found = problems(GOOD | {field: value})
    assert list(found) == [field]
    assert found[field].startswith(told)


def test_all_that_is_wrong_is_told_at_once_and_no_value() -> None:
    found = problems({"ssid": "x" * 40, "passphrase": "rahasia", "country": "XX", "hidden": True})
    assert set(found) == {"ssid", "passphrase", "device_code", "country", "hidden"}
    assert found["device_code"] == "is missing"
    assert "rahasia" not in "".join(found.values())
    assert problems([GOOD]) == {"document": "must be an object"}


def test_the_longest_and_shortest_that_wpa2_takes() -> None:
    for ssid, passphrase in (("x", "x" * 8), ("x" * 32, "~" * 63)):
        assert make(ssid=ssid, passphrase=passphrase).ssid == ssid


def test_the_countries_are_those_of_iso_3166() -> None:
    lines = Path("/usr/share/zoneinfo/iso3166.tab").read_text("utf-8").splitlines()
    assert {line.split("\t")[0] for line in lines if not line.startswith("#")} == COUNTRIES


def test_the_first_boot_imports_little() -> None:
    """It runs on a Pi before anything else: no TinyDB, no CherryPy, no cryptography."""
    script = "import sys, otppi.host.identity.identity\nprint(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    others = {name for name in loaded if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert others <= {"otppi", "pluggy"}
