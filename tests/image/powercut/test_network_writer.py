"""Power cuts of a real NetworkManager: a change of the network that was confirmed is on the card."""

import tempfile
from pathlib import Path
from typing import Any

import pytest

from otppi.api.trials import WriterContext
from otppi.testing.network_manager import NetworkManagerProcess
from otppi_network_ethernet.plugin import SECTION, otppi_network_writers
from tests.image.powercut.cuts import Cuts
from tests.image.powercut.file_system import copied, mended
from tests.image.powercut.local_device import NotHereError, recorded
from tests.image.powercut.recording import Known, Recording
from tests.image.powercut.small_card import SmallCard
from tests.image.powercut.write_log import partition

_CHANGES = 8
_WHAT = "ethernet"


def _values(number: int) -> dict[str, Any]:
    address = {"dhcp": False, "ip_address": f"10.77.0.{number}", "gateway": "10.77.0.1", "dns1": "10.77.0.1"}
    return SECTION.defaults() | address


def _change(recording: Recording, folder: Path) -> None:
    """Change the address again and again, and confirm each."""
    (writer_type,) = otppi_network_writers()
    writer = writer_type.create(WriterContext(folder / "boot", folder / "card"))
    for number in range(2, 2 + _CHANGES):
        trial = writer.change(_values(number), 60.0)
        with recording.changing(_WHAT, f"10.77.0.{number}/24"):
            trial.confirm()


def _address(files: Path) -> str | None:
    """Return the address that a profile of the card says; an empty text where it is damaged."""
    path = files / "n/etc/system-connections/otppi-ethernet.nmconnection"
    if not path.exists():
        return None
    found = [line.partition("=")[2] for line in path.read_text().splitlines() if line.startswith("address1=")]
    return found[0].partition(",")[0] if found else ""


def test_confirmed_change_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = SmallCard(tmp_path).recording
    recording.logs.clear()
    with tempfile.TemporaryDirectory(prefix="otppi-nm-") as folder:
        part = partition(recording.image, 2)
        try:
            with recorded(recording.image, part, recording.log("all"), Path(folder)) as root:
                (root / "n").mkdir()
                with NetworkManagerProcess(root / "n") as network:
                    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", network.address)
                    _change(recording, tmp_path)
        except NotHereError as error:
            pytest.skip(f"nothing can be mounted here: {error}")
    places = [one.place for one in recording.told if one.kind == "done"]
    assert len(places) == _CHANGES
    wrong = []
    with Cuts(recording, seed=0) as cuts:
        for place in places:
            with cuts.state(place) as (_boot, card), mended(card):
                files = tmp_path / f"files-{place}"
                copied(card, ["/n/etc/system-connections"], files)
                found, possible = _address(files), Known(recording.told, place).possible()[_WHAT]
                wrong += [] if found in possible else [f"{found} is not {possible}"]
    assert wrong == []
