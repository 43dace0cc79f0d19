"""`image/bin/personalise` and `image/bin/brochure`, from arguments to files and exit codes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from image.card import boot_partition, brochure, personalise
from image.card.card import Card
from image.card.qr_code import wifi
from tests.image.card.conftest import COMMAND_LINE, got, listed, put
from tests.image.card.printed import codes, words

ROOT = Path(__file__).parents[3]
Captured = pytest.CaptureFixture[str]


def papers(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one.suffix in (".pdf", ".png"))


def modes(folder: Path) -> set[int]:
    return {one.stat().st_mode & 0o777 for one in folder.iterdir() if one.suffix in (".pdf", ".png")}


def test_a_card_and_its_brochure_say_the_same(image: Path, capsys: Captured) -> None:
    assert personalise.main([str(image)]) == 0
    identity = Card(image).identity()
    assert re.fullmatch("OTP-Pi-[3479A-Y]{4}", identity.ssid)
    name = identity.ssid
    assert papers(image.parent) == [f"{name}-en.png", f"{name}-id.png", f"{name}.pdf"]
    assert modes(image.parent) == {0o600}
    for language in ("en", "id"):
        assert wifi(name, identity.passphrase) in codes(image.parent / f"{name}-{language}.png")
    for page in (1, 2):
        assert {identity.passphrase, identity.written_code} < set(words(image.parent / f"{name}.pdf", page).split(" "))
    told = capsys.readouterr()
    assert f"{image} is the card of {name} now." in told.out
    assert "Country ID, time zone Asia/Jakarta, language id." in told.out
    assert told.err == ""
    said = told.out + json.dumps(identity.ssid)
    assert not [one for one in (identity.passphrase, identity.written_code, identity.device_code) if one in said]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_who_called_sudo_may_print_it(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "4321")
    monkeypatch.setenv("SUDO_GID", "1234")
    assert personalise.main([str(image)]) == 0
    owners = {
        (one.stat().st_uid, one.stat().st_gid) for one in image.parent.iterdir() if one.suffix in (".pdf", ".png")
    }
    assert owners == {(4321, 1234)}
    assert modes(image.parent) == {0o600}


def test_everything_may_be_given_and_shown(image: Path, tmp_path: Path, capsys: Captured) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text(
        '{"sms": {"country_code": "65"}, "api_users": [{"username": "app", "password": "tersembunyi 1"}]}'
    )
    given = ["--ssid", "Kantor Pusat/1", "--passphrase", "sandi; rahasia", "--country", "SG", "--language", "en"]
    more = ["--time-zone", "Asia/Singapore", "--settings", str(settings), "--out", str(tmp_path / "new/out"), "--show"]
    assert personalise.main([*given, *more, str(image)]) == 0
    identity = Card(image).identity()
    assert (identity.ssid, identity.passphrase) == ("Kantor Pusat/1", "sandi; rahasia")
    assert (identity.country, identity.time_zone, identity.language) == ("SG", "Asia/Singapore", "en")
    assert identity.settings == json.loads(settings.read_text())
    assert got(image, "cmdline.txt") == f"{COMMAND_LINE.rstrip()} cfg80211.ieee80211_regdom=SG\n"
    assert papers(tmp_path / "new/out") == ["Kantor_Pusat_1-en.png", "Kantor_Pusat_1-id.png", "Kantor_Pusat_1.pdf"]
    assert words(tmp_path / "new/out/Kantor_Pusat_1.pdf", 1).startswith("OTP-Pi Quick start")
    told = capsys.readouterr().out
    assert "Passphrase: sandi; rahasia\n" in told
    assert f"Device code: {identity.written_code}\n" in told
    assert "Settings for the first start: api_users, sms.\n" in told
    assert "tersembunyi" not in told


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_written(
    image: Path, tmp_path: Path, capsys: Captured
) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text('{"sms": {"country_code": "x"}, "modems": [{"name": "m0", "type": "none"}], "modem": {}}')
    wrong = ["--country", "UK", "--passphrase", "short", "--time-zone", "Mars", "--settings", str(settings)]
    assert personalise.main([*wrong, str(image)]) == 2
    told = capsys.readouterr().err.splitlines()
    fields = {re.sub("^otppi: ", "", line).split(":")[0] for line in told}
    assert {"country", "passphrase", "time_zone", "sms.country_code", "modem"} < fields
    assert any(field.startswith("modems[0]") for field in fields)
    assert listed(image) == {"cmdline.txt", "config.txt"}
    assert papers(image.parent) == []


@pytest.mark.parametrize(
    ("content", "told"), [("[]", "document: must be an object"), ('{"sms": ', "is not JSON"), (None, "cannot be read")]
)
def test_a_file_of_settings_that_is_none_is_told(
    image: Path, tmp_path: Path, capsys: Captured, content: str | None, told: str
) -> None:
    if content is not None:
        (tmp_path / "settings.json").write_text(content)
    assert personalise.main(["--settings", str(tmp_path / "settings.json"), str(image)]) == 2
    assert told in capsys.readouterr().err
    assert listed(image) == {"cmdline.txt", "config.txt"}


def test_settings_that_are_no_utf_8_are_told(image: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "settings.json").write_text(r'{"\ud800": {}}')
    assert personalise.main(["--settings", str(tmp_path / "settings.json"), str(image)]) == 2
    assert "otppi: settings: hold half of a surrogate pair" in capsys.readouterr().err
    assert listed(image) == {"cmdline.txt", "config.txt"}


def test_settings_that_the_first_boot_would_not_read_are_told(image: Path, tmp_path: Path, capsys: Captured) -> None:
    users = [{"username": f"aplikasi-{number}", "password": "x" * 100} for number in range(2000)]
    (tmp_path / "settings.json").write_text(json.dumps({"api_users": users}))
    assert personalise.main(["--settings", str(tmp_path / "settings.json"), str(image)]) == 2
    assert capsys.readouterr().err == "otppi: settings: must be of 256 KiB at most\n"
    assert listed(image) == {"cmdline.txt", "config.txt"}


def test_a_second_time_it_has_to_be_told(image: Path, capsys: Captured) -> None:
    assert personalise.main(["--ssid", "Satu", str(image)]) == 0
    first = Card(image).identity()
    assert personalise.main(["--ssid", "Dua", str(image)]) == 2
    assert "is personalised already; --again" in capsys.readouterr().err
    assert Card(image).identity() == first
    assert papers(image.parent) == ["Satu-en.png", "Satu-id.png", "Satu.pdf"]
    assert personalise.main(["--ssid", "Dua", "--again", str(image)]) == 0
    assert Card(image).identity().ssid == "Dua"


def test_the_brochure_of_another_device_is_not_overwritten(image: Path, capsys: Captured) -> None:
    (image.parent / "Kantor.pdf").write_text("of another one")
    assert personalise.main(["--ssid", "Kantor", str(image)]) == 2
    assert f"{image.parent}/Kantor.pdf is there already" in capsys.readouterr().err
    assert (image.parent / "Kantor.pdf").read_text() == "of another one"
    assert "otppi-device.json" not in listed(image)


def test_of_a_card_that_was_not_written_there_is_no_brochure(
    image: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the card is pulled out of its reader: paper that belongs to nothing would be kept, and not work."""

    def pulled_out(self: boot_partition.BootPartition, name: str, content: bytes) -> None:
        raise OSError(5, "Input/output error", str(self.image))

    monkeypatch.setattr(boot_partition.BootPartition, "write", pulled_out)
    assert personalise.main([str(image)]) == 1
    assert capsys.readouterr().err == f"otppi: {image}: Input/output error\n"
    assert papers(image.parent) == []


def test_an_image_that_is_none_is_told(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "otp-pi.img.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(1000))
    assert personalise.main([str(tmp_path / "otp-pi.img.zst")]) == 2
    assert f"decompress it first (zstd -d {tmp_path}/otp-pi.img.zst)" in capsys.readouterr().err
    assert personalise.main([str(tmp_path / "missing.img")]) == 1
    assert capsys.readouterr().err == f"otppi: {tmp_path}/missing.img: No such file or directory\n"


def test_it_speaks_the_language_of_the_environment(
    image: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "id_ID.UTF-8")
    assert personalise.main(["--country", "id", str(image)]) == 2
    assert "kode negara dua huruf" in capsys.readouterr().err
    assert personalise.main([str(image)]) == 0
    assert "sekarang kartu milik" in capsys.readouterr().out


def test_the_brochure_is_drawn_once_more_from_the_card_or_its_file(
    image: Path, tmp_path: Path, capsys: Captured
) -> None:
    assert personalise.main(["--ssid", "Kantor", str(image)]) == 0
    assert brochure.main([str(image)]) == 2
    assert "Kantor.pdf is there already" in capsys.readouterr().err
    assert brochure.main([str(image), "--again"]) == 0
    (tmp_path / "otppi-device.json").write_text(got(image, "otppi-device.json"))
    assert brochure.main([str(tmp_path / "otppi-device.json"), "--out", str(tmp_path / "out")]) == 0
    assert papers(tmp_path / "out") == ["Kantor-en.png", "Kantor-id.png", "Kantor.pdf"]
    assert modes(tmp_path / "out") == {0o600}
    assert words(tmp_path / "out/Kantor.pdf", 1) == words(image.parent / "Kantor.pdf", 1)


def test_of_a_card_without_an_identity_there_is_no_brochure(image: Path, tmp_path: Path, capsys: Captured) -> None:
    assert brochure.main([str(image)]) == 2
    assert "has no identity" in capsys.readouterr().err
    (tmp_path / "otppi-device.json").write_text('{"ssid": "OTP"}')
    assert brochure.main([str(tmp_path / "otppi-device.json")]) == 2
    assert "otppi: passphrase: is missing\n" in capsys.readouterr().err
    put(image, "otppi-device.json", "{}")
    assert brochure.main([str(image)]) == 2
    assert papers(image.parent) == []


def test_the_scripts_run_from_any_folder(image: Path, tmp_path: Path) -> None:
    environment = os.environ | {"OTPPI_VENV": sys.prefix}
    (tmp_path / "image").mkdir()
    (tmp_path / "image/__init__.py").write_text("raise ImportError('this is somebody else\\'s')")
    for script, *arguments in (("personalise", "--ssid", "Kantor", image.name), ("brochure", image.name, "--again")):
        done = subprocess.run(
            [ROOT / "image/bin" / script, *arguments], cwd=image.parent, env=environment, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert papers(image.parent) == ["Kantor-en.png", "Kantor-id.png", "Kantor.pdf"]
