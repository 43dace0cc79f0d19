"""What is started again and again in the card image: it leaves the card alone."""

import configparser
from pathlib import Path

import pytest

OVERLAYS = Path(__file__).parents[2] / "overlays"
TIMERS = sorted(OVERLAYS.glob("*/etc/systemd/system/*.timer"))


def test_there_are_timers() -> None:
    assert TIMERS


@pytest.mark.parametrize("timer", TIMERS, ids=lambda path: path.stem)
def test_what_a_timer_starts_has_no_folder_on_the_card(timer: Path) -> None:
    """`PrivateTmp=yes` makes one in /var/tmp at each start, and removes it at each end (systemd.exec(5))."""
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.read_string(timer.with_suffix(".service").read_text())
    assert unit["Service"].get("PrivateTmp", "no") in ("no", "disconnected")
