"""Codes at hand: how they are written, and whose a modem has."""

import pytest

from otppi.host.modems.settings import MODEMS
from otppi.host.modems.ussd_settings import MOST_QUICK_CODES, quick_code


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("*123#", ("*123#", "*123#")),
        ("Pulsa: *123#", ("Pulsa", "*123#")),
        ("Paket: harian:*363*1#", ("Paket: harian", "*363*1#")),
    ],
)
def test_a_title_and_a_code(line: str, read: tuple[str, str]) -> None:
    assert quick_code(line) == read


def problems(lines: list[str]) -> list[str]:
    _values, found = MODEMS.validate({"name": "m0", "quick_codes": lines}, "modems[0]")
    return [one.field for one in found]


@pytest.mark.parametrize("line", ["Pulsa", "*12a#", "Pulsa:", "a\x07: *123#", f"{'x' * 33}: *123#", "*123#>1"])
def test_what_is_no_code(line: str) -> None:
    assert problems(["*100#", line]) == ["modems[0].quick_codes"]


def test_how_many() -> None:
    assert problems(["*123#"] * MOST_QUICK_CODES) == []
    assert problems(["*123#"] * (MOST_QUICK_CODES + 1)) == ["modems[0].quick_codes"]
