"""Which version runs: what systemd's script does before and after each start, and at a power cut within."""

import os
import subprocess
from pathlib import Path

import pytest

from .made_bundles import SCRIPT, Device


@pytest.fixture
def tried(device: Device) -> Device:
    """A device with 0.2.0 on trial, and settings."""
    (device.data / "settings.json").write_text("old")
    device.hand_over()
    device.update().make()
    return device


def test_the_images_own_runs_where_there_is_no_other(device: Device) -> None:
    assert device.starts() == "image"
    assert device.version("path").strip() == str(device.image)
    assert not device.home.exists()


def test_one_that_never_becomes_ready_is_tried_twice(tried: Device) -> None:
    assert tried.starts(ready=False) == "0.2.0"
    (tried.data / "settings.json").write_text("new")  # it has changed them to what the other one cannot read
    (tried.data / "settings.json.bak").write_text("new")
    assert tried.starts(ready=False) == "0.2.0"
    assert tried.starts(ready=False) == "image"
    assert tried.outcome() == {"version": "0.2.0", "result": "rolled_back", "reason": "not_ready"}
    assert (tried.data / "settings.json").read_text() == "old"
    assert not (tried.data / "settings.json.bak").exists()
    assert tried.starts() == "image"
    assert not (tried.home / "rolled-back").exists()
    (tried.data / "settings.json").write_text("later")
    assert tried.starts() == "image"
    assert (tried.data / "settings.json").read_text() == "later"  # they are brought back once


def test_the_settings_before_are_kept_for_the_way_back(tried: Device) -> None:
    assert tried.starts() == "0.2.0"
    (tried.data / "settings.json").write_text("new")
    assert tried.starts() == "0.2.0"
    tried.version("back", "keep")
    assert tried.starts() == "image"
    assert (tried.data / "settings.json").read_text() == "new"
    assert tried.outcome()["result"] == "went_back"


def test_the_way_back_with_the_settings(tried: Device) -> None:
    assert tried.starts() == "0.2.0"
    (tried.data / "settings.json").write_text("new")
    tried.version("back", "settings")
    assert tried.starts() == "image"
    assert (tried.data / "settings.json").read_text() == "old"


def test_there_is_no_way_back_from_the_images_own(device: Device) -> None:
    assert "none before it" in device.version("back", "keep", code=3)
    assert device.starts() == "image"


def test_the_way_back_leads_one_version_back(tried: Device) -> None:
    assert tried.starts() == "0.2.0"
    tried.hand_over(version="0.3.0")
    tried.update().make()
    assert tried.starts() == "0.3.0"
    tried.version("back", "keep")
    assert tried.starts() == "0.2.0"
    tried.version("back", "keep")
    assert tried.starts() == "image"


def test_a_version_that_is_lost(tried: Device) -> None:
    assert tried.starts() == "0.2.0"
    (tried.home / "versions/0.2.0/bin/python").unlink()
    assert tried.starts() == "image"
    assert tried.versions.outcome() is not None


@pytest.mark.parametrize("content", ["", "\n", "0.2.0", "x y z\n", "0.9.9 0\n", "../../bin 0\n", "0.2.0 many\n", "\0"])
def test_a_torn_mark_is_no_reason_to_stop(tried: Device, content: str) -> None:
    (tried.home / "trial").write_text(content)
    (tried.home / "current").write_text(content)
    assert tried.starts() in ("image", "0.2.0")
    assert tried.starts() in ("image", "0.2.0")


def test_a_card_that_takes_nothing_is_no_reason_to_stop(tried: Device, tmp_path: Path) -> None:
    """The version on trial is not tried where that cannot be counted; it would be tried for ever."""
    for name in ("trial.new", "rolled-back.new", "outcome.new"):
        (tried.home / name).mkdir()  # root may write anywhere else
    assert tried.starts() == "image"
    assert tried.starts() == "image"


TOOLS = ("mv", "rm", "sync", "cp", "ln", "cat", "dirname", "readlink", "cmp")


def _cut(device: Device, folder: Path, count: int, *words: str) -> bool:
    """Run the script, with the power going before one of its programs; return whether there was such a one."""
    folder.mkdir(exist_ok=True)
    left = folder / "left"
    left.write_text(str(count))
    for tool in TOOLS:
        wrapper = folder / tool
        real = subprocess.run(["which", tool], capture_output=True, text=True, check=True).stdout.strip()
        wrapper.write_text(
            f'#!/bin/sh\nread -r n <{left}\nif [ "$n" -le 0 ]; then kill -9 $PPID; exit 9; fi\n'
            f'echo $((n - 1)) >{left}\nexec {real} "$@"\n'
        )
        wrapper.chmod(0o755)
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "OTPPI_UPDATE_HOME": str(device.home),
        "OTPPI_UPDATE_IMAGE": str(device.image),
        "OTPPI_UPDATE_LINK": str(device.link),
        "OTPPI_UPDATE_DATA": str(device.data),
    }
    done = subprocess.run([SCRIPT, *words], env=environment, capture_output=True, text=True)
    return done.returncode == -9


def test_no_cut_brings_settings_back_that_were_kept_for_an_earlier_update(tmp_path: Path) -> None:
    """Whichever step of the first try is cut: its version changes settings at the second one, and is given up."""
    for step in ("choose", "settings"):
        count, goes_on = 0, True
        while goes_on:
            folder = tmp_path / f"{step}-{count}"
            folder.mkdir()
            device = Device(folder)
            (device.data / "before-update").write_text("of a year ago")
            (device.data / "settings.json").write_text("old")
            device.hand_over()
            device.update().make()
            if step == "settings":
                device.version("choose")
            goes_on = _cut(device, folder / "tools", count, step)
            while device.starts(ready=False) == "0.2.0":
                (device.data / "settings.json").write_text("new")
            assert device.outcome()["result"] == "rolled_back"
            assert (device.data / "settings.json").read_text() == "old", (step, count)
            count += 1
        assert count > 1


@pytest.mark.parametrize("tries", [0, 2])
def test_the_power_goes_at_each_step_of_a_start(tmp_path: Path, tries: int) -> None:
    """A start that is cut is another one of the version on trial, or none; then all is as if it had not been."""
    for step in ("choose", "settings", "confirm"):
        count, goes_on = 0, True
        while goes_on:
            folder = tmp_path / f"{step}-{count}"
            folder.mkdir()
            device = Device(folder)
            (device.data / "settings.json").write_text("old")
            device.hand_over()
            device.update().make()
            (device.home / "trial").write_text(f"0.2.0 {tries}\n")
            if tries:
                (device.data / "before-update").write_text("old")
                (device.data / "settings.json").write_text("new")
            for before in ("choose", "settings"):
                if before == step:
                    break
                device.version(before)
            goes_on = _cut(device, folder / "tools", count, step)
            device.link.unlink(missing_ok=True)  # it is in RAM
            ran = device.starts()
            assert ran == ("image" if tries else "0.2.0"), (step, count)
            assert (device.data / "settings.json").read_text() == "old", (step, count)
            assert device.starts() == ran
            assert not (device.home / "trial").exists()
            count += 1
        assert count > 1
