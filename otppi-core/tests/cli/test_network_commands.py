"""`otppi network` beside a gateway on a computer whose network it does not look after."""

import os
from collections.abc import Callable
from typing import Any

import pytest

Cli = Callable[..., Any]
SECTIONS = {"network_access_point", "network_dhcp", "network_ethernet", "firewall"}


@pytest.fixture(autouse=True)
def _on_its_folder(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTPPI_DATA", str(gateway.data))
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/nowhere")


def test_each_part_is_shown_by_itself_with_what_is_wrong(otppi: Cli) -> None:
    told = otppi("network", "show", "--json").json
    assert told.keys() == SECTIONS
    shown = otppi("network", "show").out.splitlines()
    assert {one.partition(":")[0] for one in shown if not one.startswith(" ")} == SECTIONS
    assert f"firewall: {told['firewall']['problem']}" in shown
    assert "  lease_time          3600" in shown


def test_what_it_keeps_is_its_own_alone(gateway: Any, otppi: Cli) -> None:
    """`otppi doctor` of a new device warned of it."""
    otppi("network", "show")
    folders = [gateway.data / "network", *(gateway.data / "network").iterdir()]
    assert {one.stat().st_mode & 0o777 for one in folders} == {0o700}
    assert "may be read by others" not in otppi("doctor").out


def test_what_cannot_be_changed_here_is_told(otppi: Cli) -> None:
    refused = otppi("network", "change", "network_dhcp", '{"lease_time": 600}')
    assert refused.code != os.EX_OK
    assert "no DHCP server of OTP-Pi runs on this device" in refused.err
    assert otppi("network", "status", "--json").json == {"trial": None, "last": None, "differs": {}}


@pytest.mark.parametrize(
    ("values", "reason"),
    [("{", "VALUES is not JSON"), ("[]", "must be an object"), ("[" * 100_000, "VALUES is nested too deeply")],
)
def test_values_that_are_none_are_told(otppi: Cli, values: str, reason: str) -> None:
    refused = otppi("network", "change", "network_dhcp", "-", stdin=values)
    assert refused.code != os.EX_OK
    assert reason in refused.err


def test_nothing_is_confirmed_where_nothing_is_on_trial(otppi: Cli) -> None:
    for verb in ("confirm", "revert"):
        refused = otppi("network", verb)
        assert refused.code != os.EX_OK
        assert "no change of the network is on trial" in refused.err
