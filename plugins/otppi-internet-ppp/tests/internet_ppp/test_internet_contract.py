"""The contract of mobile internet, held with a pppd that runs the dialogue and then says what the real one says."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from otppi.api.internet import Dialling, Internet, InternetContext, InternetType
from otppi.simulator import ModemRack
from otppi.testing.internet import INTERNET_CHECKS, InternetBench
from otppi.testing.leaks import children
from otppi.testing.system_units import SystemUnits
from otppi_internet_ppp.child import Programs
from otppi_internet_ppp.link import PppLink
from otppi_internet_ppp.plugin import otppi_internet_types


class PppBench(InternetBench):
    def __init__(self, folder: Path, rack: ModemRack, dialling: Dialling, programs: Programs) -> None:
        super().__init__(folder)
        self._modem = rack.modems[0]
        self._dialling = dialling
        self._programs = programs
        self._made: list[PppLink] = []

    @property
    def internet_type(self) -> InternetType:
        (internet_type,) = otppi_internet_types()
        return internet_type

    def create(self, context: InternetContext) -> Internet:
        self._made.append(PppLink(context, self._programs))
        return self._made[-1]

    def dialling(self) -> Dialling:
        return self._dialling

    def refuse(self) -> None:
        self._modem.inject("dial-no-carrier")

    def hang_up(self) -> None:
        os.kill(self.pppd(), signal.SIGKILL)
        self._modem.set_coverage(False)
        self._modem.set_coverage(True)

    def pppd(self) -> int:
        """Return the process of pppd, which is a child of this one."""
        (process,) = (int(one) for one in children() if self._programs.pppd in command_line(one))
        return process


class UnitBench(PppBench):
    """The same, where a unit of the system runs pppd."""

    def __init__(
        self, folder: Path, rack: ModemRack, dialling: Dialling, programs: Programs, units: SystemUnits
    ) -> None:
        super().__init__(folder, rack, dialling, programs)
        self._units = units

    def pppd(self) -> int:
        """Return the process of pppd, which is a child of the unit's program."""
        ((_member, unit), *_others) = self._units.calls
        program = self._units.main_pid(unit)
        return int(Path(f"/proc/{program}/task/{program}/children").read_text().split()[0])


def command_line(process: str) -> str:
    return Path(f"/proc/{process}/cmdline").read_text()


@pytest.mark.parametrize("check", INTERNET_CHECKS, ids=lambda check: check.__name__)
def test_the_connection_keeps_the_contract(
    boot_folder: Path,
    rack: ModemRack,
    dialling: Dialling,
    programs: Programs,
    check: Callable[[InternetBench], None],
) -> None:
    check(PppBench(boot_folder, rack, dialling, programs))


@pytest.mark.parametrize("check", INTERNET_CHECKS, ids=lambda check: check.__name__)
def test_the_connection_by_a_unit_keeps_the_contract(
    boot_folder: Path,
    rack: ModemRack,
    dialling: Dialling,
    programs: Programs,
    units: SystemUnits,
    check: Callable[[InternetBench], None],
) -> None:
    check(UnitBench(boot_folder, rack, dialling, programs, units))
    assert [path for path in boot_folder.rglob("*") if not path.is_dir()] == []


def test_the_type_makes_the_connection(tmp_path: Path, dialling: Dialling) -> None:
    (internet_type,) = otppi_internet_types()
    context = InternetContext("m0", internet_type.section.defaults(), lambda: dialling, tmp_path)
    assert isinstance(internet_type.create(context), PppLink)
