"""Power cuts of a device that is used, with a real file system: the first boot, settings, accounts, SMS, resets."""

from pathlib import Path

import pytest

from tests.image.powercut.cuts import Cuts
from tests.image.powercut.local_device import USER, NotHereError, record
from tests.image.powercut.small_card import SmallCard
from tests.image.powercut.workload import work

_SECONDS = 20.0
_CUTS = 60


def test_power_may_go_at_any_time(tmp_path: Path) -> None:
    recording = SmallCard(tmp_path, settings={"api_users": [USER]}).recording
    recording.logs.clear()
    folder = tmp_path / "device"
    folder.mkdir()
    try:
        record(recording, folder, lambda device: work(device, recording, _SECONDS))
    except NotHereError as error:
        pytest.skip(f"nothing can be mounted here: {error}")
    with Cuts(recording, seed=0) as cuts:
        found = cuts.made(_CUTS)
    assert [one for one in found if one.faults] == []
