"""The time zone: used by the whole process as long as the gateway runs, with or without tables of zones."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.api.errors import InvalidSettings
from otppi.host.clock.settings import CLOCK
from otppi.host.clock.time_zone import TimeZone
from otppi.host.clock.zone_names import INDONESIAN, is_zone, zones
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataFolder]:
    one = DataFolder(tmp_path / "data", plugins=load_plugins(()))
    yield one
    one.close()


def zone() -> tuple[str, int]:
    now = time.localtime(1_800_000_000)
    return now.tm_zone, now.tm_gmtoff // 3600


@pytest.mark.usefixtures("time_zone")  # the zone of the process is as it was, for whichever test comes next
@pytest.mark.parametrize("before", [None, "UTC", "Europe/Paris"])
def test_it_is_used_from_the_start_after_a_change_and_no_longer_than_that(
    data: DataFolder, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    monkeypatch.delenv("TZ", raising=False)
    if before is not None:
        monkeypatch.setenv("TZ", before)
    time.tzset()
    own = zone()
    service = TimeZone(data.config)
    service.start()
    assert zone() == own, "none is set: that of the device"
    for name, told in (
        ("Asia/Jakarta", ("WIB", 7)),
        ("Asia/Makassar", ("WITA", 8)),
        ("Asia/Jayapura", ("WIT", 9)),
        ("Asia/Tokyo", ("JST", 9)),
        ("", own),
    ):
        data.config.update({CLOCK.key: {"time_zone": name}})
        service.configure([CLOCK.key])
        assert zone() == told
    data.config.update({CLOCK.key: {"time_zone": "Asia/Jayapura"}})
    service.configure([CLOCK.key])
    service.close()
    assert os.environ.get("TZ") == before
    assert zone() == own


def test_the_zones_of_indonesia_come_first_and_need_no_tables(tmp_path: Path) -> None:
    assert zones(tmp_path) == list(INDONESIAN)
    (tmp_path / "zone.tab").write_text(
        "# c\nXX\t+1+1\tAmerica/Lima\tx\nID\t-1+1\tAsia/Jakarta\nYY\n\nZZ\t+1\tAfrica/Cairo\n"
    )
    assert zones(tmp_path) == [*INDONESIAN, "Africa/Cairo", "America/Lima"]


def test_every_zone_that_is_offered_can_be_set(data: DataFolder) -> None:
    for name in zones():
        data.config.check({CLOCK.key: {"time_zone": name}})


@pytest.mark.parametrize(
    "name",
    ["Asia/Atlantis", "../../etc/passwd", "/etc/localtime", ":x", "Asia", "WIB-7", "a\0b", "posix/../Asia/Tokyo"],
)
def test_what_is_no_zone_is_refused(data: DataFolder, name: str) -> None:
    with pytest.raises(InvalidSettings):
        data.config.check({CLOCK.key: {"time_zone": name}})


def test_a_name_longer_than_any_of_a_file_is_no_zone(tmp_path: Path) -> None:
    (tmp_path / "Asia").mkdir()
    (tmp_path / "Asia/Tokyo").write_bytes(b"TZif2")
    assert [is_zone(name, tmp_path) for name in ("Asia/Tokyo", "Asia/Jakarta", "Asia", "Asia/Kyoto")] == [
        True,
        True,
        False,
        False,
    ]
    assert not is_zone("Asia/" + "x" * 300, tmp_path)
