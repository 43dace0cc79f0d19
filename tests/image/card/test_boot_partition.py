"""The boot partition of a card image: found, read, written, and what is told of what is none."""

import os
import subprocess
from pathlib import Path

import pytest

from image.card.boot_partition import BootPartition, CardError
from tests.image.card.conftest import COMMAND_LINE, FIRST, MIB, SIZE, got, listed, make_image, put


def test_it_is_found_read_and_written(image: Path) -> None:
    boot = BootPartition(image)
    assert boot.has("cmdline.txt")
    assert boot.has("CMDLINE.TXT")
    assert not boot.has("otppi-device.json")
    assert boot.read("cmdline.txt").decode() == COMMAND_LINE
    boot.write("otppi-device.json", b"{}\n")
    boot.write("config.txt", b"")
    assert boot.has("otppi-device.json")
    assert listed(image) == {"cmdline.txt", "config.txt", "otppi-device.json"}
    assert (got(image, "otppi-device.json"), got(image, "config.txt")) == ("{}\n", "")
    subprocess.run(["fsck.fat", "-n", _cut(image)], check=True, capture_output=True)


def _cut(image: Path) -> Path:
    """Copy the file system out of an image, for a second opinion on it."""
    path = image.with_suffix(".fat")
    with open(image, "rb") as whole, open(path, "wb") as part:
        whole.seek(FIRST * MIB)
        part.write(whole.read(SIZE * MIB))
    return path


def test_nothing_but_the_partition_is_touched(image: Path) -> None:
    before = image.read_bytes()
    BootPartition(image).write("otppi-device.json", b"x" * 5000)
    after = image.read_bytes()
    assert before != after
    assert before[: FIRST * MIB] == after[: FIRST * MIB]
    assert before[(FIRST + SIZE) * MIB :] == after[(FIRST + SIZE) * MIB :]


@pytest.mark.parametrize("name", ["dengan spasi.img", "a@@b.img", "-i.img", "c:d.img"])
def test_the_image_may_have_any_name(image: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(image.parent)
    image.rename(name)
    assert BootPartition(Path(name)).read("cmdline.txt").decode() == COMMAND_LINE
    Path(name).rename(image)


def test_what_a_person_has_set_for_mtools_does_not_count(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".mtoolsrc").write_text("this is no setting\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MTOOLSRC", str(tmp_path / ".mtoolsrc"))
    assert BootPartition(image).has("cmdline.txt")


@pytest.mark.parametrize(
    ("program", "command"),
    [(["zstd", "-q", "-1"], "zstd -d"), (["xz", "-k", "-0"], "xz -dk"), (["gzip", "-k", "-1"], "gzip -dk")],
)
def test_a_compressed_one_is_told_how_to_decompress(image: Path, program: list[str], command: str) -> None:
    subprocess.run([*program, image], check=True)
    packed = next(one for one in image.parent.iterdir() if one.suffix in (".zst", ".xz", ".gz"))
    with pytest.raises(CardError, match=f"is compressed: decompress it first \\({command} "):
        BootPartition(packed)


def test_what_is_no_image_of_ours_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.img").write_bytes(b"")
    (tmp_path / "noise.img").write_bytes(b"noise" * 1000)
    for name in ("empty.img", "noise.img"):
        with pytest.raises(CardError, match="has no table of partitions"):
            BootPartition(tmp_path / name)
    other = make_image(tmp_path / "linux.img", {}, kind="83")
    with pytest.raises(CardError, match="has no boot partition"):
        BootPartition(other)
    with pytest.raises(FileNotFoundError):
        BootPartition(tmp_path / "missing.img")
    with pytest.raises(IsADirectoryError):
        BootPartition(tmp_path)


def test_one_that_was_not_copied_to_its_end_is_told(image: Path) -> None:
    os.truncate(image, 20 * MIB)
    with pytest.raises(CardError, match="is cut off"):
        BootPartition(image)


def test_a_partition_without_a_file_system_is_told(image: Path) -> None:
    with open(image, "r+b") as file:
        file.seek(FIRST * MIB)
        file.write(bytes(MIB))
    with pytest.raises(CardError, match="its boot partition cannot be used: "):
        BootPartition(image)


def test_a_full_partition_is_told_and_has_what_it_had_before(image: Path) -> None:
    boot = BootPartition(image)
    put(image, "big", "x" * (SIZE * MIB - 1_200_000))
    for name in ("otppi-device.json", "cmdline.txt"):
        with pytest.raises(CardError, match=f"{name} cannot be written: is the partition full"):
            boot.write(name, b"y" * 4 * MIB)
    assert not boot.has("otppi-device.json")
    assert listed(image) == {"big", "cmdline.txt", "config.txt"}
    assert got(image, "cmdline.txt") == COMMAND_LINE
    boot.write("otppi-device.json", b"{}")
    assert got(image, "otppi-device.json") == "{}"


def test_without_mtools_the_package_is_named(image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CardError, match="apt-get install mtools"):
        BootPartition(image)
