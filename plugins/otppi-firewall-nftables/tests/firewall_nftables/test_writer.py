"""Changes by hand: each is a trial by the real unit's program, on a device between networks; packets tell."""

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from otppi.api.trials import CannotWrite, TrialOver
from otppi.testing.system_units import SystemUnits
from otppi.testing.waiting import PATIENCE, until
from otppi_firewall_nftables.handing_over import UNIT
from otppi_firewall_nftables.request import Services

from .conftest import SERVICES, Device, ports, row, unit_command

SERVED = {"tcp/8888", "tcp/8899"}
LONG = 300.0


@pytest.fixture
def opened(device: Device) -> Callable[[], set[str]]:
    """Returns what the LAN can reach; the gateway's services are open."""
    device.firewall.follow(SERVICES)
    return lambda: device.net.open("lan", "tcp/8080", "udp/9090", *SERVED)


NEW = ports(row(8080, note="web"), row(9090, "udp", "lan"), row(8899, open_to="access_point"))
OPEN = {"tcp/8080", "udp/9090", "tcp/8888"}


def test_confirmed(device: Device, opened: Callable[[], set[str]]) -> None:
    assert opened() == SERVED
    trial = device.writer.change(NEW, LONG)
    assert opened() == OPEN
    assert device.writer.values() == NEW
    trial.confirm()
    assert opened() == OPEN
    device.boot()
    assert opened() == OPEN
    assert device.writer.values() == NEW


def test_rolled_back(device: Device, opened: Callable[[], set[str]]) -> None:
    trial = device.writer.change(NEW, LONG)
    trial.roll_back()
    assert opened() == SERVED
    assert device.writer.values() == ports()
    trial.roll_back()  # it is back already
    with pytest.raises(TrialOver):
        trial.confirm()
    assert opened() == SERVED


def test_not_confirmed(device: Device, opened: Callable[[], set[str]]) -> None:
    """It ends by itself; rolling back later, as the gateway does, needs no unit."""
    trial = device.writer.change(NEW, 3.0)
    until(lambda: opened() == SERVED, "the trial does not end")
    assert device.writer.values() == ports()
    starts = device.starts
    trial.roll_back()
    assert device.starts == starts
    with pytest.raises(TrialOver):
        trial.confirm()
    assert not device.writer.abandon()


def test_power_is_cut_on_trial(device: Device, opened: Callable[[], set[str]]) -> None:
    device.writer.change(NEW, LONG)
    device.boot()
    assert opened() == SERVED
    assert device.writer.values() == ports()
    assert not device.writer.abandon()


_GATEWAY = """
import sys
from pathlib import Path
from otppi.api.trials import WriterContext
from otppi_firewall_nftables.handing_over import Firewall
from otppi_firewall_nftables.writer import FirewallWriter
boot, kept, told, values, seconds = sys.argv[1:]
firewall = Firewall(Path(boot), Path(kept), Path(told))
FirewallWriter(WriterContext(Path(boot), Path(boot)), firewall).change(eval(values), float(seconds))
print("in use", flush=True)
sys.stdin.readline()
"""


def killed_on_trial(device: Device, seconds: float) -> float:
    """Have a gateway killed that has begun a trial; return when it began."""
    places = (device.folders.ports, device.folders.kept, device.folders.told)
    command = [sys.executable, "-I", "-c", _GATEWAY, *map(str, places), repr(NEW), str(seconds)]
    begun = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as gateway:
        assert gateway.stdout is not None
        assert gateway.stdout.readline() == "in use\n"
        gateway.kill()
        gateway.wait(PATIENCE)
    return begun


def test_the_gateway_is_killed_on_trial(device: Device, opened: Callable[[], set[str]]) -> None:
    """Nobody is left who could do anything: what was closed opens, and what was opened closes."""
    begun = killed_on_trial(device, 12.0)
    meanwhile = opened()
    if time.monotonic() - begun < 11.0:  # else it has ended already
        assert meanwhile == OPEN
    starts = device.starts
    until(lambda: opened() == SERVED, "the trial does not end")
    assert device.starts == starts


def test_a_gateway_that_starts_ends_the_trial_of_the_one_that_was_killed(
    device: Device, opened: Callable[[], set[str]]
) -> None:
    killed_on_trial(device, LONG)
    assert opened() == OPEN
    assert device.writer.abandon()
    assert opened() == SERVED
    assert not device.writer.abandon()


def test_the_firewall_is_loaded_anew_on_trial(device: Device, opened: Callable[[], set[str]]) -> None:
    """As by `systemctl restart nftables`: what is kept is in use, and the trial is over."""
    trial = device.writer.change(NEW, LONG)
    device.reload()
    assert opened() == SERVED
    assert device.writer.values() == ports()
    with pytest.raises(TrialOver):
        trial.confirm()
    assert device.writer.abandon()


def test_a_service_moves_on_trial(device: Device, opened: Callable[[], set[str]]) -> None:
    """The trial goes on, and ends when it should."""
    begun = time.monotonic()
    device.writer.change(ports(row(8080)), 12.0)
    device.firewall.follow(Services((8888, 9090), 8888))
    meanwhile = device.net.open("lan", "tcp/8080", "tcp/9090", "tcp/8899")
    if time.monotonic() - begun < 11.0:  # else it has ended already
        assert meanwhile == {"tcp/8080", "tcp/9090"}
    until(lambda: device.net.open("lan", "tcp/8080", "tcp/9090") == {"tcp/9090"}, "the trial does not end")
    assert time.monotonic() - begun >= 12.0


def test_the_port_of_the_pages_is_not_closed(device: Device, opened: Callable[[], set[str]]) -> None:
    with pytest.raises(CannotWrite, match="these pages are served at this port"):
        device.writer.change(ports(row(8888, open_to="lan")), LONG)
    assert opened() == SERVED


def test_the_unit_fails(device: Device, opened: Callable[[], set[str]]) -> None:
    """What cannot be used is taken back, and stands in nobody's way."""
    device.units.define(UNIT, unit_command(device.folders, device.net, nft="false"), oneshot=True)
    with pytest.raises(CannotWrite, match=r"the ports could not be changed: otppi-firewall\.service failed"):
        device.writer.change(NEW, LONG)
    assert device.writer.values() == ports()
    device.units.define(UNIT, unit_command(device.folders, device.net), oneshot=True)
    device.writer.change(ports(row(8080)), LONG).confirm()
    assert opened() == SERVED | {"tcp/8080"}


def test_what_cannot_be_kept_is_taken_back(device: Device, opened: Callable[[], set[str]]) -> None:
    trial = device.writer.change(NEW, 12.0)
    kept = device.folders.kept
    kept.parent.rename(kept.parent.with_name("moved"))
    kept.parent.touch()  # no folder: the card takes nothing
    with pytest.raises(CannotWrite, match="the ports could not be kept"):
        trial.confirm()
    kept.parent.unlink()
    kept.parent.with_name("moved").rename(kept.parent)
    until(lambda: opened() == SERVED, "the trial does not end")
    assert device.writer.values() == ports()


def test_a_unit_that_another_gateway_has_started_has_not_read_ours(device: Device) -> None:
    """systemd has one start for all who ask while it goes on: it is started again until it has obeyed."""
    command = unit_command(device.folders, device.net)
    first = device.folders.told / "first"
    script = f'[ -e {first} ] || {{ touch {first}; exit 0; }}; exec "$@"'
    device.units.define(UNIT, ["sh", "-c", script, "sh", *command], oneshot=True)
    device.firewall.follow(SERVICES)
    assert device.starts == 2
    assert device.firewall.is_following(SERVICES)


def test_no_unit(device: Device, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    with SystemUnits(tmp_path_factory.mktemp("none")) as none:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", none.address)
        with pytest.raises(CannotWrite, match=r"this device has no otppi-firewall\.service"):
            device.writer.change(NEW, LONG)


def test_a_computer_whose_firewall_is_its_own(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTPPI_UNITS")
    for refused in (device.writer.values, lambda: device.writer.change(NEW, LONG)):
        with pytest.raises(CannotWrite, match="in its card image only"):
            refused()
    assert not device.writer.abandon()


def test_nothing_else_is_handed_over(device: Device) -> None:
    device.writer.change(NEW, LONG)
    folder = device.folders.ports
    assert list(folder.iterdir()) == [folder / "ports.json"]
