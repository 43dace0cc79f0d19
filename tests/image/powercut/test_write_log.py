"""What is on a card after a cut: with real logs of QEMU's, and a file system that mends itself."""

import random
import subprocess
from pathlib import Path

import pytest

from tests.image.powercut.write_log import Card, Partition, length_of, read_log

SIZE = 1 << 20
WHOLE = Partition(0, SIZE)


def written(folder: Path, *commands: str) -> tuple[Path, Path]:
    """Have QEMU carry out commands of qemu-io(1) on an empty card; return the card as it was before, and the log."""
    image, changed, log = folder / "card.img", folder / "changed.img", folder / "writes.log"
    for one in (image, changed):
        with one.open("wb") as file:
            file.truncate(SIZE)
    log.touch()
    options = f"driver=blklogwrites,file.driver=file,file.filename={changed},log.driver=file,log.filename={log}"
    program = ["qemu-io", "--image-opts", options, *(part for one in commands for part in ("-c", one))]
    subprocess.run(program, check=True, capture_output=True)
    return image, log


def contents(image: Path, log: Path, folder: Path, cut: int, tries: int = 32) -> set[bytes]:
    """Return the first octet of the first four blocks of 4 KiB, as they may be after a cut."""
    found = set()
    chance = random.Random(7)
    card = Card(image, WHOLE, [log], folder)
    try:
        for _one in range(tries):
            with card.after(cut, chance) as state:
                data = state.read_bytes()
                assert len(data) == SIZE
                found.add(bytes(data[4096 * block] for block in range(4)))
    finally:
        card.close()
    return found


@pytest.fixture
def log(tmp_path: Path) -> tuple[Path, Path]:
    return written(tmp_path, "write -P 1 0 4k", "write -P 2 4k 4k", "flush", "write -P 3 8k 4k", "write -P 4 12k 4k")


def test_what_was_flushed_is_there_and_of_the_rest_any_part(log: tuple[Path, Path], tmp_path: Path) -> None:
    image, writes = log
    fourth = [place for place, one in enumerate(read_log(writes)) if one.data is not None][3]
    either = {bytes([1, 2, three, four]) for three in (0, 3) for four in (0, 4)}
    assert contents(image, writes, tmp_path, fourth + 1) == either


def test_before_a_flush_nothing_is_certain(log: tuple[Path, Path], tmp_path: Path) -> None:
    assert contents(*log, tmp_path, 2) == {bytes([one, two, 0, 0]) for one in (0, 1) for two in (0, 2)}


def test_before_the_first_write_nothing_is_there(log: tuple[Path, Path], tmp_path: Path) -> None:
    assert contents(*log, tmp_path, 0, tries=1) == {bytes(4)}


def test_cuts_are_made_in_their_order(log: tuple[Path, Path], tmp_path: Path) -> None:
    card = Card(log[0], WHOLE, [log[1]], tmp_path)
    try:
        with card.after(2, random.Random(1)):
            pass
        with pytest.raises(ValueError, match="cannot be made"), card.after(1, random.Random(1)):
            pass
    finally:
        card.close()


def test_logs_follow_each_other(tmp_path: Path) -> None:
    """What no flush came after in one log is uncertain until one comes in the next; and a state is undone."""
    for name, commands in {
        "a": ("write -P 1 0 4k", "flush", "write -P 2 4k 4k"),
        "b": ("flush", "write -P 3 8k 4k"),
    }.items():
        (tmp_path / name).mkdir()
        written(tmp_path / name, *commands)
    logs = [tmp_path / name / "writes.log" for name in "ab"]
    ends = length_of(logs[0]) - 1, sum(map(length_of, logs)) - 1  # before the flush by which qemu-io ends
    card = Card(tmp_path / "a/card.img", WHOLE, logs, tmp_path)
    seen: dict[int, set[bytes]] = {end: set() for end in ends}
    try:
        for end in ends:
            for number in range(20):
                with card.after(end, random.Random(number)) as state:
                    data = state.read_bytes()
                    seen[end].add(bytes(data[4096 * block] for block in range(3)))
    finally:
        card.close()
    assert seen[ends[0]] == {bytes([1, two, 0]) for two in (0, 2)}
    assert seen[ends[1]] == {bytes([1, 2, three]) for three in (0, 3)}


def test_log_in_which_nothing_was_written_yet_is_empty(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    assert length_of(tmp_path / "x") == 0


def test_what_is_no_log_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * 512)
    with pytest.raises(ValueError, match="no log"):
        length_of(tmp_path / "x")
