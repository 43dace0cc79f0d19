"""What the access point's settings take, by themselves and beside the others'."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.settings import Section
from otppi.testing.section import SECTION_CHECKS
from otppi_network_access_point import plugin
from otppi_network_access_point.channels import channels, country
from otppi_network_access_point.plugin import SECTION, otppi_network_writers

(WRITER,) = otppi_network_writers()
GOOD = SECTION.defaults()
RANGES = {"network_dhcp": {"ranges": [{"first": "192.168.0.100", "last": "192.168.0.150"}]}}


@pytest.mark.parametrize("check", SECTION_CHECKS, ids=lambda check: check.__name__)
def test_section(check: Callable[[Section], None]) -> None:
    check(SECTION)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({}, set()),
        ({"ssid": "x" * 32}, set()),
        ({"ssid": "é" * 16}, set()),
        ({"ssid": "é" * 17}, {"ssid"}),
        ({"ssid": ""}, {"ssid"}),
        ({"ssid": "a\nb"}, {"ssid"}),
        ({"passphrase": "x" * 8}, set()),
        ({"passphrase": "x" * 63}, set()),
        ({"passphrase": "x" * 7}, {"passphrase"}),
        ({"passphrase": "x" * 64}, {"passphrase"}),
        ({"passphrase": "kürsi hijau"}, {"passphrase"}),
        ({"key_management": "none"}, {"key_management"}),
        ({"band": "a"}, {"channel"}),
        ({"band": "a", "channel": 36}, set()),
        ({"band": "a", "channel": 0}, set()),
        ({"channel": 14}, {"channel"}),
        ({"channel": 13}, set()),
        ({"ip_address": ""}, {"ip_address"}),
        ({"ip_address": "192.168.0.0"}, {"ip_address"}),
        ({"gateway": "192.168.1.1"}, {"gateway"}),
        ({"prefix": 16}, {"netmask"}),
        ({"dns": ["x"]}, {"dns"}),
    ],
)
def test_what_does_not_go_together(change: dict[str, Any], fields: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "country", lambda: "ID")
    problems = SECTION.validate(GOOD | change)[1]
    assert {one.field.removeprefix("network_access_point.") for one in problems} == fields


def test_country_allows_fewer_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "country", lambda: "US")
    (problem,) = SECTION.validate(GOOD | {"channel": 12})[1]
    assert (problem.field, str(problem.reason)) == (
        "network_access_point.channel",
        "must be 0, or a channel of this band: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11",
    )


@pytest.mark.parametrize(("told", "where"), [("ID\n", "ID"), ("00\n", ""), ("", ""), (None, "")])
def test_country_of_the_radio(tmp_path: Path, told: str | None, where: str) -> None:
    path = tmp_path / "regdom"
    if told is not None:
        path.write_text(told)
    assert country(path) == where
    assert 13 in channels("bg", where)


@pytest.mark.parametrize(
    ("change", "others", "fields"),
    [
        ({}, RANGES, set()),
        ({"ip_address": "10.0.0.1"}, RANGES, set()),
        ({"ip_address": "10.0.0.120"}, RANGES, {"ip_address"}),
        ({"ip_address": "192.168.0.100"}, RANGES, {"ip_address"}),
        ({"ip_address": "10.0.0.1", "prefix": 28, "netmask": "255.255.255.240"}, RANGES, {"prefix"}),
        ({}, {"network_ethernet": {"ip_address": "192.168.0.2", "prefix": 24}}, {"ip_address"}),
        ({}, {"network_ethernet": {"ip_address": "", "prefix": 24}}, set()),
        ({}, {}, set()),
    ],
)
def test_what_does_not_go_with_others(change: dict[str, Any], others: dict[str, Any], fields: set[str]) -> None:
    values, problems = SECTION.validate(GOOD | change)
    assert problems == []
    assert {one.field for one in WRITER.check(values, others)} == fields
    assert WRITER.address(values) == values["ip_address"]


def test_other_names_of_the_document() -> None:
    values, problems = SECTION.validate({"ssid_name": "kantor", "ssid_password": "kursi hijau"})
    assert problems == []
    assert (values["ssid"], values["passphrase"]) == ("kantor", "kursi hijau")
