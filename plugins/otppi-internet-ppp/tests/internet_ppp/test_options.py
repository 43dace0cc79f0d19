"""The options file, and whether the real pppd(8) takes it."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from otppi.api.internet import InternetDown
from otppi.testing.waiting import PATIENCE
from otppi_internet_ppp.options import ppp_options

from .conftest import DIALLING, SETTINGS

TAKEN = (0, 4)
"""pppd has read all its options before it finds that the kernel has no PPP, which is 4; a wrong option is 2."""


def options(*, privileged: bool = True, **changes: object) -> str:
    dialling = replace(DIALLING, **changes)  # type: ignore[arg-type]
    return ppp_options(dialling, SETTINGS, chat="/usr/sbin/chat", script=Path("/run/a b/chat"), privileged=privileged)


def pppd(text: str, folder: Path) -> int:
    file = folder / "options"
    file.write_text(text)
    return subprocess.run(["/usr/sbin/pppd", "file", file, "dryrun"], capture_output=True, timeout=PATIENCE).returncode


@pytest.mark.parametrize("route", ["none", "add", "replace"])
def test_pppd_takes_them(route: str, tmp_path: Path) -> None:
    text = ppp_options(
        DIALLING,
        SETTINGS | {"default_route": route},
        chat="/usr/sbin/chat",
        script=tmp_path / "chat",
        privileged=True,
    )
    assert pppd(text, tmp_path) in TAKEN
    assert pppd(text + "nosuchoption\n", tmp_path) == 2


@pytest.mark.parametrize("privileged", [True, False])
def test_in_reserve_it_is_behind_every_other_route(privileged: bool) -> None:
    lines = options(privileged=privileged).splitlines()
    assert "defaultroute" in lines
    # Others than root may not say it (pppd(8)): then the route is added where there is no other at all.
    assert ("defaultroute-metric 10000" in lines) == privileged


@pytest.mark.parametrize(
    "password",
    ['a b"c', "\\", "#", "'", '" nosuchoption "', 'x" connect "touch /tmp/x', "a\\", "$(id)", "`id`", "ü" * 100],
)
def test_a_hostile_password_stays_one_word(password: str, tmp_path: Path) -> None:
    text = options(password=password, username=password)
    assert len(text.splitlines()) == len(options().splitlines())
    assert pppd(text, tmp_path) in TAKEN
    assert pppd(text + "nosuchoption\n", tmp_path) == 2  # no quote was left open


@pytest.mark.parametrize("password", ["a\nb", "\0", "x" * 251, "\x7f"])
def test_what_cannot_be_written_is_refused(password: str) -> None:
    with pytest.raises(InternetDown) as caught:
        options(password=password)
    assert password not in str(caught.value)


@pytest.mark.parametrize("port", ["ttyUSB0", "/dev/tty USB0", '/dev/x"', "/dev/x\nconnect evil"])
def test_a_port_is_a_path(port: str) -> None:
    with pytest.raises(InternetDown, match="port"):
        options(port=port)


def test_without_root_no_option_of_roots() -> None:
    lines = options(privileged=False).splitlines()
    assert "defaultroute" in lines
    assert not {"noauth", "replacedefaultroute"} & set(lines)


def test_nobody_to_log_in_as() -> None:
    assert "password" not in options(username="").replace("hide-password", "")
