"""Under-voltage: the bits, the kernel's file, the program vcgencmd with its ways of failing, and who is told."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.cli.checks.device import check_power_supply
from otppi.cli.checks.finding import Severity
from otppi.host.modems import power_supply
from otppi.host.modems.power_supply import PowerSupply, SupplyReading, decode, read_throttled

NOW_AND_BEFORE = SupplyReading(under_voltage=True, throttled=True, under_voltage_seen=True, throttled_seen=True)
Vcgencmd = Callable[[str], None]


@pytest.fixture
def vcgencmd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vcgencmd:
    """Put a program of this name on the PATH, and no kernel of a Raspberry Pi below it."""
    monkeypatch.setattr(power_supply, "_SYSFS", tmp_path / "sysfs")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    def make(script: str) -> None:
        program = tmp_path / "vcgencmd"
        program.write_text(
            f'#!/bin/sh\n[ "$*" = get_throttled ] || exit 64\necho asked >> "{tmp_path}/log"\n{script}\n'
        )
        program.chmod(0o700)

    return make


@pytest.mark.parametrize(
    ("value", "throttled"),
    [
        (0x0, SupplyReading()),
        (0x1, SupplyReading(under_voltage=True)),
        (0x2, SupplyReading(frequency_capped=True)),
        (0x4, SupplyReading(throttled=True)),
        (0x8, SupplyReading(hot=True)),
        (0x10000, SupplyReading(under_voltage_seen=True)),
        (0x20000, SupplyReading(frequency_capped_seen=True)),
        (0x40000, SupplyReading(throttled_seen=True)),
        (0x80000, SupplyReading(hot_seen=True)),
        (0x50005, NOW_AND_BEFORE),
    ],
)
def test_each_bit_has_its_meaning(value: int, throttled: SupplyReading) -> None:
    assert decode(value) == throttled


@given(st.integers(0, 2**32 - 1))
def test_other_bits_mean_nothing(value: int) -> None:
    assert decode(value) == decode(value & 0xF000F)


@pytest.mark.parametrize("folder", ["soc/soc:firmware", "soc@107c000000/soc@107c000000:firmware"])
def test_the_kernels_file_is_read(tmp_path: Path, vcgencmd: Vcgencmd, folder: str) -> None:
    (tmp_path / "sysfs" / folder).mkdir(parents=True)
    (tmp_path / "sysfs" / folder / "get_throttled").write_text("50005\n")
    vcgencmd("echo throttled=0x0")
    assert read_throttled() == NOW_AND_BEFORE


def test_what_the_kernel_cannot_tell_the_program_is_asked(tmp_path: Path, vcgencmd: Vcgencmd) -> None:
    (tmp_path / "sysfs/soc/soc:firmware").mkdir(parents=True)
    (tmp_path / "sysfs/soc/soc:firmware/get_throttled").write_text("")
    vcgencmd("echo throttled=0x10000")
    assert read_throttled() == SupplyReading(under_voltage_seen=True)


def test_the_program_is_asked_as_it_answers(vcgencmd: Vcgencmd) -> None:
    vcgencmd("echo throttled=0x50005")
    assert read_throttled() == NOW_AND_BEFORE


@pytest.mark.parametrize(
    "script",
    [
        "echo VCHI initialization failed; exit 255",
        """echo "Can't open device file: /dev/vcio"; exit 255""",
        """echo 'error=1 error_msg="Command not registered"'""",
        "echo throttled=",
        "printf '\\377\\376'",
        "exit 1",
        "echo throttled=0x1; exit 1",
    ],
)
def test_a_program_that_fails_tells_nothing(vcgencmd: Vcgencmd, script: str) -> None:
    vcgencmd(script)
    assert read_throttled() is None
    assert PowerSupply().hint() == ""
    assert list(check_power_supply()) == []


def test_a_program_that_hangs_is_not_waited_for(vcgencmd: Vcgencmd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_supply, "_TIMEOUT", 0.2)
    vcgencmd("exec sleep 60")
    assert read_throttled() is None


def test_a_computer_of_another_make_tells_nothing(vcgencmd: Vcgencmd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert read_throttled() is None


@pytest.mark.parametrize(
    ("value", "level", "hint"),
    [
        ("0x50005", Severity.PROBLEM, "this device has under-voltage now"),
        ("0x50000", Severity.WARNING, "this device has had under-voltage since it was switched on"),
        ("0xe0008", Severity.OK, ""),
    ],
)
def test_the_doctor_names_it(vcgencmd: Vcgencmd, value: str, level: Severity, hint: str) -> None:
    vcgencmd(f"echo throttled={value}")
    (finding,) = check_power_supply()
    assert finding.level is level
    assert hint in finding.text
    assert PowerSupply().hint() == hint


def test_many_modems_that_are_lost_together_ask_once(tmp_path: Path, vcgencmd: Vcgencmd) -> None:
    vcgencmd("echo throttled=0x1")
    supply = PowerSupply()
    assert {supply.hint() for _ in range(16)} == {"this device has under-voltage now"}
    assert (tmp_path / "log").read_text() == "asked\n"
