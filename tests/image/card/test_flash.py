"""`./build.sh flash`: writes what was asked for to the disk that was asked for, and to no other."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

FLASH = Path(__file__).parents[3] / "image/bin/flash"
IMAGE = bytes(510) + b"\x55\xaa" + os.urandom(3 << 20) + bytes((1 << 20) - 512)


@pytest.fixture
def img(tmp_path: Path) -> Path:
    """An image of 4 MiB."""
    path = tmp_path / "card.img"
    path.write_bytes(IMAGE)
    return path


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB, which does not say that it can be taken out."""
    backing = tmp_path / "disk"
    backing.write_bytes(b"x" * (8 << 20))
    found = subprocess.run(["losetup", "--find", "--show", backing], check=True, capture_output=True, text=True)
    yield Path(found.stdout.strip())
    subprocess.run(["losetup", "--detach", found.stdout.strip()], check=True)


def _flash(*arguments: str | Path, typed: str = "") -> tuple[int, str]:
    done = subprocess.run([FLASH, *arguments], input=typed, capture_output=True, text=True, errors="replace")
    return done.returncode, done.stdout + done.stderr


def _content(disk: Path) -> bytes:
    with disk.open("rb") as file:
        return file.read()


@pytest.mark.parametrize("packed", [False, True])
def test_writes_and_reads_back(img: Path, disk: Path, packed: bool) -> None:
    if packed:
        subprocess.run(["zstd", "--quiet", "--rm", img], check=True)
        img = img.with_name("card.img.zst")
    code, told = _flash("--yes", "--fixed", img, disk)
    assert code == 0, told
    assert "is written" in told
    assert _content(disk) == IMAGE + b"x" * (4 << 20)


def test_asks_and_writes_only_what_was_typed(img: Path, disk: Path) -> None:
    code, told = _flash("--fixed", img, disk, typed="/dev/another\n")
    assert code == 1
    assert "nothing was written" in told
    assert _content(disk) == b"x" * (8 << 20)
    code, told = _flash("--fixed", img, disk, typed=f"{disk}\n")
    assert code == 0, told
    assert _content(disk).startswith(IMAGE)


def test_a_disk_of_this_computer_is_refused(img: Path, disk: Path) -> None:
    code, told = _flash("--yes", img, disk)
    assert code == 1
    assert "--fixed" in told
    assert _content(disk) == b"x" * (8 << 20)


def test_a_disk_that_is_too_small(tmp_path: Path, disk: Path) -> None:
    large = tmp_path / "large.img"
    with large.open("wb") as file:
        file.write(IMAGE)
        file.truncate(9 << 20)
    code, told = _flash("--yes", "--fixed", large, disk)
    assert code == 1
    assert "too small: the image has 9 MiB" in told
    assert _content(disk) == b"x" * (8 << 20)


def test_what_is_no_disk(img: Path, tmp_path: Path) -> None:
    code, told = _flash("--yes", img, tmp_path / "file")
    assert code == 1
    assert "is no disk" in told
    code, told = _flash("--yes", tmp_path / "missing.img", "/dev/null")
    assert code == 1
    assert "missing.img is not there" in told


def test_a_computer_that_cannot_tell_what_is_mounted(img: Path, disk: Path, tmp_path: Path) -> None:
    """An lsblk before 2.37 knows no MOUNTPOINTS; the disk was written to, as if nothing were."""
    old = tmp_path / "bin/lsblk"
    old.parent.mkdir()
    old.write_text('#!/bin/sh\ncase $* in *MOUNTPOINTS*) exit 1 ;; *) exec /usr/bin/lsblk "$@" ;; esac\n')
    old.chmod(0o755)
    done = subprocess.run(
        [FLASH, "--yes", "--fixed", img, disk],
        env={**os.environ, "PATH": f"{old.parent}:{os.environ['PATH']}"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "cannot be told" in done.stderr
    assert _content(disk) == b"x" * (8 << 20)


@pytest.mark.parametrize("program", ["xz", "gzip"])
def test_an_image_that_is_compressed_otherwise(img: Path, disk: Path, program: str) -> None:
    """It was written as it is, and the card did not start."""
    subprocess.run([program, img], check=True)
    (packed,) = img.parent.glob("card.img.*")
    code, told = _flash("--yes", "--fixed", packed, disk)
    assert code == 1
    assert "is no card image" in told
    assert _content(disk) == b"x" * (8 << 20)


@pytest.mark.parametrize("arguments", [(), ("one",), ("--force", "a", "b")])
def test_usage(arguments: tuple[str, ...]) -> None:
    assert _flash(*arguments)[0] == 1


def test_a_disk_in_use_is_refused(img: Path, disk: Path, tmp_path: Path) -> None:
    subprocess.run(["mke2fs", "-q", "-F", disk], check=True, env={**os.environ, "PATH": "/usr/sbin:/usr/bin"})
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    subprocess.run(["mount", disk, mounted], check=True)
    try:
        code, told = _flash("--yes", "--fixed", img, disk)
    finally:
        subprocess.run(["umount", mounted], check=True)
    assert code == 1
    assert "in use" in told
