"""`--language id` and $LANG: what a command says to a person, without any locale in the system."""

from collections.abc import Callable
from pathlib import Path
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


def test_doctor_speaks_the_language(otppi: Otppi, data: Path) -> None:
    otppi("settings", "set", "sms.country_code", "62")
    result = otppi("doctor", "--language", "id")
    assert "masalah  gateway: tidak berjalan" in result.out
    assert "pengaturan: semuanya dapat dipakai" in result.out
    assert "settings: all of them can be used" in otppi("doctor").out


def test_problems_of_fields_are_told_in_the_language(otppi: Otppi, data: Path) -> None:
    result = otppi("--language", "id", "settings", "set", "sms.country_code", "{0}%s")
    assert result.code == 2
    assert "sms.country_code: bukan kode negara, seperti 62" in result.err
    assert "is not a country code" in otppi("settings", "set", "sms.country_code", "{0}%s").err


def test_what_scripts_read_stays_english(otppi: Otppi, data: Path) -> None:
    result = otppi("doctor", "--json", "--language", "id")
    assert any(one["text"] == "it is not running" for one in result.json["checks"])


def test_the_running_gateway_is_shown_in_the_language(otppi: Otppi, gateway: Any) -> None:
    status = otppi("status", "--language", "id", "--data", gateway.data).out
    assert "gateway berjalan, " in status
    assert "KEADAAN" in status
    assert "siap" in status
    assert "tidak ada /dev/nowhere" in status
    unknown = otppi("send", "--language", "id", "--data", gateway.data, "--modem", "nobody", "081234567890", "Halo")
    assert "tidak ada modem aktif dengan nama ini" in unknown.err


def test_the_reference_of_settings_is_in_the_language(otppi: Otppi) -> None:
    page = otppi("settings", "reference", "--language", "id").out
    assert page.startswith("# Pengaturan\n")
    assert "| Pengaturan | Judul | Jenis | Bawaan | Kegunaan |" in page
    assert "| `default_lifetime` | Masa berlaku bawaan | bilangan bulat dari 5 sampai 604.800 detik | `600` |" in page
    assert "| `routing` | Rute | `prefix` atau `cheapest` |" in page
    assert "Setelah perubahan, modem atau akun dibuka ulang" in page


def test_the_reference_of_operations_is_in_the_language(otppi: Otppi) -> None:
    page = otppi("operations", "--language", "id").out
    assert page.startswith("# Operasi\n")
    assert "| Argumen | Judul |" in page
    assert "peran viewer, hanya membaca" in page


def test_the_unit_of_a_limit_is_told_in_the_language(otppi: Otppi, data: Path) -> None:
    change = ("settings", "set", "sms.default_lifetime", "1")
    assert "sms.default_lifetime: harus sedikitnya 5 detik" in otppi("--language", "id", *change).err
    assert "sms.default_lifetime: must be at least 5 s\n" in otppi(*change).err
