"""`image/bin/pack`: what is packed is the image as it was built, and never a card that is one device's."""

import hashlib
import subprocess
from pathlib import Path

import pytest

PACK = Path(__file__).parents[3] / "image/bin/pack"
BUILT, PERSONALISED = b"built" * 1000, b"secret" * 1000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What image/bin/build leaves."""
    for name in ("card.img", "packages.tsv", "sbom.spdx.json"):
        (tmp_path / name).write_bytes(BUILT)
    return tmp_path


def _pack(folder: Path) -> str:
    done = subprocess.run([PACK, folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


def _unpacked(folder: Path) -> bytes:
    return subprocess.run(["zstd", "-dc", folder / "card.img.zst"], capture_output=True, check=True).stdout


def _sums(folder: Path) -> dict[str, str]:
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    return {name: total for total, name in (line.split() for line in lines)}


def test_packed_with_sums(folder: Path) -> None:
    assert _pack(folder) == ""
    assert _unpacked(folder) == BUILT
    names = ("card.img", "card.img.zst", "packages.tsv", "sbom.spdx.json")
    assert _sums(folder) == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def test_personalised_card_is_never_packed(folder: Path) -> None:
    """Somebody who wants a card for a second device asks for the image once more."""
    _pack(folder)
    (folder / "card.img").write_bytes(PERSONALISED)
    assert "personalised?" in _pack(folder)
    assert (folder / "card.img").read_bytes() == _unpacked(folder) == BUILT
    assert _pack(folder) == ""


def test_what_is_built_anew_is_packed_anew(folder: Path) -> None:
    _pack(folder)
    (folder / "packed").unlink()
    (folder / "card.img").write_bytes(BUILT * 2)
    assert _pack(folder) == ""
    assert _unpacked(folder) == BUILT * 2
