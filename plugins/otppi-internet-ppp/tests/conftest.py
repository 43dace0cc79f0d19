from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from otppi.api.internet import Dialling
from otppi.simulator import ModemProfile, ModemRack
from otppi_internet_ppp.plugin import SECTION

DIALLING = Dialling(
    port="/dev/null",
    baud_rate=115_200,
    apn="internet",
    username="somebody",
    password="s3cret",
    dial_command="ATD",
    dial_number="*99#",
)
SETTINGS = SECTION.defaults()


@pytest.fixture
def rack() -> Iterator[ModemRack]:
    with ModemRack(profile=ModemProfile(apn="internet")) as rack:
        yield rack


@pytest.fixture
def dialling(rack: ModemRack) -> Dialling:
    """What this rack's modem is dialled with."""
    return replace(DIALLING, port=str(rack.paths[0]))


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], str]:
    """Make a program out of a Python script."""

    def made(name: str, source: str) -> str:
        path = tmp_path / name
        path.write_text(source)
        path.chmod(0o700)
        return str(path)

    return made
