"""`--language id` and $LANG: what a command says to a person, without any locale in the system."""

from collections.abc import Callable
from typing import Any

import pytest

from otppi.cli import language
from otppi.cli.output import cell, columns, complain, one_line
from otppi.text import _, catalogue

Otppi = Callable[..., Any]


@pytest.mark.parametrize("arguments", [("--language", "id", "--help"), ("--help", "--language=id")])
def test_help_is_in_the_language(otppi: Otppi, arguments: tuple[str, ...]) -> None:
    out = otppi(*arguments).out
    assert out.startswith("pemakaian: otppi ")
    for words in ("opsi:", "perintah:", "PERINTAH", "tampilkan bantuan ini", "kode keluar:", "contoh:"):
        assert words in out
    assert "usage:" not in out


def test_help_of_a_command_is_in_the_language(otppi: Otppi) -> None:
    """Its usage is taken apart by argparse, where options may stand between arguments."""
    out = otppi("send", "--help", "--language", "id").out
    assert out.startswith("pemakaian: otppi send [-h] ")
    assert "folder data gateway" in out


def test_the_environment_chooses(otppi: Otppi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "id_ID.UTF-8")
    assert otppi("--help").out.startswith("pemakaian: ")
    assert otppi("--language", "en", "--help").out.startswith("usage: ")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "argumen berikut wajib diisi: PERINTAH"),
        (("status", "--nonsense"), "argumen tidak dikenal: --nonsense"),
        (("completion", "csh"), "pilihan tidak sah: 'csh'"),
        (("status", "--data"), "argumen --data: satu argumen diperlukan"),
    ],
)
def test_wrong_usage_is_told_in_the_language(otppi: Otppi, arguments: tuple[str, ...], problem: str) -> None:
    result = otppi("--language", "id", *arguments)
    assert result.code == 2
    assert problem in result.err
    assert "(lihat otppi" in result.err


def test_a_language_that_there_is_not_is_wrong_usage(otppi: Otppi) -> None:
    result = otppi("--language", "xx", "status")
    assert result.code == 2
    assert "'xx'" in result.err


def test_what_follows_two_dashes_is_no_option(otppi: Otppi, monkeypatch: pytest.MonkeyPatch) -> None:
    language.choose(["send", "--", "--language", "id"], {})
    assert language.current() == "en"
    language.choose(["send", "--language"], {"LANG": "id"})
    assert language.current() == "id"
    language.use("en")


def test_control_characters_in_arguments_are_escaped_in_every_language(
    otppi: Otppi, capsys: pytest.CaptureFixture[str]
) -> None:
    language.use("id")
    hostile = "\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}{x}%s\ud800"
    text = _("{program}: {problem} (see {program} --help)", program="p", problem=hostile)
    escaped = "p: \\x1b[2J\\u202e{x}%s\\ud800 (lihat p --help)"
    assert one_line(text) == escaped
    assert cell(text) == escaped
    assert columns([{"a": text}], {"a": _("commands")}) == ["perintah", escaped]
    complain(text)
    assert capsys.readouterr().err == f"otppi: {escaped}\n"
    language.use("en")


def test_a_plugin_without_a_catalogue_is_read_in_english() -> None:
    language.use("id")
    assert cell(catalogue("no_such_package")("no signal")) == "no signal"
    assert cell("plain words") == "plain words"
    assert cell(value=True) == "ya"
    language.use("en")
