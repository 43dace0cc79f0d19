"""Power cuts of a device that is used, with a real file system: the first boot, settings, accounts, SMS, resets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.image.powercut.cuts import Cut, Cuts
from tests.image.powercut.local_device import USER, NotHereError, record
from tests.image.powercut.small_card import SmallCard
from tests.image.powercut.workload import work

_FORGETFUL = """import os
os.fsync = os.fdatasync = lambda descriptor: None
"""


def _cut(
    folder: Path, seconds: float, count: int, variables: Mapping[str, str] = MappingProxyType({})
) -> Sequence[Cut]:
    """Use a device for so long, and cut its power at so many places of that."""
    recording = SmallCard(folder, settings={"api_users": [USER]}).recording
    recording.logs.clear()
    made = folder / "device"
    made.mkdir()
    try:
        record(recording, made, lambda device: work(device, recording, seconds), variables)
    except NotHereError as error:
        pytest.skip(f"nothing can be mounted here: {error}")
    with Cuts(recording, seed=0) as cuts:
        return cuts.made(count)


def test_power_may_go_at_any_time(tmp_path: Path) -> None:
    assert [one for one in _cut(tmp_path, 15, 40) if one.faults] == []


def test_gateway_that_does_not_wait_for_the_card_is_seen(tmp_path: Path) -> None:
    """What it acknowledges is lost with the power: the check would see it."""
    (tmp_path / "forgetful").mkdir()
    (tmp_path / "forgetful/sitecustomize.py").write_text(_FORGETFUL)
    found = _cut(tmp_path, 3, 20, {"PYTHONPATH": str(tmp_path / "forgetful")})
    assert any("otp.per_hour is" in fault for one in found for fault in one.faults)
