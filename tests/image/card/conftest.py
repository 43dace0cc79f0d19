"""Card images as image/bin/img makes them, with a small FAT32 and nothing behind it."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

COMMAND_LINE = (
    "console=serial0,115200 console=tty1 root=PARTUUID=1a2b3c4d-02 rootfstype=ext4 fsck.repair=yes rootwait\n"
)
MIB = 1024 * 1024
FIRST = 8
"""MiB before the boot partition."""
SIZE = 36
"""MiB of it: FAT32 has 65525 clusters at least."""


@pytest.fixture(autouse=True)
def _system_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find sfdisk and mkfs.fat as a user who is not root, and speak English."""
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin:/sbin")
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def make_image(path: Path, files: Mapping[str, str], *, kind: str = "c") -> Path:
    """Make a card image: MBR, FAT32 `bootfs` at 8 MiB with some files, the beginning of a Linux partition.

    Args:
        path: Where.
        files: Contents by name.
        kind: The type of the first partition, as sfdisk writes it.
    """
    with open(path, "wb") as file:
        file.truncate((FIRST + SIZE + 1) * MIB)
    table = (
        f"label: dos\nstart={FIRST * 2048}, size={SIZE * 2048}, type={kind}, bootable\n"
        f"start={(FIRST + SIZE) * 2048}, size=2048, type=83\n"
    )
    subprocess.run(["sfdisk", "--quiet", path], input=table, text=True, check=True, capture_output=True)
    formatted = ["mkfs.fat", "-F", "32", "-n", "bootfs", "-s", "1", "--invariant", "--offset", str(FIRST * 2048)]
    subprocess.run([*formatted, path, str(SIZE * 1024)], check=True, capture_output=True)
    for name, content in files.items():
        put(path, name, content)
    return path


def put(image: Path, name: str, content: str) -> None:
    """Put a file on the boot partition of an image."""
    copied = ["mcopy", "-o", "-i", f"{image}@@{FIRST}M", "-", f"::{name}"]
    subprocess.run(copied, input=content.encode(), check=True, capture_output=True)


def got(image: Path, name: str) -> str:
    """Read a file of the boot partition of an image."""
    shown = ["mtype", "-i", f"{image}@@{FIRST}M", f"::{name}"]
    return subprocess.run(shown, check=True, capture_output=True).stdout.decode()


def listed(image: Path) -> set[str]:
    """Return the names of the files on the boot partition of an image."""
    shown = subprocess.run(["mdir", "-b", "-i", f"{image}@@{FIRST}M", "::"], check=True, capture_output=True, text=True)
    return {line.removeprefix("::/") for line in shown.stdout.splitlines()}


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the image that each test gets a copy of."""
    files = {"cmdline.txt": COMMAND_LINE, "config.txt": "arm_64bit=1\n"}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin:/sbin")
        return make_image(tmp_path_factory.mktemp("card") / "otp-pi.img", files)


@pytest.fixture
def image(pristine: Path, tmp_path: Path) -> Iterator[Path]:
    """Copy a card image as it was built."""
    path = tmp_path / "otp-pi.img"
    subprocess.run(["cp", "--sparse=always", pristine, path], check=True)
    yield path
    path.unlink()
