"""What is loaded at boot: what is kept, or, where that is damaged, what the device comes with."""

from collections.abc import Callable
from pathlib import Path

import pytest

from otppi_firewall_nftables.kept import DamagedError, read_kept, write_kept
from otppi_firewall_nftables.ports import BUILT_IN, Ports
from otppi_firewall_nftables.state import State, loaded_at_boot, read_state

from .conftest import BUILT_IN_TABLE, SCRIPT, Folders, row
from .networks import Networks

NOTE = 'it\'s "mine"\n} ; flush ruleset\u2028 # ü'
KEPT = Ports((7000, 8888), 8888, (row(9999, "udp", "lan", NOTE),))


@pytest.fixture
def device(folders: Folders, net: Networks) -> "Booting":
    return Booting(folders, net)


class Booting:
    def __init__(self, folders: Folders, net: Networks) -> None:
        self.kept, self.told, self._net = folders.kept, folders.told / "new", net

    def boot(self) -> str:
        self._net.run("device", "nft", "flush", "ruleset")
        self._net.run("device", "sh", SCRIPT, self.kept, BUILT_IN_TABLE, self.told)
        return loaded_at_boot(self.told)

    @property
    def open(self) -> set[str]:
        return self._net.open("lan", "tcp/7000", "tcp/8888", "tcp/8899", "udp/9999")


def test_what_the_device_comes_with(device: Booting) -> None:
    assert device.boot() == "built-in"
    assert device.open == {"tcp/8888", "tcp/8899"}


def test_what_is_kept(device: Booting) -> None:
    write_kept(device.kept, KEPT)
    assert device.boot() == "kept"
    assert device.open == {"tcp/7000", "tcp/8888", "udp/9999"}
    assert read_kept(device.kept) == KEPT
    assert device.kept.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: b"\0" * len(whole),
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-1],
        lambda whole: whole.replace(b"7000", b"7001"),
        lambda whole: whole.replace(b"policy drop", b"policy accept"),
        lambda whole: whole.partition(b"\n")[2],
        lambda whole: whole + b"flush ruleset\n",
        lambda whole: b"# sha256 \n",
    ],
)
def test_what_is_damaged(device: Booting, damage: Callable[[bytes], bytes]) -> None:
    """It is known, be it another number or half of the file: what the device comes with is loaded, and that is told."""
    write_kept(device.kept, KEPT)
    device.kept.write_bytes(damage(device.kept.read_bytes()))
    assert device.boot() == "damaged"
    assert device.open == {"tcp/8888", "tcp/8899"}
    with pytest.raises(DamagedError):
        read_kept(device.kept)


def test_what_is_kept_is_no_file(device: Booting) -> None:
    device.kept.mkdir()
    assert device.boot() == "damaged"
    assert device.open == {"tcp/8888", "tcp/8899"}


def test_what_a_power_cut_leaves_is_not_loaded(device: Booting) -> None:
    write_kept(device.kept, KEPT)
    device.kept.with_name("kept.nft.new").write_bytes(b"table inet otppi")
    assert device.boot() == "kept"
    write_kept(device.kept, BUILT_IN)
    assert list(device.kept.parent.iterdir()) == [device.kept]


def test_a_trial_of_before_is_over(device: Booting) -> None:
    device.told.mkdir()
    (device.told / "state.json").write_bytes(State("", "", (row(1),), 1e9).document())
    device.boot()
    assert read_state(device.told) is None


def test_a_later_versions_is_none_of_ours(tmp_path: Path) -> None:
    """Its table is whole, and was loaded; what it says of itself cannot be read."""
    path = tmp_path / "kept.nft"
    write_kept(path, Ports((8888,), 8888, ({**row(1), "colour": "red"},)))
    with pytest.raises(DamagedError, match="none of this version's"):
        read_kept(path)
