"""The contract of watchers, held by the real one in a process whose kernel and udev umockdev plays."""

import subprocess
import sys
from pathlib import Path

import pytest

from otppi.testing.media import MEDIA_CHECKS
from reset_stick.images import fat

SCENE = r"""
import ctypes, sys
from pathlib import Path
from otppi.testing import media
from otppi_reset_stick.by_unit import ByUnit
from otppi_reset_stick.read_stick import main
from otppi_reset_stick.watcher import StickWatcher

folder, image = Path(sys.argv[2]), Path(sys.argv[3])
library = ctypes.CDLL("libumockdev.so.0")
library.umockdev_testbed_new.restype = ctypes.c_void_p
bed = ctypes.c_void_p(library.umockdev_testbed_new())


class Bench(media.MediaBench):
    def make(self):
        return StickWatcher(ByUnit(folder, self._start).read)

    def _start(self, unit, seconds):
        name = unit.removeprefix("otppi-read-stick@").removesuffix(".service")
        assert main([name], folder, folder) == 0

    def plug_in(self, name):
        (folder / name).write_bytes(image.read_bytes())
        text = (f"P: /devices/usb1/{name}\nN: {name}\nE: SUBSYSTEM=block\nE: DEVTYPE=partition\nE: ID_BUS=usb\n"
                f"E: ID_FS_USAGE=filesystem\nE: ID_FS_TYPE=vfat\nE: ID_FS_UUID=U-{name}\n\n")
        assert library.umockdev_testbed_add_from_string(bed, text.encode(), None)
        library.umockdev_testbed_uevent(bed, f"/sys/devices/usb1/{name}".encode(), b"add")


getattr(media, sys.argv[1])(Bench())
"""


@pytest.mark.parametrize("check", [one.__name__ for one in MEDIA_CHECKS])
def test_it_keeps_the_contract(tmp_path: Path, check: str) -> None:
    (tmp_path / "scene.py").write_text(SCENE)
    (tmp_path / "answers").mkdir()
    image = fat(tmp_path / "image", size=2, bits=12)
    done = subprocess.run(
        ["umockdev-wrapper", sys.executable, tmp_path / "scene.py", check, tmp_path / "answers", image],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
