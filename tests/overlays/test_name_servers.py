"""The card image's list of name servers: Ethernet's first, then the operator's of mobile internet."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "overlays/mobile-internet/usr/lib/otppi/name-servers"


def made(folder: Path, *lists: str | None) -> list[str]:
    """Return what is made of lists; None is one that is not there."""
    paths = []
    for number, content in enumerate(lists):
        paths.append(folder / str(number))
        if content is not None:
            paths[-1].write_text(content)
    resolv_conf = folder / "resolv.conf"
    subprocess.run([SCRIPT, resolv_conf, *paths], check=True)
    assert resolv_conf.stat().st_mode & 0o777 == 0o644
    first, *rest = resolv_conf.read_text().splitlines()
    assert first.startswith("options timeout:")
    return rest


def test_ethernet_goes_first(tmp_path: Path) -> None:
    ethernet = "# made by NetworkManager\nsearch example.com\nnameserver 192.0.2.1\n"
    assert made(tmp_path, ethernet, "nameserver 198.51.100.1\nnameserver 2001:db8::1\n") == [
        "search example.com", "nameserver 192.0.2.1", "nameserver 198.51.100.1", "nameserver 2001:db8::1",
    ]  # fmt: skip


@pytest.mark.parametrize("ethernet", [None, "", "# made by NetworkManager\n"])
def test_without_ethernet_the_operator_is_asked(tmp_path: Path, ethernet: str | None) -> None:
    assert made(tmp_path, ethernet, "nameserver 198.51.100.1\n") == ["nameserver 198.51.100.1"]


def test_without_either_nobody_is_asked(tmp_path: Path) -> None:
    assert made(tmp_path, None, None) == []


def test_nothing_else_is_taken_over_and_nothing_twice(tmp_path: Path) -> None:
    hostile = "options debug\nnameserver 192.0.2.1\nnameserver $(id)\n" + "nameserver 192.0.2.1\n" * 1000
    found = made(tmp_path, hostile, "".join(f"nameserver 198.51.100.{one}\n" for one in range(100)))
    assert found[:2] == ["nameserver 192.0.2.1", "nameserver 198.51.100.0"]
    assert len(found) == 8
