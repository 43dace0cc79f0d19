"""exFAT, made by mkfs.exfat and filled by the tests: read as it is, and refused where it says what cannot be."""

import os
import random
import struct
from pathlib import Path

import pytest

from otppi_reset_stick.exfat import DamagedError, ExFat, TooLargeError
from reset_stick.images import CODE, FILES, exfat

NAME = "optb/reset.txt"
MOST = 65_536


class _Image:
    """An image in RAM, which counts what is read of it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.octets = 0

    def read_at(self, place: int, size: int) -> bytes:
        assert size <= 4096
        self.octets += size
        return self.content[place : place + size]


def _read(content: bytes | bytearray, name: str = NAME) -> bytes | None:
    return ExFat(_Image(bytes(content)).read_at).read(name, MOST)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return exfat(tmp_path_factory.mktemp("stick") / "stick", size=4).read_bytes()


@pytest.fixture
def image(made: bytes) -> bytearray:
    return bytearray(made)


def _root(image: bytes | bytearray) -> int:
    _fat, _length, heap, _count, root = struct.unpack_from("<IIIII", image, 80)
    return int((heap << image[108]) + ((root - 2) << (image[108] + image[109])))


def _stream_of(image: bytearray, name: str) -> int:
    """Return where the stream extension of a file or folder is."""
    return image.index(b"\xc1\0" + name.encode("utf-16-le")) - 32


@pytest.mark.parametrize("in_a_row", [False, True])
@pytest.mark.parametrize("length", [0, 1, 4095, 4096, 4097, 40_000, MOST])
def test_files_in_a_chain_and_in_a_row(tmp_path: Path, *, in_a_row: bool, length: int) -> None:
    content = os.urandom(length)
    assert _read(exfat(tmp_path / "stick", {NAME: content}, in_a_row=in_a_row).read_bytes()) == content


def test_both_files(image: bytearray) -> None:
    assert {name: _read(image, name) for name in FILES} == FILES


def test_what_is_not_there(image: bytearray) -> None:
    assert _read(image, "optb/other.txt") is None
    assert _read(image, "other/reset.txt") is None


def test_many_files_before_it(tmp_path: Path) -> None:
    files = {f"optb/a name that is so long that it takes three entries {number}.txt": b"" for number in range(20)}
    assert _read(exfat(tmp_path / "stick", {**files, NAME: CODE}, in_a_row=True).read_bytes()) == CODE


def test_a_file_that_was_deleted_is_not_there(image: bytearray) -> None:
    image[_stream_of(image, "reset.txt") - 32] = 0x05  # InUse is the highest bit (6.2.1.4)
    assert _read(image) is None


def test_a_length_that_is_a_lie(image: bytearray) -> None:
    at = _stream_of(image, "reset.txt")
    for length in (2**63, 2**64 - 1, MOST + 1):
        struct.pack_into("<Q", image, at + 8, length)
        struct.pack_into("<Q", image, at + 24, length)
        with pytest.raises(TooLargeError):
            _read(image)
    struct.pack_into("<Q", image, at + 8, MOST)
    struct.pack_into("<Q", image, at + 24, MOST)
    with pytest.raises(DamagedError):  # its chain ends before
        _read(image)


@pytest.mark.parametrize("cluster", [0, 1, 2**31, 0xFFFFFFF7, 0xFFFFFFFF])
def test_a_cluster_that_is_not_there(image: bytearray, cluster: int) -> None:
    struct.pack_into("<I", image, _stream_of(image, "reset.txt") + 20, cluster)
    with pytest.raises(DamagedError):
        _read(image)


def test_a_folder_whose_chain_loops(image: bytearray) -> None:
    at = _stream_of(image, "optb")
    cluster = struct.unpack_from("<I", image, at + 20)[0]
    struct.pack_into("<Q", image, at + 24, 2**40)
    fat = struct.unpack_from("<I", image, 80)[0] << image[108]
    struct.pack_into("<I", image, fat + 4 * cluster, cluster)
    place = image.index(b"\xc1\0" + "reset.txt".encode("utf-16-le")) - 64
    image[place] = 0x05
    size = 1 << (image[108] + image[109])
    for entry in range(place - place % size, place - place % size + size, 32):
        image[entry] = image[entry] or 0x05  # no end
    watched = _Image(bytes(image))
    assert ExFat(watched.read_at).read(NAME, MOST) is None
    assert watched.octets < 600_000


@pytest.mark.parametrize(
    ("place", "value"),
    [(108, 8), (108, 13), (108, 255), (109, 30), (109, 255), (88, 255), (96, 255), (3, 0), (510, 0)],
)
def test_a_boot_sector_that_cannot_be(image: bytearray, place: int, value: int) -> None:
    image[place] = value
    if place in (88, 96):
        image[place : place + 4] = b"\xff" * 4
    with pytest.raises(DamagedError):
        _read(image)


def test_an_image_that_ends_anywhere(image: bytearray) -> None:
    end = image.index(CODE) + 1
    for length in (0, 100, 511, 512, 4096, _root(image), _root(image) + 10, end):
        with pytest.raises(DamagedError):
            _read(bytes(image[:length]))


@pytest.mark.parametrize("seed", range(200))
def test_noise_is_refused_or_bounded(image: bytearray, seed: int) -> None:
    """Whatever is changed: an answer of the right size, or one of two errors, after little was read."""
    chance = random.Random(seed)
    fat = struct.unpack_from("<I", image, 80)[0] << image[108]
    areas = [(80, 112), (fat, fat + 400), (_root(image), _root(image) + 512), (_stream_of(image, "reset.txt") - 32, 0)]
    for start, end in chance.sample(areas, 2):
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(start, end or start + 128)
            image[at] = chance.randrange(256)
    watched = _Image(bytes(image))
    try:
        content = ExFat(watched.read_at).read(NAME, MOST)
    except (DamagedError, TooLargeError):
        content = None
    assert content is None or len(content) <= MOST
    assert watched.octets < 2_000_000
