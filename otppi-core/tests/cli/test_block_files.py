"""`otppi block import` and `export`, on a data folder without a gateway and by the control socket of one that runs."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


@pytest.fixture
def numbers(data: Path) -> Path:
    path = data.parent / "numbers.csv"
    path.write_bytes(b"\xef\xbb\xbfnumber;name\r\n0812-0000-0001;Budi\r\n+6281200000002;Ani\r\n")
    return path


def test_a_file_is_tried_and_taken(otppi: Cli, data: Path, numbers: Path) -> None:
    tried = otppi("block", "import", numbers, "--dry-run")
    assert (tried.code, tried.err) == (0, "")
    assert tried.out == "2 would be blocked, 0 are already, 0 would not be any more\n"
    assert otppi("block", "list", "--json").json == []
    assert otppi("block", "import", numbers).out == "2 are blocked now, 0 were already, 0 are not any more\n"
    again = otppi("block", "import", numbers, "--json")
    assert again.json == {"added": 0, "known": 2, "removed": 0}
    assert [one["by"] for one in otppi("block", "list", "--json").json] == ["command-line/administrator"] * 2
    alone = otppi("block", "import", "-", "--replace", stdin=io.TextIOWrapper(io.BytesIO(b"081200000003\n")))
    assert alone.out == "1 are blocked now, 0 were already, 2 are not any more\n"
    assert [one["receiver"] for one in otppi("block", "list", "--json").json] == ["6281200000003"]


def test_wrong_lines_are_told_and_nothing_is_done(otppi: Cli, data: Path, numbers: Path) -> None:
    numbers.write_bytes(b"081200000001\n\x1b[2Jx\n" + b"x\n" * 30)
    for more in ((), ("--dry-run",), ("--json",)):
        told = otppi("block", "import", numbers, *more)
        lines = told.err.splitlines()
        assert told.code == 2
        assert lines[0].startswith("otppi: line 2: the number ")
        assert lines[-2:] == ["otppi: 11 more lines cannot be taken", "otppi: nothing was done"]
        assert "\x1b" not in told.err
    assert otppi("block", "import", numbers, "--json").json["wrong"] == 31
    assert otppi("block", "list", "--json").json == []


def test_a_file_that_cannot_be_read_is_told(otppi: Cli, data: Path, numbers: Path) -> None:
    gone = otppi("block", "import", data / "gone")
    assert (gone.code, "gone cannot be read: No such file" in gone.err) == (2, True)
    numbers.write_bytes(b"# nothing\n")
    empty = otppi("block", "import", numbers)
    assert (empty.code, "there is no number in it" in empty.err) == (2, True)
    numbers.write_bytes(b"0" * (8 * 1024 * 1024 + 1))
    large = otppi("block", "import", numbers)
    assert (large.code, "is larger than 8,388,608 octets" in large.err) == (2, True)


def test_what_is_exported_is_imported_again_exactly(otppi: Cli, data: Path, numbers: Path) -> None:
    otppi("block", "import", numbers)
    before = otppi("block", "list", "--json").json
    exported = otppi("block", "export")
    assert exported.out.splitlines()[0] == "number,since,by"
    assert exported.out.splitlines()[1].startswith("'+6281200000001,20")
    assert otppi("block", "remove-several", "081200000001", "081200000002").out == "2 are not blocked any more\n"
    numbers.write_text(exported.out)
    assert otppi("block", "import", numbers, "--replace").code == 0
    after = otppi("block", "list", "--json").json
    assert [one | {"since": round(one["since"])} for one in after] == [
        one | {"since": round(one["since"])} for one in before
    ]


def test_the_greatest_list_goes_by_the_control_socket(
    start: Callable[..., Any], otppi: Cli, numbers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand numbers, exported and imported, are requests of some megabytes."""
    gateway = start(document={"ingress-rest": {"http_enable": False, "https_enable": False}})
    gateway.wait_for("gateway runs")
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/nowhere")
    row = "'+62812{:08},2026-11-29T12:00:00Z,administration/somebody\r\n"
    text = "number,since,by\r\n" + "".join(row.format(one) for one in range(100_000))
    numbers.write_text(text, newline="")
    assert otppi("block", "import", numbers).out.startswith("100000 are blocked now,")
    assert otppi("block", "export").out == text.replace("\r\n", "\n")
    full = otppi("block", "import", "-", stdin=io.TextIOWrapper(io.BytesIO(b"081300000000\n")))
    assert (full.code, "the blocking list is full: it holds 100,000 numbers" in full.err) == (2, True)
