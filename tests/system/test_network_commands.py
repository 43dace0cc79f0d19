"""`otppi network` at a gateway that runs, with a real NetworkManager."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.network_manager import NetworkManagerProcess
from otppi.testing.waiting import until
from tests.system.conftest import Gateway

FIXED = {"dhcp": False, "ip_address": "10.77.0.2", "gateway": "10.77.0.1"}


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[NetworkManagerProcess]:
    with tempfile.TemporaryDirectory(prefix="otppi-nm-") as folder, NetworkManagerProcess(Path(folder)) as manager:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", manager.address)
        yield manager


@pytest.fixture
def gateway(tmp_path: Path, network: NetworkManagerProcess) -> Iterator[Gateway]:
    one = Gateway(tmp_path, [{"name": "m0", "type": "simulated"}])
    try:
        one.start()
        yield one
        assert one.stop() == 0
    finally:
        one.close()


def told(gateway: Gateway, *words: str, stdin: str = "") -> Any:
    done = gateway.cli("network", *words, "--json", stdin=stdin)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_change_from_its_look_to_its_end(gateway: Gateway, network: NetworkManagerProcess) -> None:
    assert told(gateway, "show")["network_ethernet"]["in_use"]["dhcp"] is True
    found = told(gateway, "check", "network_ethernet", json.dumps(FIXED))
    assert found["changed"]["ip_address"] == ["", "10.77.0.2"]
    assert found["address"] == "10.77.0.2"
    assert network.addresses == []
    told(gateway, "change", "network_ethernet", "-", stdin=json.dumps(FIXED))
    assert network.addresses == ["10.77.0.2/24"]
    assert told(gateway)["trial"]["section"] == "network_ethernet"
    again = gateway.cli("network", "change", "network_ethernet", json.dumps(FIXED))
    assert again.returncode != 0
    told(gateway, "revert")
    assert network.addresses == []
    begun = told(gateway, "change", "network_ethernet", json.dumps(FIXED))
    assert gateway.cli("network", "confirm", "--token", "x" * 24).returncode != 0
    told(gateway, "confirm", "--token", begun["token"])
    assert told(gateway)["last"] == {"section": "network_ethernet", "end": "confirmed"}
    assert told(gateway, "show")["network_ethernet"]["kept"]["ip_address"] == "10.77.0.2"


@pytest.mark.parametrize("values", ["", "{", "[]", '"x"', "[" * 100_000, '{"ip_address": "10.77.0.2"}', '{"no": 1}'])
def test_what_is_no_change(gateway: Gateway, network: NetworkManagerProcess, values: str) -> None:
    done = gateway.cli("network", "change", "network_ethernet", "-", stdin=values)
    assert done.returncode == 2, done
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert network.addresses == []


def test_settings_that_are_kept_and_not_in_use(gateway: Gateway, network: NetworkManagerProcess) -> None:
    """As after a backup of another device was put back: the gateway tells, and puts them in use on trial."""
    document = json.dumps({"network_ethernet": FIXED})
    assert gateway.cli("settings", "import", "-", stdin=document).returncode == 0
    until(lambda: told(gateway)["differs"] == {"network_ethernet": ["dhcp", "ip_address", "gateway"]})
    said = "otppi network apply network_ethernet"
    assert said in gateway.cli("network", "status").stdout
    assert said in gateway.cli("network", "show").stdout
    assert said in gateway.cli("doctor").stdout
    told(gateway, "apply", "network_ethernet")
    assert network.addresses == ["10.77.0.2/24"]
    told(gateway, "confirm")
    until(lambda: told(gateway)["differs"] == {})
