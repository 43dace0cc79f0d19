"""`otppi modem discover` and `otppi modem adopt`, by the control socket of a gateway with a rack of USB modems."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.cli.talk import CONTROL_LINK
from otppi.host.control.server import ControlServer
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.host.runtime.supervisor import Supervised
from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.rack.source import RackSource
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE

Cli = Callable[..., Any]


@pytest.fixture
def rack() -> Iterator[ModemRack]:
    with ModemRack(2, profile=ModemProfile(model="Stick"), usb=True) as rack:
        yield rack


@pytest.fixture
def gateway(data: Path, tmp_path: Path, rack: ModemRack) -> Iterator[Host]:
    (tmp_path / "boot").mkdir(mode=0o700)
    folder = DataFolder(data, plugins=load_plugins())
    folder.config.update(
        {
            "modems": [{"name": "m1", "type": "at", "imei": rack.modems[0].profile.imei}],
            "ingress-rest": {"http_enable": False, "https_enable": False},
        }
    )
    host = Host(folder, tmp_path / "boot", RackSource(rack))
    host.start()
    server = ControlServer(tmp_path / "boot/control", registry_of(folder, host))
    serving = Supervised("control", server.run, server.stop)
    serving.start()
    (data / CONTROL_LINK).symlink_to(tmp_path / "boot/control")
    yield host
    serving.stop()
    serving.join(PATIENCE)
    server.close()
    host.stop()


def test_discover_and_adopt(otppi: Cli, gateway: Host, rack: ModemRack) -> None:
    first, second = rack.modems
    until(lambda: [one["state"] for one in otppi("modem", "discover", "--json").json] == ["used", "new"])
    used, new = otppi("modem", "discover", "--json").json
    assert (used["modem"], used["port"], used["imei"]) == ("m1", str(first.path), first.profile.imei)
    assert (new["port"], new["model"], new["type"], new["imsi"]) == (
        str(second.path),
        "Stick",
        "at",
        second.profile.imsi,
    )
    table = otppi("modem", "discover").out.splitlines()
    assert table[0].split() == ["STATE", "MODEM", "PORT", "TYPE", "MODEL", "IMEI", "OPERATOR", "SIM", "DETAIL"]
    assert table[2].endswith(f"READY  otppi modem adopt {second.profile.imei} --name NAME")

    refused = otppi("modem", "adopt", first.path, "--name", "m2")
    assert (refused.code, refused.err) == (2, "otppi: device: is modem m1 already\n")
    adopted = otppi("modem", "adopt", second.path, "--name", "m2", "--default")
    assert adopted.code == 0
    assert second.profile.imei in adopted.out
    until(lambda: [one["state"] for one in otppi("modem", "list", "--json").json] == ["ready", "ready"])
    assert {one["modem"] for one in otppi("modem", "discover", "--json").json} == {"m1", "m2"}
    assert gateway.data.config.many("modems")[1]["default_modem"] is True


def test_nothing_is_plugged_in(otppi: Cli, gateway: Host, rack: ModemRack) -> None:
    for modem in rack.modems:
        modem.unplug()
    until(lambda: otppi("modem", "discover", "--json").json == [])
    result = otppi("modem", "discover")
    assert (result.code, result.out, result.err) == (1, "", "otppi: no modem is plugged in\n")
