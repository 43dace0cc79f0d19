"""`otppi internet`: what it shows of connections, and of operators."""

from collections.abc import Callable
from typing import Any

from otppi.testing.scripted import until

Cli = Callable[..., Any]


def test_the_operators_of_the_seed_document(otppi: Cli) -> None:
    result = otppi("internet", "presets", "--json")
    table = {one["title"]: (one["apn"], one["username"], one["password"], one["dial_number"]) for one in result.json}
    assert table == {
        "Telkomsel": ("internet", "", "", "*99#"),
        "XL": ("internet", "", "", "*99#"),
        "Three": ("3data", "3data", "3data", "*99#"),
        "Smartfren": ("smart", "smart", "smart", "#777"),
        "Indosat Ooredoo": ("indosatgprs", "", "", "*99#"),
        "Axis": ("axis", "axis", "123456", "*99#"),
    }


def test_why_a_modem_is_not_connected(otppi: Cli, start: Callable[..., Any]) -> None:
    modem = {"name": "m0", "type": "at", "port": "/dev/nowhere", "internet_access": True, "apn": "internet"}
    gateway = start(document={"modems": [modem]})
    gateway.wait_for("gateway runs")
    shown: list[dict[str, Any]] = []

    def told() -> bool:
        shown[:] = otppi("internet", "status", "--data", gateway.data, "--json").json
        return bool(shown[0]["detail"])

    until(told, "the cause is told")
    (one,) = shown
    assert (one["modem_id"], one["address"]) == ("m0", "")
    assert one["detail"].startswith("the modem is not there")
    head, row = otppi("internet", "status", "--data", gateway.data).out.splitlines()
    assert head.split()[:3] == ["MODEM", "STATE", "SINCE"]
    assert "the modem is not there" in row
