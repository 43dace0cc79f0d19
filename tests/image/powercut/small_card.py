"""A small card with the files of a device, and a log in which it is written: for tests of what looks at cuts."""

import json
import shutil
import struct
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.identity.first_boot import DeviceFiles, first_boot
from otppi.host.identity.identity import FILE_NAME, make
from tests.image.powercut.file_system import ENVIRONMENT
from tests.image.powercut.recording import Recording
from tests.image.powercut.write_log import length_of

_BLOCK: Final = 4096
_BOOT: Final = (1 << 20, 4 << 20)
_ROOT: Final = (5 << 20, 12 << 20)
"""Where a partition starts, and its size, in octets."""
_SECTOR: Final = 512
_FLUSH: Final = 1
ADMINISTRATOR: Final = {"username": "sari", "password": "kursi hijau di teras", "role": "administrator"}


class SmallCard:
    """A device's files in a folder, brought to a card step by step.

    Args:
        folder: For what is made.
        settings: Those that the card brings for the gateway's first start.

    Attributes:
        root: The files.
        recording: What was written, and told.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any] | None = None) -> None:
        self.root = folder / "root"
        self._folder = folder
        for name in ("etc/otppi", "etc/NetworkManager/system-connections", "boot/firmware", "var/lib"):
            (self.root / name).mkdir(parents=True)
        self._document = json.dumps(make(settings=settings).document()).encode()
        (self.root / "boot/firmware" / FILE_NAME).write_bytes(self._document)
        image = folder / "begin.img"
        self._now = self._made(image)
        self.recording = Recording.begun(folder / "recording", image)
        self._log = self.recording.log("all")
        self._log.write_bytes(struct.pack("<QQQI", 0x6A736677736872, 1, 0, _SECTOR).ljust(_SECTOR, b"\0"))

    @property
    def device(self) -> DeviceFiles:
        """The places of the files."""
        return DeviceFiles(self.root, None)

    @property
    def writes(self) -> int:
        """How many writes there were."""
        return length_of(self._log)

    def first_boot(self) -> None:
        """Do the first boot."""
        first_boot(self.device)
        self.write()
        self.recording.done("first boot", True)

    def change(self, change: Callable[[DataFolder], object]) -> None:
        """Have something changed by the gateway's own means, on the files only."""
        data = DataFolder(self.device.data, plugins=load_plugins(()))
        try:
            change(data)
        finally:
            data.close()

    def set(self, document: Any) -> None:
        """Change settings, on the files only."""
        self.change(lambda data: data.config.update(document))

    def write(self) -> None:
        """Write the files as they are now to the card, and flush."""
        before, self._now = self._now, self._made(self._folder / "now.img")
        with self._log.open("ab") as log:
            for at in range(0, len(self._now), _BLOCK):
                if (block := self._now[at : at + _BLOCK]) != before[at : at + _BLOCK]:
                    log.write(_entry(at, len(block), 0) + block)
            log.write(_entry(0, 0, _FLUSH))

    def _made(self, image: Path) -> bytes:
        fat, ext4 = self._folder / "fat", self._folder / "ext4"
        for one in (fat, ext4):
            one.unlink(missing_ok=True)
        _run("mkfs.fat", "-C", "--invariant", "-i", "1234abcd", fat, str(_BOOT[1] >> 10))
        if files := sorted((self.root / "boot/firmware").iterdir()):
            _run("mcopy", "-i", fat, *files, "::/")
        tree = self._folder / "tree"
        shutil.copytree(self.root, tree, ignore=shutil.ignore_patterns("firmware"))
        options = f"hash_seed={'0' * 8}-0000-0000-0000-{'0' * 12}"
        _run("mke2fs", "-q", "-t", "ext4", "-U", "random", "-E", options, "-d", tree, ext4, f"{_ROOT[1] >> 20}M")
        shutil.rmtree(tree)
        table = bytearray(512)
        for number, (kind, (start, size)) in enumerate(((0x0C, _BOOT), (0x83, _ROOT))):
            struct.pack_into("<4xB3xII", table, 446 + 16 * number, kind, start // 512, size // 512)
        table[510:] = b"\x55\xaa"
        with image.open("wb") as file:
            for at, content in ((0, bytes(table)), (_BOOT[0], fat.read_bytes()), (_ROOT[0], ext4.read_bytes())):
                file.seek(at)
                file.write(content)
        return image.read_bytes()


def _entry(offset: int, size: int, flags: int) -> bytes:
    return struct.pack("<QQQQ", offset // _SECTOR, size // _SECTOR, flags, 0).ljust(_SECTOR, b"\0")


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
