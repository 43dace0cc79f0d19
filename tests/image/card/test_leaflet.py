"""The brochure: what is on its pages, what phones read off it, and how it looks whatever stands in it."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image.card import fonts, qr_code, wording
from image.card.fonts import Font
from image.card.leaflet import leaflet, page_languages
from image.card.papers import Papers
from otppi.api.errors import OtpPiError
from otppi.host.identity.identity import Identity, make
from otppi.text import Text
from otppi.text.languages import translated
from tests.image.card.printed import codes, places, words

PLAIN = Identity("OTP-Pi-K7QX", "k7mq-x4wd-p9ba", "ACDEFHJKMNPQRTUW")
LONG = make(
    ssid='Kantor; Cabang "A,B"\\1:0O lI1xyz',
    passphrase=r'0O1lI; :,"\ ' + "Kata sandi yang panjang sekali, 63 karakter! ab;cd~",
)
WIDE = make(ssid="W" * 32, passphrase="@" * 63)
A5 = (595.28, 419.53)
"""Points."""


def drawn(identity: Identity, folder: Path) -> tuple[Path, dict[str, Path]]:
    """Write the brochure; return the PDF and the pictures by language."""
    papers = Papers(identity)
    papers.write(folder)
    pdf, *pictures = papers.paths(folder)
    return pdf, dict(zip(page_languages(identity), pictures, strict=True))


def texts(country: str) -> list[Text]:
    """Return all that is printed in the language of a page."""
    steps = [text for step in wording.STEPS for text in step]
    about = [wording.TITLE, wording.JOIN, wording.NETWORK, wording.PASSPHRASE, wording.OPEN, wording.CODE]
    end = [wording.KEEP, wording.KEEP_HELP, *wording.NOTES, wording.LAW.filled(country=country)]
    return [*steps, *about, *end]


def together(text: str) -> str:
    """Leave out what differs where a line is broken."""
    return re.sub(r"\s", "", text)


def test_each_language_has_a_page_with_all_that_is_needed(tmp_path: Path) -> None:
    pdf, pictures = drawn(PLAIN, tmp_path)
    assert list(pictures) == ["id", "en"]
    titles = []
    for page, language in enumerate(pictures, 1):
        read = words(pdf, page)
        for one in ("OTP-Pi", "OTP-Pi-K7QX", "k7mq-x4wd-p9ba", "http://192.168.0.11:8888", "ACDE-FHJK-MNPQ-RTUW"):
            assert one in read.split(" ")
        # A line of the steps stands beside one of the codes: word by word, wherever lines are broken.
        found = together(read)
        for text in texts("ID"):
            missing = [word for word in translated(text, language).split() if word not in found]
            assert not missing, text
        titles.append(translated(wording.STEPS[0].title, language))
        assert titles[-1] in read
    assert titles == ["Pasang kartu SIM dan modem", "Plug in the SIM card and the modem"]


def test_the_owners_language_comes_first() -> None:
    assert page_languages(make(language="en")) == ["en", "id"]
    assert page_languages(make(language="id")) == ["id", "en"]


@pytest.mark.parametrize("identity", [PLAIN, LONG, WIDE, make()], ids=["plain", "long", "wide", "made"])
def test_phones_read_the_wifi_and_the_address_off_each_page(identity: Identity, tmp_path: Path) -> None:
    _pdf, pictures = drawn(identity, tmp_path)
    joined = qr_code.wifi(identity.ssid, identity.passphrase)
    for picture in pictures.values():
        assert codes(picture) == {joined, "http://192.168.0.11:8888"}


@pytest.mark.parametrize("identity", [PLAIN, LONG, WIDE], ids=["plain", "long", "wide"])
def test_nothing_covers_anything_nor_leaves_the_page(identity: Identity, tmp_path: Path) -> None:
    pdf, pictures = drawn(identity, tmp_path)
    for page in range(1, len(pictures) + 1):
        found = places(pdf, page)
        assert len(found) > 60
        assert all(one.left > 25 and one.right < A5[0] - 25 and one.bottom < A5[1] - 8 for one in found)
        pairs = [(one, other) for index, one in enumerate(found) for other in found[:index] if one.covers(other)]
        assert not pairs


def test_a_long_passphrase_is_whole_in_two_lines(tmp_path: Path) -> None:
    assert len(LONG.passphrase) == 63
    pdf, _pictures = drawn(LONG, tmp_path)
    read = subprocess.run(["pdftotext", "-raw", pdf, "-"], capture_output=True, text=True, check=True).stdout
    assert together(LONG.passphrase) in together(read)
    assert together(LONG.ssid) in together(read)


def test_it_is_one_sheet_of_a5_with_all_fonts_in_it(tmp_path: Path) -> None:
    pdf, _pictures = drawn(PLAIN, tmp_path)
    shown = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
    assert re.search(r"Pages:\s+2\n", shown)
    assert re.search(r"Page size:\s+595\.28 x 419\.53 pts", shown)
    assert "k7mq" not in shown
    fonts_of = subprocess.run(["pdffonts", pdf], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    assert len(fonts_of) == 4
    assert all(re.search(r" yes yes yes +\d+ +0$", line) for line in fonts_of), "embedded, a part of it, to be copied"
    assert pdf.stat().st_size < 100_000


def test_a_font_that_is_missing_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    absent = {
        ("text", ""): Font(tmp_path / "Lato.ttf", "fonts-lato"),
        ("code", ""): Font(tmp_path, "fonts-dejavu-core"),
    }
    monkeypatch.setattr(fonts, "_FONTS", absent)
    with pytest.raises(OtpPiError, match=r"apt-get install fonts-dejavu-core fonts-lato\)"):
        leaflet(PLAIN)


def test_the_wifi_scheme_escapes_what_it_is_made_of() -> None:
    assert qr_code.wifi("OTP-Pi-K7QX", "k7mq-x4wd") == "WIFI:T:WPA;S:OTP-Pi-K7QX;P:k7mq-x4wd;;"
    assert qr_code.wifi('a;b"c', "d:e,f\\g") == r"WIFI:T:WPA;S:a\;b\"c;P:d\:e\,f\\g;;"


ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=63)


@given(ssid=ASCII, passphrase=ASCII)
def test_a_phone_gets_back_what_was_escaped(ssid: str, passphrase: str) -> None:
    r"""As ZXing reads it: a field ends at the first semicolon before which there is an even number of backslashes."""
    fields = re.findall(r"(\w):((?:\\.|[^\\;])*);", qr_code.wifi(ssid, passphrase).removeprefix("WIFI:"))
    assert [(key, re.sub(r"\\(.)", r"\1", value)) for key, value in fields] == [
        ("T", "WPA"),
        ("S", ssid),
        ("P", passphrase),
    ]
