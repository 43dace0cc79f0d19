"""The access point's profile, as a real NetworkManager takes it. That it is used by a radio: tests/image/machine."""

from pathlib import Path
from typing import Any

import pytest

from otppi.api.trials import CannotWrite, WriterContext
from otppi.host.identity.first_boot import DeviceFiles, first_boot
from otppi.host.identity.identity import make
from otppi.kit.device_network.network_manager import network_manager
from otppi.kit.files import as_json
from otppi.testing.network_manager import NetworkManagerProcess
from otppi_network_access_point.plugin import SECTION, otppi_network_writers
from otppi_network_access_point.writer import UUID, AccessPointWriter

IDENTITY = make(ssid="OTP-Pi-K7QX", passphrase="k7mq-x4wd-p9ba")
BROCHURE = SECTION.defaults() | {"ssid": IDENTITY.ssid, "passphrase": IDENTITY.passphrase}
OTHER = SECTION.defaults() | {
    "ssid": "Kantor é lantai 2",
    "passphrase": "kursi hijau; di teras=\\",
    "band": "a",
    "channel": 40,
    "ip_address": "10.8.0.1",
    "prefix": 22,
    "netmask": "255.255.252.0",
    "gateway": "10.8.0.2",
    "dns": ["10.8.0.3", "10.8.0.4"],
}

_FIXED = "ipv4.never-default,ipv6.method,802-11-wireless.mode,802-11-wireless-security.pmf,connection.autoconnect"


@pytest.fixture
def personalised(network: NetworkManagerProcess, tmp_path: Path) -> NetworkManagerProcess:
    """A device after its first boot."""
    device = DeviceFiles(tmp_path / "root", user=None)
    device.given.parent.mkdir(parents=True)
    device.given.write_bytes(as_json(IDENTITY.document()))
    first_boot(device)
    profile = network.card / device.access_point.name
    profile.touch(0o600)
    profile.write_bytes(device.access_point.read_bytes())
    network.nmcli("connection", "reload")
    return network


@pytest.fixture
def writer(tmp_path: Path) -> AccessPointWriter:
    (writer_type,) = otppi_network_writers()
    made = writer_type.create(WriterContext(tmp_path / "boot", tmp_path / "card"))
    assert isinstance(made, AccessPointWriter)
    return made


@pytest.mark.usefixtures("personalised")
def test_values_are_the_brochures(writer: AccessPointWriter) -> None:
    assert dict(writer.values()) == BROCHURE


@pytest.mark.parametrize("values", [OTHER, BROCHURE, OTHER | {"channel": 0, "gateway": "", "dns": []}])
def test_profile_says_what_the_values_say(
    personalised: NetworkManagerProcess, writer: AccessPointWriter, values: dict[str, Any]
) -> None:
    """Also after a restart, from the card."""
    with network_manager() as manager:
        path = manager.profile(UUID)
        assert path is not None
        before = manager.settings(path, writer.secret)
        manager.keep_profile(path, writer.profile(values, before))
    assert dict(writer.values()) == values
    personalised.restart()
    assert dict(writer.values()) == values
    told = personalised.nmcli("--get-values", _FIXED, "connection", "show", UUID)
    assert sorted(told.split()) == ["1", "ap", "link-local", "yes", "yes"]


@pytest.mark.usefixtures("personalised")
def test_empty_passphrase_stays(writer: AccessPointWriter) -> None:
    with network_manager() as manager:
        before = manager.settings(str(manager.profile(UUID)), writer.secret)
    assert writer.read(writer.profile(OTHER | {"passphrase": ""}, before))["passphrase"] == IDENTITY.passphrase


@pytest.mark.usefixtures("personalised")
def test_no_radio(writer: AccessPointWriter) -> None:
    with pytest.raises(CannotWrite, match="has no wlan0"):
        writer.change(OTHER, 60)
    assert dict(writer.values()) == BROCHURE
    assert not writer.abandon()


@pytest.mark.usefixtures("network")
def test_no_access_point(writer: AccessPointWriter) -> None:
    with pytest.raises(CannotWrite, match="has no access point"):
        writer.values()
