"""The code of the device: made once, told apart from any other, in whatever way it is written."""

import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.host.administrators.device_code import ALPHABET, LENGTH, DeviceCode


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "device-code"
    one = DeviceCode(path)
    assert not path.exists(), "before anybody needs it"
    code = one.code
    assert re.fullmatch(f"[{ALPHABET}]{{4}}(-[{ALPHABET}]{{4}}){{3}}", code)
    assert one.code == code == DeviceCode(path).code
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert DeviceCode(tmp_path / "another").code != code


def test_no_character_looks_like_another() -> None:
    for alike in ("0OQD"[:2], "1IL", "2Z", "5S", "6G", "8B", "UV"):
        assert sum(character in ALPHABET for character in alike) <= 1
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert len(ALPHABET) ** LENGTH > 2**71


@given(st.text())
def test_only_the_code_is_the_code(tmp_path_factory: pytest.TempPathFactory, typed: str) -> None:
    one = DeviceCode(tmp_path_factory.getbasetemp() / "code")
    tidied = "".join(typed.split()).replace("-", "").upper()
    assert one.matches(typed) is (tidied == one.code.replace("-", ""))
    code = one.code
    for way in (code, code.lower(), code.replace("-", ""), code.replace("-", " "), f" {code} "):
        assert one.matches(way)
    assert not one.matches(code[:-1])
    assert not one.matches(code + "3")
    assert not one.matches("")


@pytest.mark.parametrize(
    ("content", "written"),
    [
        ("ACDEFHJKMNPQRTUW\n", "ACDE-FHJK-MNPQ-RTUW"),  # as the card image writes it at its first boot
        ("9AHCNYKT\n", "9AHC-NYKT"),  # of a version that made them of 8 characters
    ],
)
def test_one_that_is_there_is_the_code(tmp_path: Path, content: str, written: str) -> None:
    path = tmp_path / "device-code"
    path.write_text(content, "ascii")
    one = DeviceCode(path)
    assert one.code == written
    assert one.matches(content)
    assert one.matches(written.lower())
    assert path.read_text("ascii") == content, "is kept as it is"


@pytest.mark.parametrize(
    "content", ["", "ABC", "0OIL0OIL", "ACDEFHJKMNPQ", "ACDEFHJKMNPQRTU0", "acdefhjkmnpqrtuw", "34" * 40, "\xff"]
)
def test_a_damaged_one_is_made_anew(tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "device-code"
    path.write_text(content, "latin-1")
    code = DeviceCode(path).code
    assert "is made anew" in caplog.text
    assert DeviceCode(path).code == code


def test_on_a_card_that_takes_nothing_it_holds_until_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = DeviceCode(tmp_path / "gone" / "device-code")
    assert one.code == one.code
    assert one.matches(one.code)
    assert "holds until the gateway ends" in caplog.text
    assert one.code not in caplog.text
