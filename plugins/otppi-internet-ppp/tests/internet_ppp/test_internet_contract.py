"""The contract of mobile internet, held with a pppd that runs the dialogue and then says what the real one says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from otppi.api.internet import Dialling, Internet, InternetContext, InternetType
from otppi.simulator import ModemRack
from otppi.testing.internet import INTERNET_CHECKS, InternetBench
from otppi_internet_ppp.link import PppLink, Programs
from otppi_internet_ppp.plugin import otppi_internet_types

from .conftest import PPPD


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
        process = self._made[-1]._process
        assert process is not None
        process.kill()
        self._modem.set_coverage(False)
        self._modem.set_coverage(True)


@pytest.mark.parametrize("check", INTERNET_CHECKS, ids=lambda check: check.__name__)
def test_the_connection_keeps_the_contract(
    tmp_path: Path,
    rack: ModemRack,
    dialling: Dialling,
    program: Callable[[str, str], str],
    check: Callable[[InternetBench], None],
) -> None:
    folder = tmp_path / "boot"
    folder.mkdir(mode=0o700)
    check(PppBench(folder, rack, dialling, Programs(program("pppd", PPPD), device=Path("/dev/null"))))


def test_the_type_makes_the_connection(tmp_path: Path, dialling: Dialling) -> None:
    (internet_type,) = otppi_internet_types()
    context = InternetContext("m0", internet_type.section.defaults(), lambda: dialling, tmp_path)
    assert isinstance(internet_type.create(context), PppLink)
