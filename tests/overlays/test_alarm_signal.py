"""The light and the buzzer of alarms, on a folder of LEDs as the kernel has them; and none where there is none."""

import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otppi.testing.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "overlays/alarms/usr/lib/otppi/alarm-signal"
STAGE = ROOT / "image/stage-otppi/02-overlays/02-run.sh"


class Led:
    """One as the kernel has it; what is written to its brightness is read one by one, as the light itself does."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        (self.folder / "trigger").write_text("[none] timer oneshot\n")
        for one in ("delay_on", "delay_off"):
            (self.folder / one).write_text("0\n")
        os.mkfifo(self.folder / "brightness")
        self._pipe = os.open(self.folder / "brightness", os.O_RDWR | os.O_NONBLOCK)
        self._read = b""

    def close(self) -> None:
        os.close(self._pipe)

    def next(self) -> str:
        """Return the next brightness that is written."""
        while b"\n" not in self._read:
            readable, _writable, _failed = select.select([self._pipe], [], [], PATIENCE)
            assert readable, "nothing is written"
            self._read += os.read(self._pipe, 100)
        line, _newline, self._read = self._read.partition(b"\n")
        return line.decode()

    @property
    def is_quiet(self) -> bool:
        return not self._read and not select.select([self._pipe], [], [], 0)[0]

    @property
    def blinks(self) -> bool:
        trigger, on, off = ((self.folder / one).read_text().strip() for one in ("trigger", "delay_on", "delay_off"))
        return (trigger, on, off) == ("timer", "500", "500")


@pytest.fixture
def light(tmp_path: Path) -> Iterator[Led]:
    one = Led(tmp_path / "leds", "otppi-alarm")
    yield one
    one.close()


@pytest.fixture
def buzzer(tmp_path: Path) -> Iterator[Led]:
    one = Led(tmp_path / "leds", "otppi-buzzer")
    yield one
    one.close()


@contextmanager
def shown(tmp_path: Path, pattern: str, every: str = "600") -> Iterator[None]:
    with subprocess.Popen([PROGRAM, pattern, tmp_path / "leds", every], stderr=subprocess.PIPE, text=True) as program:
        yield
        assert program.poll() is None
        program.terminate()
        _out, told = program.communicate(timeout=PATIENCE)
    assert (program.returncode, told) == (0, "")


def test_the_light_blinks_until_the_alarm_is_over(tmp_path: Path, light: Led, buzzer: Led) -> None:
    with shown(tmp_path, "light"):
        until(lambda: light.blinks)
    assert (light.folder / "trigger").read_text() == "none\n"
    assert light.next() == "0"
    assert buzzer.is_quiet


def test_the_buzzer_beeps_again_and_again(tmp_path: Path, light: Led, buzzer: Led) -> None:
    with shown(tmp_path, "both", "0.1"):
        assert [buzzer.next() for _ in range(6)] == ["1", "0", "1", "0", "1", "0"]
        assert light.blinks


def test_it_never_ends_with_a_sound(tmp_path: Path, buzzer: Led) -> None:
    with shown(tmp_path, "sound"):
        assert buzzer.next() == "1"
    assert buzzer.next() == "0"


def test_a_reset_sounds_first(tmp_path: Path, light: Led, buzzer: Led) -> None:
    (buzzer.folder / "trigger").write_text("none [timer] oneshot\n")
    with shown(tmp_path, "both", "0.05"):
        until(lambda: light.blinks)
    assert buzzer.next() == "0", "it is silent when it ends, and was before"
    assert buzzer.is_quiet


def test_a_test_is_short_and_leaves_a_light_that_blinks(tmp_path: Path, light: Led, buzzer: Led) -> None:
    run = [str(PROGRAM), "test", str(tmp_path / "leds"), "0.1"]
    subprocess.run(run, check=True, timeout=PATIENCE)
    assert (light.folder / "trigger").read_text() == "none\n"
    assert (buzzer.next(), light.next()) == ("1", "0")
    (light.folder / "trigger").write_text("none [timer] oneshot\n")
    subprocess.run(run, check=True, timeout=PATIENCE)
    assert "[timer]" in (light.folder / "trigger").read_text()
    assert light.is_quiet


@pytest.mark.parametrize("pattern", ["light", "sound", "both", "test"])
def test_a_device_without_either_shows_nothing(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "leds/ACT").mkdir(parents=True)
    subprocess.run([PROGRAM, pattern, tmp_path / "leds"], check=True, timeout=PATIENCE)


def test_another_pattern(tmp_path: Path) -> None:
    done = subprocess.run([PROGRAM, "x", tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "alarm-signal: light, sound, both or test\n")


# -- the lines for who wires them --------------------------------------------------------------------------------------


def test_the_stage_writes_lines_that_do_nothing_as_they_stand(tmp_path: Path) -> None:
    config = tmp_path / "boot/firmware/config.txt"
    config.parent.mkdir(parents=True)
    config.write_text("arm_64bit=1\n[pi4]\n")
    for _time in range(2):
        subprocess.run(["bash", STAGE], env=os.environ | {"ROOTFS_DIR": str(tmp_path)}, check=True)
    lines = config.read_text().splitlines()
    assert lines.count("#dtoverlay=gpio-led,gpio=27,label=otppi-alarm") == 1
    assert not [one for one in lines if one.startswith("dtoverlay")]
    assert "[all]" in lines[lines.index("[pi4]") :], "they count for every model"


def test_the_stage_leaves_a_root_without_firmware_as_it_is(tmp_path: Path) -> None:
    subprocess.run(["bash", STAGE], env=os.environ | {"ROOTFS_DIR": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []
