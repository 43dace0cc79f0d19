"""The clock in the card image: what polkit allows, and how a clock with a battery is taken."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OVERLAY = ROOT / "overlays/clock"
RULES = OVERLAY / "etc/polkit-1/rules.d/50-otppi-clock.rules"
UNIT = OVERLAY / "etc/systemd/system/otppi-rtc@.service"
STAGE = ROOT / "image/stage-otppi/02-overlays/01-run.sh"
ALLOWED = {
    "org.freedesktop.timedate1.set-time",
    "org.freedesktop.timedate1.set-timezone",
    "org.freedesktop.timedate1.set-ntp",
    "org.freedesktop.timesync1.set-runtime-servers",
}
POLKIT = """
const fs = require("fs"), vm = require("vm");
const [file, questions] = JSON.parse(fs.readFileSync(0, "utf8"));
const rules = [];
const polkit = {Result: {NO: "no", YES: "yes"}, addRule: (rule) => rules.push(rule)};
vm.runInNewContext(fs.readFileSync(file, "utf8"), {polkit});
const said = (user, id) => rules.map((rule) => rule({id, lookup: () => undefined}, {user}));
const answer = ([user, id]) => said(user, id).find((one) => one) ?? null;
console.log(JSON.stringify(questions.map(answer)));
"""


def answers(*questions: tuple[str, str]) -> list[str | None]:
    given = json.dumps([str(RULES), questions])
    done = subprocess.run(["node", "-e", POLKIT], input=given, capture_output=True, text=True, check=True)
    said: list[str | None] = json.loads(done.stdout)
    return said


def test_the_gateway_may_do_these_four_things() -> None:
    assert set(answers(*(("otppi", one) for one in ALLOWED))) == {"yes"}


@pytest.mark.parametrize("user", ["root", "otppi-stick", "otppi2", "pi", "nobody", "OTPPI", ""])
def test_others_are_not_spoken_of(user: str) -> None:
    assert set(answers(*((user, one) for one in ALLOWED))) == {None}


def test_other_actions_are_left_to_other_rules() -> None:
    others = [
        "org.freedesktop.timedate1.set-local-rtc",
        "org.freedesktop.timedate1.set-time2",
        "org.freedesktop.timedate1",
        "org.freedesktop.timesync1.set-runtime-servers\n",
        "org.freedesktop.systemd1.manage-units",
        "",
    ]
    assert set(answers(*(("otppi", one) for one in others))) == {None}


# -- a clock with a battery --------------------------------------------------------------------------------------------


def take(folder: Path, told: str, built: float) -> str:
    """Run the unit's program on a clock that says something, and return what it had hwclock do."""
    clock, release, hwclock = folder / "rtc0", folder / "os-release", folder / "hwclock"
    clock.mkdir()
    (clock / "since_epoch").write_text(told)
    release.touch()
    os.utime(release, (built, built))
    hwclock.write_text('#!/bin/sh\necho "$@"\n')
    hwclock.chmod(0o755)
    program = (OVERLAY / "usr/lib/otppi/take-rtc").read_text()
    for there, here in (
        ("/sys/class/rtc", folder), ("/etc/os-release", release), ("/usr/sbin/hwclock", hwclock),
    ):  # fmt: skip
        assert there in program
        program = program.replace(there, str(here))
    done = subprocess.run(["sh", "-e", "-c", program, "take-rtc", "rtc0"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_its_time_is_taken_as_utc(tmp_path: Path) -> None:
    now = time.time()
    assert take(tmp_path, f"{now:.0f}\n", now - 1000) == "--hctosys --utc --noadjfile --rtc /dev/rtc0"


@pytest.mark.parametrize("told", ["0\n", "946684800\n"])
def test_one_whose_battery_was_empty_is_left_alone(tmp_path: Path, told: str) -> None:
    assert take(tmp_path, told, time.time() - 1000) == ""


def test_udev_starts_it_and_nothing_waits_for_it() -> None:
    lines = (OVERLAY / "etc/udev/rules.d/60-otppi-rtc.rules").read_text().splitlines()
    (rule,) = [line for line in lines if not line.startswith("#")]
    assert 'SUBSYSTEM=="rtc"' in rule
    assert 'ENV{SYSTEMD_WANTS}+="otppi-rtc@%k.service"' in rule
    for unit in ROOT.glob("overlays/*/etc/systemd/system/**/*"):
        if unit.is_file():
            assert not re.search(r"(Wants|After|Requires)=.*dev-rtc", unit.read_text()), unit
            assert unit == UNIT or "otppi-rtc" not in unit.read_text(), unit
    assert "otppi-rtc" not in (ROOT / "overlays/service/etc/systemd/system-preset/00-otppi.preset").read_text()
    assert "[Install]" not in UNIT.read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_every_line_of_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/usr/lib/otppi/take-rtc", str(OVERLAY / "usr/lib/otppi/take-rtc")))
    environment = os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "SYSTEMD_COLORS": "0"}
    command = ["systemd-analyze", "verify", "--man=no", str(copy)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# -- the line that finds it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["arm_64bit=1\n[pi4]\narm_boost=1\n", "arm_64bit=1", ""])
def test_the_stage_has_the_firmware_look_for_a_ds3231_once(tmp_path: Path, before: str) -> None:
    config = tmp_path / "boot/firmware/config.txt"
    config.parent.mkdir(parents=True)
    config.write_text(before)
    for _time in range(2):
        subprocess.run(["bash", STAGE], env=os.environ | {"ROOTFS_DIR": str(tmp_path)}, check=True)
    lines = config.read_text().splitlines()
    assert lines.count("dtoverlay=i2c-rtc,ds3231") == 1
    assert lines[lines.index("dtoverlay=i2c-rtc,ds3231") - 2] == "[all]", "it counts for every model"
    assert config.read_text().startswith(before)


def test_the_stage_leaves_a_root_without_firmware_as_it_is(tmp_path: Path) -> None:
    subprocess.run(["bash", STAGE], env=os.environ | {"ROOTFS_DIR": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []
