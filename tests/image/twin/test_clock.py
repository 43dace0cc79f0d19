"""The clock of the device, by the real timedated and timesyncd, as the gateway in its sandbox reaches them.

A container may not set the clock of its host: that is tried in the machine (`tests/image/machine/test_clock.py`).
"""

import json
import re
from functools import partial
from typing import Any

import pytest

from otppi.testing.waiting import until
from tests.image.twin.twin import Twin

TIMEDATE = ("org.freedesktop.timedate1", "/org/freedesktop/timedate1", "org.freedesktop.timedate1")
TIMESYNC = ("org.freedesktop.timesync1", "/org/freedesktop/timesync1", "org.freedesktop.timesync1.Manager")
AGAIN = 300.0
"""Seconds in which what the device did not do at once, as a busy one, is tried again and done."""
IN_A_CONTAINER = "[Unit]\nConditionVirtualization=\nConditionCapability=\n[Service]\nAmbientCapabilities=\n"
"""What lets timesyncd run where there is no clock that it could set."""


@pytest.fixture(scope="module", autouse=True)
def timesyncd(twin: Twin) -> None:
    twin.run("mkdir", "-p", "/run/systemd/system/systemd-timesyncd.service.d")
    twin.run("tee", "/run/systemd/system/systemd-timesyncd.service.d/test.conf", given=IN_A_CONTAINER)
    twin.run("systemctl", "daemon-reload")
    twin.run("systemctl", "start", "systemd-timesyncd.service")


def clock(twin: Twin) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(twin.otppi("clock", "status", "--json"))
    return told


def timesyncd_told(twin: Twin) -> str:
    """Return how timesyncd is, and what the gateway says of the clock."""
    unit = twin.run("systemctl", "status", "--no-pager", "--full", "systemd-timesyncd.service", check=False)
    return f"{unit}\n{clock(twin)}"


def has_zone(twin: Twin, name: str) -> bool:
    return twin.run("readlink", "/etc/localtime").strip().endswith(f"/{name}")


def settings(twin: Twin, name: str, value: str) -> None:
    twin.otppi("settings", "set", f"clock.{name}", value)


def test_the_gateway_keeps_the_clock_and_says_that_nobody_has_told_it(twin: Twin) -> None:
    until(lambda: clock(twin)["asks_servers"] is True, lambda: timesyncd_told(twin), AGAIN)
    told = clock(twin)
    assert (told["set_here"], told["trust"], told["synchronized"], told["troubles"]) == (True, "unset", False, [])
    assert "nobody has told the device the time" in twin.otppi("status")


def test_the_zone_of_the_settings_is_that_of_the_device(twin: Twin) -> None:
    for zone in ("Asia/Makassar", "Asia/Jakarta"):
        settings(twin, "time_zone", zone)
        until(partial(has_zone, twin, zone), "the zone is set", AGAIN)
    assert "WIB" in twin.run("date")


def test_the_servers_of_the_settings_are_told_and_told_again(twin: Twin) -> None:
    settings(twin, "servers", json.dumps(["192.0.2.1", "ntp.example.net"]))
    wanted = 'as 2 "192.0.2.1" "ntp.example.net"'

    def told() -> str:
        return twin.run("busctl", "get-property", *TIMESYNC, "RuntimeNTPServers", check=False).strip()

    until(lambda: told() == wanted, told)
    twin.run("systemctl", "restart", "systemd-timesyncd.service")
    until(lambda: told() == wanted, "they are told again", 150)


def test_whether_servers_are_asked_is_as_the_settings_say(twin: Twin) -> None:
    def runs() -> bool:
        return twin.properties("systemd-timesyncd.service", "ActiveState")["ActiveState"] == "active"

    settings(twin, "ask_servers", "false")
    until(lambda: not runs(), lambda: timesyncd_told(twin), AGAIN)
    code, told = twin.as_gateway("otppi", "--data", "/var/lib/otppi", "clock", "sync")
    assert code != 0
    assert "no server is to be asked" in told
    settings(twin, "ask_servers", "true")
    until(runs, lambda: timesyncd_told(twin), AGAIN)
    twin.otppi("clock", "sync")
    until(runs, lambda: timesyncd_told(twin), AGAIN)


def test_systemd_refuses_to_set_the_time_while_servers_are_asked(twin: Twin) -> None:
    code, told = _set_time(twin)
    assert code != 0
    assert re.search("Automatic time synchronization is enabled|Previous request is not finished", told), told


def test_polkit_lets_it_set_the_time_and_the_container_s_kernel_does_not(twin: Twin) -> None:
    settings(twin, "ask_servers", "false")
    until(
        lambda: twin.properties("systemd-timesyncd.service", "ActiveState")["ActiveState"] == "inactive",
        lambda: timesyncd_told(twin),
        AGAIN,
    )
    try:
        until(lambda: "Previous request" not in _set_time(twin)[1], "timedated has heard of it")
        code, told = _set_time(twin)
        assert code != 0, told
        # What polkit refuses timedated does not try; what the kernel refuses, it says itself.
        until(lambda: "Failed to set local time" in twin.journal("--unit=systemd-timedated.service"), told)
    finally:
        settings(twin, "ask_servers", "true")


def _set_time(twin: Twin) -> tuple[int, str]:
    """Ask for it by hand, as the gateway's user; nobody is asked for a password."""
    return twin.as_gateway("busctl", "call", *TIMEDATE, "SetTime", "xbb", "1800000000000000", "false", "false")


def test_a_time_that_cannot_be_set_is_told_and_servers_are_asked_again(twin: Twin) -> None:
    code, told = twin.as_gateway("otppi", "--data", "/var/lib/otppi", "clock", "set", "@1900000000")
    assert code != 0
    assert "clock" in told
    until(
        lambda: twin.properties("systemd-timesyncd.service", "ActiveState")["ActiveState"] == "active",
        lambda: timesyncd_told(twin),
        AGAIN,
    )
    assert clock(twin)["trust"] == "unset"


@pytest.mark.parametrize("server", ["-x", "a b", "a\nNTP=evil", "/etc/shadow"])
def test_what_is_no_server_gets_nowhere(twin: Twin, server: str) -> None:
    code, told = twin.as_gateway(
        "otppi", "--data", "/var/lib/otppi", "settings", "set", "clock.servers", json.dumps([server])
    )
    assert code != 0, told


def test_a_clock_with_a_battery_is_taken_by_udev_s_word_only(twin: Twin) -> None:
    rule = twin.run("cat", "/etc/udev/rules.d/60-otppi-rtc.rules")
    assert 'ENV{SYSTEMD_WANTS}+="otppi-rtc@%k.service"' in rule
    assert "otppi-rtc" not in twin.run("systemctl", "list-dependencies", "--all", "--plain", "default.target")
    assert twin.run("systemd-analyze", "verify", "--man=no", "otppi-rtc@rtc0.service", check=False) == ""
    assert twin.run("test", "-x", "/usr/sbin/hwclock", check=False) == ""
    exposed = twin.run("systemd-analyze", "security", "--no-pager", "otppi-rtc@rtc0.service", check=False)
    found = re.search(r"exposure level for otppi-rtc@rtc0\.service: ([\d.]+)", exposed)
    assert found is not None, exposed
    assert float(found[1]) <= 2.6
