"""What the gateway makes of the unit's answers: those of its program, none, and those of whoever took it over."""

import base64
import configparser
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from otppi.api.media import LARGEST, Medium
from otppi.kit.system_units import UnitError
from otppi_reset_stick import read_stick
from otppi_reset_stick.by_unit import ByUnit
from otppi_reset_stick.read_stick import main
from reset_stick.images import FILES, exfat, fat

_UNIT = Path(__file__).parents[4] / "overlays/reset/etc/systemd/system/otppi-read-stick@.service"
_SCSI = 30.0
"""Seconds in which the kernel does not let go of a stick that does not answer (SD_TIMEOUT, drivers/scsi/sd.h)."""


def _unit(answers: Path, devices: Path) -> Callable[[str, float], None]:
    """Return what starts the unit: here it is its program, in this process."""

    def start(unit: str, seconds: float) -> None:
        assert seconds > 30
        name = unit.removeprefix("otppi-read-stick@").removesuffix(".service")
        assert main([name], answers, devices) == 0

    return start


@pytest.mark.parametrize("make", [fat, exfat])
def test_what_the_program_read(tmp_path: Path, make: Callable[..., Path]) -> None:
    make(tmp_path / "sdb1")
    reader = ByUnit(tmp_path, _unit(tmp_path, tmp_path))
    assert reader.read("sdb1", "1234-ABCD") == Medium("sdb1", "1234-ABCD", FILES)


def test_what_it_could_not_read(tmp_path: Path) -> None:
    (tmp_path / "sdb1").write_bytes(b"noise")
    medium = ByUnit(tmp_path, _unit(tmp_path, tmp_path)).read("sdb1", "x")
    assert medium == Medium("sdb1", "x", problem="its file system cannot be read")
    fat(tmp_path / "sdb2", {"optb/reset.txt": b"x" * (LARGEST + 1)})
    assert ByUnit(tmp_path, _unit(tmp_path, tmp_path)).read("sdb2", "x").problem == "a file on it is larger than 64 KiB"


def test_a_unit_that_does_not_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def start(unit: str, seconds: float) -> None:
        raise UnitError("took too long, and was ended")

    assert ByUnit(tmp_path, start).read("sda", "").problem == "took too long, and was ended"
    assert "sda is not read" in caplog.text


def test_the_unit_is_waited_for_longer_than_it_may_take() -> None:
    """Else a stick that is read late is told as one that was not, and the next one finds the unit at work."""
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.read_string(_UNIT.read_text())
    starts, stops = (float(unit["Service"][name]) for name in ("TimeoutStartSec", "TimeoutStopSec"))
    waited: list[float] = []
    ByUnit(_UNIT.parent, lambda name, seconds: waited.append(seconds)).read("sda", "")
    assert waited[0] > starts + stops + _SCSI
    # The interpreter alone took 12 s in a board that was emulated and busy.
    assert starts > read_stick._PATIENCE + 30


def _answer(files: object, problem: object = "") -> bytes:
    return json.dumps({"files": files, "problem": problem}).encode()


_B64 = base64.b64encode(b"x" * (LARGEST + 1)).decode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        _answer([]),
        _answer({"optb/reset.txt": "no base64!"}),
        _answer({"optb/reset.txt": 7}),
        _answer({"optb/reset.txt": _B64}),
        _answer({}, "some words of whoever took it over"),
        _answer({}, ["a list"]),
        b" " * 2_000_000,
    ],
)
def test_an_answer_that_means_harm(tmp_path: Path, content: bytes) -> None:
    def start(unit: str, seconds: float) -> None:
        (tmp_path / "sda.json").write_bytes(content)

    assert ByUnit(tmp_path, start).read("sda", "") == Medium("sda", "", problem="its file system cannot be read")


def test_other_names_in_an_answer_are_left_out(tmp_path: Path) -> None:
    def start(unit: str, seconds: float) -> None:
        (tmp_path / "sda.json").write_bytes(_answer({"etc/shadow": "eA==", "optb/reset.txt": "eA=="}))

    assert ByUnit(tmp_path, start).read("sda", "").files == {"optb/reset.txt": b"x"}


def test_a_link_and_a_pipe_in_the_place_of_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "sda.json"

    def link(unit: str, seconds: float) -> None:
        path.symlink_to("/etc/hostname")

    assert ByUnit(tmp_path, link).read("sda", "").problem
    path.unlink()

    def pipe(unit: str, seconds: float) -> None:
        os.mkfifo(path)

    assert ByUnit(tmp_path, pipe).read("sda", "").problem


def test_no_answer(tmp_path: Path) -> None:
    assert ByUnit(tmp_path, lambda unit, seconds: None).read("sda", "").problem
