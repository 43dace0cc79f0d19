"""The file that is flashed: whole, small, the same from the same root, and told package by package."""

import json
import os
import re
import struct
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from tests.image.builds import TOP


@pytest.fixture(scope="module")
def card(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(image, tmp_path_factory.mktemp("card") / "card.img")


def _made(image: Path, path: Path) -> Path:
    environment = {**os.environ, "OTPPI_OUT": str(image)}
    subprocess.run([TOP / "image/bin/img", image / "root", path], env=environment, check=True, capture_output=True)
    return path


def _partitions(card: Path) -> list[tuple[int, int, int]]:
    """Return type, first octet and length of the two partitions."""
    with card.open("rb") as file:
        table = file.read(512)
    assert table[510:] == b"\x55\xaa"
    rows = (table[446 + 16 * number :][:16] for number in range(2))
    return [(row[4], *(512 * one for one in struct.unpack("<II", row[8:]))) for row in rows]


def test_file_systems_are_whole(card: Path, tmp_path: Path) -> None:
    (boot_kind, boot_start, boot_length), (root_kind, root_start, root_length) = _partitions(card)
    assert (boot_kind, root_kind) == (0x0C, 0x83)
    for name, start, length, check in (
        ("boot", boot_start, boot_length, ["fsck.fat", "-n"]),
        ("root", root_start, root_length, ["e2fsck", "-fn"]),
    ):
        part = tmp_path / name
        cut = ["dd", f"if={card}", f"of={part}", "bs=1M", f"skip={start >> 20}", f"count={length >> 20}", "conv=sparse"]
        subprocess.run(cut, check=True, capture_output=True)
        done = subprocess.run(
            [*check, part], capture_output=True, text=True, env={**os.environ, "PATH": "/usr/sbin:/usr/bin"}
        )
        assert done.returncode == 0, done.stdout


def test_same_root_makes_the_same_image(image: Path, card: Path, tmp_path: Path) -> None:
    again = _made(image, tmp_path / "again.img")
    with card.open("rb") as one, again.open("rb") as other:
        assert _digest(one) == _digest(other)


def _digest(file: object) -> str:
    digest = sha256()
    while block := file.read(1 << 20):  # type: ignore[attr-defined]
        digest.update(block)
    return digest.hexdigest()


def test_all_that_is_in_it_is_told(image: Path) -> None:
    told = json.loads((image / "sbom.spdx.json").read_text())
    assert told["spdxVersion"] == "SPDX-2.3"
    names = {one["name"].lower().replace("-", "_").replace(".", "_") for one in told["packages"]}
    assert len({one["SPDXID"] for one in told["packages"]}) == len(told["packages"])
    for line in (image / "packages.tsv").read_text().splitlines():
        assert line.split("\t")[0].replace("-", "_").replace(".", "_") in names
    locked = re.findall(r"^([a-z0-9-]+)==([^ ]+) (?!;)", (TOP / "requirements.lock").read_text(), re.MULTILINE)
    assert len(locked) > 20
    for name, _version in locked:
        assert name.replace("-", "_") in names
    assert "otppi_core" in names
