"""The program of the unit, which is root, and a gateway that is hostile: it reads nothing but what it should."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from otppi_firewall_nftables.kept import read_kept, write_kept
from otppi_firewall_nftables.ports import BUILT_IN, Ports
from otppi_firewall_nftables.request import LONGEST, Asked, Services
from otppi_firewall_nftables.state import digest, loaded_at_boot, read_state
from otppi_firewall_nftables.unit import run

from .conftest import Folders, row

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")


NFT = """#!/bin/sh
case $1 in
  --check) step=check; table=/dev/null ;;
  *) step=load; table={tables}/$$ ;;
esac
if [ -e {refuses}/$step ]; then
  echo 'syntax error' >&2
  exit 1
fi
cat >$table
"""


class Bench:
    """A gateway that hands over, and an nft that notes what it gets."""

    def __init__(self, folders: Folders, tmp_path: Path) -> None:
        self.folders = folders
        self.services = folders.services / "services.json"
        self.ports = folders.ports / "ports.json"
        self._tables, self._refuses = tmp_path / "tables", tmp_path / "refuses"
        self._tables.mkdir()
        self._refuses.mkdir()
        nft = tmp_path / "nft"
        nft.write_text(NFT.format(tables=self._tables, refuses=self._refuses))
        nft.chmod(0o700)
        self.surroundings = folders.surroundings(str(nft))

    def refuse(self, step: str) -> None:
        (self._refuses / step).touch()

    def run(self) -> int:
        return run(self.surroundings)

    @property
    def tables(self) -> list[str]:
        return [one.read_text() for one in self._tables.iterdir()]


@pytest.fixture
def bench(folders: Folders, tmp_path: Path) -> Bench:
    return Bench(folders, tmp_path)


def boot_time() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def test_services_are_kept_and_loaded(bench: Bench) -> None:
    services = Services((8888, 9000), 8888).document()
    bench.services.write_bytes(services)
    assert bench.run() == 0
    assert read_kept(bench.folders.kept) == Ports((8888, 9000), 8888)
    (table,) = bench.tables
    assert "tcp . 9000" in table
    state = read_state(bench.folders.told)
    assert state is not None
    assert (state.services, state.asked, state.trial) == (digest(services), "", None)


def test_what_is_kept_is_not_written_anew(bench: Bench) -> None:
    bench.services.write_bytes(Services((8888,), 8888).document())
    assert bench.run() == 0
    before = bench.folders.kept.stat()
    assert bench.run() == 0
    assert bench.folders.kept.stat().st_ino == before.st_ino
    assert len(bench.tables) == 2


def test_rows_on_trial_are_not_kept(bench: Bench) -> None:
    asked = Asked((row(8080, note="x"),), boot_time() + 90)
    bench.ports.write_bytes(asked.document())
    assert bench.run() == 0
    kept = read_kept(bench.folders.kept)
    assert kept == BUILT_IN
    (table,) = bench.tables
    assert "tcp . 8080 timeout" in table
    state = read_state(bench.folders.told)
    assert state is not None
    assert (state.trial, state.expires) == (asked.rows, asked.expires)


def test_rows_for_good_are_kept(bench: Bench) -> None:
    (bench.folders.told / "loaded").write_text("damaged\n")
    bench.ports.write_bytes(Asked((row(8080),), None).document())
    assert bench.run() == 0
    assert read_kept(bench.folders.kept) == Ports(BUILT_IN.services, 8888, (row(8080),))
    assert "timeout" not in bench.tables[0].replace("flags timeout", "")
    assert loaded_at_boot(bench.folders.told) == "kept"


def test_a_trial_whose_time_is_over_is_none(bench: Bench) -> None:
    bench.ports.write_bytes(Asked((row(8080),), boot_time() - 0.001).document())
    assert bench.run() == 0
    assert "8080" not in bench.tables[0]
    state = read_state(bench.folders.told)
    assert state is not None
    assert state.trial is None


def test_what_was_kept_is_damaged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.folders.kept.write_bytes(b"garbage")
    bench.services.write_bytes(Services((8888,), 8888).document())
    assert bench.run() == 0
    assert read_kept(bench.folders.kept) == Ports((8888,), 8888)
    assert "what was kept is damaged" in caplog.text


def test_a_table_that_nft_refuses_is_not_kept(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.refuse("check")
    bench.ports.write_bytes(Asked((row(8080),), None).document())
    assert bench.run() == 1
    assert not bench.folders.kept.exists()
    assert not bench.tables
    assert "nothing is changed: nft refuses the table: syntax error" in caplog.text


def test_a_table_that_nft_does_not_load_is_not_kept(bench: Bench) -> None:
    """As where memory is short: what was kept before is kept again."""
    write_kept(bench.folders.kept, BUILT_IN)
    bench.refuse("load")
    bench.ports.write_bytes(Asked((row(8080),), None).document())
    assert bench.run() == 1
    assert read_kept(bench.folders.kept) == BUILT_IN
    assert read_state(bench.folders.told) is None


def test_a_card_that_takes_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.folders.kept.parent.rmdir()
    bench.ports.write_bytes(Asked((row(8080),), None).document())
    assert bench.run() == 1
    assert not bench.tables
    assert "nothing is kept" in caplog.text


# -- a hostile gateway -------------------------------------------------------------------------------------------------


def refused(bench: Bench, caplog: pytest.LogCaptureFixture) -> str:
    assert bench.run() == 1
    assert not bench.tables
    assert not bench.folders.kept.exists()
    return caplog.messages[-1].removeprefix("nothing is changed: ")


def test_a_link(bench: Bench, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    (tmp_path / "true").write_bytes(Services((8888,), 8888).document())
    bench.services.symlink_to(tmp_path / "true")
    assert refused(bench, caplog).startswith("services.json cannot be read")


@pytest.mark.parametrize("which", ["services", "ports", "trials", "boot_folder", "runtime"])
def test_a_link_on_the_way(bench: Bench, tmp_path: Path, which: str) -> None:
    bench.services.write_bytes(Services((8888,), 8888).document())
    bench.ports.write_bytes(Asked((), None).document())
    folder: Path = bench.folders.ports.parent if which == "trials" else getattr(bench.folders, which)
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    assert bench.run() == 1
    assert not bench.tables


def test_two_boot_folders(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    (bench.folders.runtime / f"otppi-1-{'0' * 12}" / "service-firewall").mkdir(parents=True)
    assert refused(bench, caplog) == "there are 2 folders for this unit, and not one"


def test_nothing_is_handed_over(bench: Bench) -> None:
    """What is kept is loaded, as it is at boot."""
    bench.folders.services.rmdir()
    bench.folders.ports.rmdir()
    write_kept(bench.folders.kept, Ports((7000,), None))
    assert bench.run() == 0
    assert "tcp . 7000" in bench.tables[0]


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_no_file(bench: Bench, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    os.mkfifo(bench.ports) if kind == "fifo" else bench.ports.mkdir()
    assert refused(bench, caplog) == "ports.json is no file of the gateway's"


@only_root
def test_a_device(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    os.mknod(bench.ports, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero has no end
    assert refused(bench, caplog) == "ports.json is no file of the gateway's"


@only_root
@pytest.mark.parametrize("which", ["services", "ports"])
def test_somebody_elses(bench: Bench, caplog: pytest.LogCaptureFixture, which: str) -> None:
    path: Path = getattr(bench, which)
    path.write_bytes(Services((8888,), 8888).document())
    os.chown(path, 12345, 12345)
    assert refused(bench, caplog) == f"{which}.json is no file of the gateway's"


@only_root
@pytest.mark.parametrize("which", ["services", "ports", "boot_folder", "runtime"])
def test_a_folder_of_somebody_else(bench: Bench, which: str) -> None:
    os.chown(getattr(bench.folders, which), 12345, 12345)
    assert bench.run() == 1
    assert not bench.tables


def test_one_that_does_not_end(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.ports.touch()
    os.truncate(bench.ports, 10**12)
    assert refused(bench, caplog) == "ports.json is too long"


def test_deep_nesting(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.ports.write_bytes(b"[" * LONGEST)
    assert refused(bench, caplog) == "it is no JSON"


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"ports": [8888]},
        {"ports": [8888], "page": 8888, "chain": "x"},
        {"ports": ["8888"], "page": None},
        {"ports": ["22 } ; flush ruleset"], "page": 8888},
        {"ports": [0], "page": 8888},
        {"ports": [65536], "page": 8888},
        {"ports": [True], "page": 8888},
        {"ports": [8888.0], "page": 8888},
        {"ports": list(range(1, 1000)), "page": 8888},
        {"ports": {"8888": 1}, "page": 8888},
        {"ports": [8888], "page": "8888 }"},
        {"ports": [8888], "page": -1},
    ],
)
def test_services_that_are_none(bench: Bench, caplog: pytest.LogCaptureFixture, document: Any) -> None:
    bench.services.write_text(json.dumps(document))
    refused(bench, caplog)


@pytest.mark.parametrize(
    "change",
    [
        {"port": "22"},
        {"port": "22 accept ; flush ruleset"},
        {"port": 0},
        {"port": 70000},
        {"port": True},
        {"protocol": "icmp"},
        {"protocol": "tcp . 22, udp"},
        {"open_to": "both } flush ruleset"},
        {"open_to": "stranger"},
        {"note": 5},
        {"note": "x" * 61},
        {"table": "inet filter"},
        {"port": 53},
        {"port": 5353, "protocol": "udp"},
    ],
)
def test_rows_that_are_none(bench: Bench, caplog: pytest.LogCaptureFixture, change: dict[str, Any]) -> None:
    bench.ports.write_text(json.dumps({"ports": [dict(row(8080)) | change], "expires": None}))
    assert refused(bench, caplog) == "the rows are not what they have to be"


@pytest.mark.parametrize("expires", ["x", True, [], "NaN", "Infinity", 1e18])
def test_ends_of_trials_that_are_none(bench: Bench, caplog: pytest.LogCaptureFixture, expires: Any) -> None:
    text = json.dumps({"ports": [], "expires": expires}).replace('"NaN"', "NaN").replace('"Infinity"', "Infinity")
    bench.ports.write_text(text)
    assert refused(bench, caplog).startswith(("the end of the trial", "the trial is too long"))


def test_more_rows_than_there_may_be(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    rows = [dict(row(port)) for port in range(2000, 3001)]
    bench.ports.write_text(json.dumps({"ports": rows, "expires": None}))
    assert refused(bench, caplog) == "the rows are not what they have to be"


def test_as_many_rows_as_there_may_be_with_the_longest_notes(bench: Bench) -> None:
    rows = tuple(row(port, "udp", "access_point", "\U0001f600" * 60) for port in range(20_000, 21_000))
    document = Asked(rows, None).document()
    assert len(document) < LONGEST
    bench.ports.write_bytes(document)
    assert bench.run() == 0
    kept = read_kept(bench.folders.kept)
    assert kept is not None
    assert kept.rows == rows


def test_a_note_is_no_line_of_the_table(bench: Bench) -> None:
    bench.ports.write_bytes(Asked((row(8080, note="\n}\nflush ruleset\n"),), None).document())
    assert bench.run() == 0
    assert not [line for line in bench.folders.kept.read_text().splitlines() if line.startswith("flush")]


def test_the_trial_that_is_longest(bench: Bench) -> None:
    bench.ports.write_bytes(Asked((), boot_time() + 590).document())
    assert bench.run() == 0
