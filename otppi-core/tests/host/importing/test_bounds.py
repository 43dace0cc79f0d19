"""What is larger than any configuration is refused with the reason, before much is made of it."""

import time
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings
from otppi.host.importing.findings import Names

LINES = 600_000
SECONDS = 20
"""What takes less is linear, on however slow a machine; what is quadratic takes hours."""


@pytest.mark.parametrize(
    "text",
    [
        "[smsd]\n" * LINES,
        "[smsd]\na=b\n" + "".join(f"k{place}=v\n" for place in range(200_000)),
        "devices = A\n[A]\n" * 100_000,
        "group = core\n" * 200_000,
    ],
    ids=["sections", "values", "devices", "groups"],
)
def test_files_of_lines(ours: Any, text: str) -> None:
    with pytest.raises(InvalidSettings):
        ours.look({"a.conf": text[:3_000_000]})


@pytest.mark.parametrize("unit", ["\n", " ", "\t\n", "\r\n", "group\n", "group =\n", "\\", "[", '"'])
def test_files_of_nothing_are_told_as_such_at_once(ours: Any, unit: str) -> None:
    begins = time.process_time()
    with pytest.raises(InvalidSettings, match="no configuration that is known"):
        ours.look({"a.conf": (unit * 3_000_000)[:3_000_000]})
    assert time.process_time() - begins < SECONDS


def test_a_file_that_is_named_again_and_again_is_read_once(ours: Any) -> None:
    numbers = "".join(f"62811{number:07}\n" for number in range(10)) + "# nothing\n" * 200_000
    begins = time.process_time()
    told = ours.look({"k.conf": "group = core\nblack-list = b.txt\n" * 1_000, "b.txt": numbers})
    assert told["counts"] == {"taken": 1}
    assert ours.row(told, "numbers: 10")["new"] == 10
    assert time.process_time() - begins < SECONDS


def test_many_files_that_were_not_given_beside_many_that_were(ours: Any) -> None:
    files = {f"etc/{place}.conf": "" for place in range(499)}
    begins = time.process_time()
    told = ours.look({**files, "k.conf": "group = core\ninclude = other.conf\n" * 9_900})
    assert told["counts"]["ask"] == 9_900
    assert time.process_time() - begins < SECONDS


def test_names_that_are_all_the_same_cost_no_more_than_others() -> None:
    names = Names()
    given = [names.name("a" * 70, "") for _ in range(10_000)]
    assert (len(set(given)), max(map(len, given))) == (10_000, 64)


def test_files_of_json(ours: Any) -> None:
    modems = {str(place): {"name": "a", "port": "/dev/ttyUSB0"} for place in range(10_001)}
    with pytest.raises(InvalidSettings, match="more than 20,000 values"):
        ours.look({"gsm/devices.json": modems})
    with pytest.raises(InvalidSettings, match="more than 100,000 values"):
        ours.look({"api/blocking.json": {str(place): True for place in range(100_001)}})
    with pytest.raises(InvalidSettings, match="is larger than 3 MiB"):
        ours.look({"gsm/devices.json": " " * 3_200_000})


def test_a_rack_of_modems_and_thousands_of_numbers(ours: Any) -> None:
    modems = {
        str(place): {"name": f"modem {place}", "port": f"/dev/ttyUSB{place}", "imei": f"{49015420323751 + place}"}
        for place in range(100)
    }
    numbers = {f"62811{place:07}": True for place in range(5_000)}
    told = ours.look({"gsm/devices.json": modems, "api/blocking.json": numbers})
    assert told["counts"] == {"taken": 3 * 100 + 1}
