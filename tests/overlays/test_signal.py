"""The light that shows how a reset goes, on a folder of LEDs as the kernel has them; and none where there is none."""

import subprocess
import time
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "overlays/reset/usr/lib/otppi/signal"


def _led(folder: Path, name: str, trigger: str = "none usb-gadget [mmc0] timer default-on") -> Path:
    led = folder / name
    led.mkdir(parents=True)
    (led / "trigger").write_text(f"{trigger}\n")
    for one in ("delay_on", "delay_off"):
        (led / one).write_text("0\n")
    return led


def _shown(led: Path) -> tuple[str, str, str]:
    on, off, trigger = ((led / one).read_text().strip() for one in ("delay_on", "delay_off", "trigger"))
    return on, off, trigger


@pytest.mark.parametrize(
    ("pattern", "on", "off"), [("reading", "100", "100"), ("done", "1000", "1000"), ("refused", "100", "1900")]
)
def test_the_light_blinks_and_is_as_it_was_then(tmp_path: Path, pattern: str, on: str, off: str) -> None:
    led, other = _led(tmp_path, "ACT"), _led(tmp_path, "PWR")
    with subprocess.Popen([PROGRAM, pattern, tmp_path, "600"]) as signal:
        deadline = time.monotonic() + 60
        while _shown(led) != (on, off, "timer") and time.monotonic() < deadline:
            assert signal.poll() is None
        assert _shown(led) == (on, off, "timer")
        signal.terminate()
    assert signal.returncode == 0
    assert _shown(led)[2] == "mmc0"
    assert _shown(other) == ("0", "0", "none usb-gadget [mmc0] timer default-on")


def test_a_buzzer_is_heard_as_long(tmp_path: Path) -> None:
    leds = [_led(tmp_path, "led0"), _led(tmp_path, "otppi-buzzer", "[none] timer")]
    subprocess.run([PROGRAM, "done", tmp_path, "0"], check=True)
    assert [_shown(led) for led in leds] == [("1000", "1000", "mmc0"), ("1000", "1000", "none")]


def test_without_a_light_nothing_is_shown(tmp_path: Path) -> None:
    subprocess.run([PROGRAM, "done", tmp_path], check=True, timeout=60)


def test_another_pattern(tmp_path: Path) -> None:
    led = _led(tmp_path, "ACT")
    assert subprocess.run([PROGRAM, "x", tmp_path], capture_output=True).returncode == 2
    assert _shown(led)[2].endswith("default-on")
