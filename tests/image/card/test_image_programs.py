"""What makes a card's image and boots it: nothing that goes wrong is passed over, and the right kernel is taken."""

import os
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from tests.image.card.conftest import put

IMAGE = Path(__file__).parents[3] / "image"
PROGRAMS = IMAGE / "bin"
FINISH = IMAGE / "stage-otppi/03-finish"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The least that an image is made of."""
    folder = tmp_path / "root"
    for name in ("etc", "boot/firmware", "usr/lib/modules"):
        (folder / name).mkdir(parents=True)
    (folder / "etc/machine-id").touch()
    (folder / "lib").symlink_to("usr/lib")
    return folder


def _run(program: str, *arguments: str | Path, **environment: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        [PROGRAMS / program, *arguments],
        env=os.environ | {name: str(value) for name, value in environment.items()},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr


def _img(root: Path, **environment: str) -> tuple[int, str]:
    (root.parent / "packages.tsv").touch()
    return _run("img", root, root.parent / "card.img", OTPPI_OUT=root.parent, **environment)


def test_an_image_is_made(root: Path) -> None:
    code, told = _img(root)
    assert code == 0, told
    assert "set_inode_field" not in told


def test_an_image_that_was_personalised_is_made_anew(root: Path) -> None:
    """The next device is not to have the passphrase of the one before."""
    folder, image = root.parent, root.parent / "card.img"
    (folder / "packages.tsv").touch()
    assert _run("card", folder)[0] == 0
    pristine, made = sha256(image.read_bytes()).digest(), image.stat().st_ino
    assert _run("card", folder)[0] == 0
    assert image.stat().st_ino == made, "it is left alone"
    put(image, "otppi-device.json", "{}")
    assert sha256(image.read_bytes()).digest() != pristine
    assert _run("card", folder)[0] == 0
    assert sha256(image.read_bytes()).digest() == pristine


def test_an_image_whose_times_cannot_be_set_is_none(root: Path, tmp_path: Path) -> None:
    """The real debugfs, which is asked for something more that it cannot do."""
    asking = tmp_path / "programs/debugfs"
    asking.parent.mkdir()
    asking.write_text('#!/bin/sh\necho "set_inode_field /nowhere atime @1" >>"$3"\nexec /usr/sbin/debugfs "$@"\n')
    asking.chmod(0o755)
    code, told = _img(root, PATH=f"{asking.parent}:{os.environ['PATH']}")
    assert code == 1
    assert "/nowhere: File not found" in told


def _kernel(root: Path, version: str, *, drivers: bool) -> None:
    """Give a root a kernel, in which the drivers for a virtual machine are built in, or are not at all."""
    (root / f"boot/vmlinuz-{version}").write_text(version)
    folder = root / "usr/lib/modules" / version
    folder.mkdir()
    names = ("virtio/virtio_pci", "block/virtio_blk", "ext4/ext4") if drivers else ("ext4/ext4",)
    (folder / "modules.builtin").write_text("".join(f"kernel/{one}.ko\n" for one in names))
    (folder / "modules.order").touch()
    subprocess.run(["depmod", "--basedir", root, version], check=True, capture_output=True)


def _by_what_it_boots(root: Path) -> tuple[int, str]:
    busybox = root.parent / "cache/busybox-arm64/usr/bin/busybox"
    busybox.parent.mkdir(parents=True)
    busybox.write_text("a static program")
    return _run("kernel", root, root.parent, OTPPI_CACHE=root.parent / "cache")


def test_a_virtual_machine_boots_by_the_kernel_that_has_its_drivers(root: Path, tmp_path: Path) -> None:
    """Raspberry Pi OS has one for each kind of processor."""
    _kernel(root, "6.12.1-rpi-2712", drivers=False)
    _kernel(root, "6.12.1-rpi-v8", drivers=True)
    code, told = _by_what_it_boots(root)
    assert code == 0, told
    assert (tmp_path / "vmlinuz").read_text() == "6.12.1-rpi-v8"
    assert (tmp_path / "initrd.img").stat().st_size > 0


def test_where_no_kernel_has_them_that_is_told_and_the_image_is_none_the_worse(root: Path, tmp_path: Path) -> None:
    _kernel(root, "6.12.1-rpi-2712", drivers=False)
    (tmp_path / "vmlinuz").write_text("of an image before")
    code, told = _by_what_it_boots(root)
    assert code == 0
    assert "no kernel" in told
    assert not (tmp_path / "vmlinuz").exists()


def _finish(root: Path, packages: list[str]) -> tuple[int, str]:
    """Run the last step of the stage on a root with these packages."""
    told = "".join(f"{one}\t1.0\tarm64\n" for one in packages)
    (root.parent / "installed").write_text(told)
    done = subprocess.run(
        [FINISH / "01-run.sh"],
        cwd=FINISH,
        env=os.environ
        | {"ROOTFS_DIR": str(root), "OTPPI_OUT": str(root.parent)}
        | {"BASH_FUNC_on_chroot%%": f"() {{ cat {root.parent}/installed; }}"},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr


# As pi-gen writes it, and as stage-debian does.
@pytest.mark.parametrize("options", ["defaults", "defaults,noatime,umask=0077"])
def test_the_last_step_of_the_stage(root: Path, options: str) -> None:
    for folder in ("var/lib/dbus", "var/lib/systemd"):
        (root / folder).mkdir(parents=True)
    (root / "etc/fstab").write_text(
        f"proc  /proc  proc  defaults  0  0\nBOOTDEV  /boot/firmware  vfat    {options}  0  2\n"
    )
    wanted = (IMAGE / "stage-otppi/00-packages/00-packages-nr").read_text().split()
    assert _finish(root, wanted) == (0, "")
    (line,) = [one for one in (root / "etc/fstab").read_text().splitlines() if "vfat" in one]
    assert line.split()[3] == f"{options.removesuffix(',umask=0077')},nofail,umask=0077"


def test_an_image_that_lost_a_package_is_none(root: Path) -> None:
    wanted = (IMAGE / "stage-otppi/00-packages/00-packages-nr").read_text().split()
    code, told = _finish(root, [one for one in wanted if one != "network-manager"])
    assert code == 1
    assert "the package network-manager is not in the image any more" in told
