"""Nothing runs, listens or may be done but what the lists say, and the gateway is kept in its sandbox."""

import re
from pathlib import Path

import pytest

from otppi.testing.waiting import until
from tests.image.twin.twin import Twin

ENABLED = {
    "NetworkManager-dispatcher.service", "NetworkManager-wait-online.service", "NetworkManager.service",
    "avahi-daemon.service", "avahi-daemon.socket", "fstrim.timer", "getty@.service", "nftables.service",
    "otppi-access-point.timer", "otppi-console.service", "otppi-dhcp.service", "otppi-first-boot.service",
    "otppi-grow-card.service", "otppi-name-servers.path",
    "otppi-name-servers.service", "otppi-set-up.path", "otppi.service", "systemd-timesyncd.service",
    "wpa_supplicant.service",
}  # fmt: skip
RUNNING = {
    "NetworkManager-dispatcher.service", "NetworkManager.service", "avahi-daemon.service", "dbus.service",
    "otppi-dhcp.service", "otppi.service", "polkit.service", "systemd-hostnamed.service", "systemd-journald.service",
    "systemd-logind.service", "systemd-timedated.service", "wpa_supplicant.service",
}  # fmt: skip
"""More than these never; the dispatcher, hostnamed, timedated and polkit come on demand, and go."""
SOCKETS = {"tcp 53", "tcp 8888", "tcp 8899", "tcp 10443", "udp 53", "udp 67", "udp 5353"}
MAY_BE_ASKED = {
    "org.freedesktop.login1.reboot", "org.freedesktop.login1.power-off", "org.freedesktop.login1.set-wall-message",
    "org.freedesktop.NetworkManager.settings.modify.system", "org.freedesktop.NetworkManager.network-control",
    "org.freedesktop.NetworkManager.checkpoint-rollback",
    "org.freedesktop.timedate1.set-ntp", "org.freedesktop.timedate1.set-time", "org.freedesktop.timedate1.set-timezone",
    "org.freedesktop.timesync1.set-runtime-servers",
}  # fmt: skip
"""Actions of polkit that the gateway may do whatever they are about (the last comes with the first); units are told one
by one."""
MODEMS = "org.freedesktop.ModemManager1."
BY_ANYBODY = {
    "org.freedesktop.login1.inhibit-block-idle", "org.freedesktop.login1.inhibit-delay-shutdown",
    "org.freedesktop.login1.inhibit-delay-sleep", "org.freedesktop.login1.set-self-linger",
}  # fmt: skip
"""Of a program that runs without a session: what costs nothing but a little delay, or memory."""


def test_nothing_has_failed(twin: Twin) -> None:
    assert twin.run("systemctl", "--failed", "--no-legend", "--plain") == ""
    assert not re.search(r"ordering cycle|Found dependency", twin.journal())
    assert twin.run("systemd-analyze", "verify", "--man=no", "default.target", check=False) == ""


def test_what_is_enabled(twin: Twin) -> None:
    lines = twin.run("systemctl", "list-unit-files", "--state=enabled", "--no-legend", "--plain").splitlines()
    assert {line.split()[0] for line in lines} == ENABLED


def test_what_runs(twin: Twin) -> None:
    lines = twin.run(
        "systemctl", "list-units", "--type=service", "--state=running", "--no-legend", "--plain"
    ).splitlines()
    assert {line.split()[0] for line in lines} <= RUNNING


def test_what_listens(twin: Twin) -> None:
    until(lambda: _listening(twin) == SOCKETS, lambda: f"other sockets: {_listening(twin) ^ SOCKETS}")


def _listening(twin: Twin) -> set[str]:
    found = set()
    for line in twin.run("ss", "-Htuln").splitlines():
        protocol, _state, _received, _sent, address, *_ = line.split()
        port = int(address.rpartition(":")[2])
        if port < 32768:  # avahi-daemon asks from ports that the kernel chooses
            found.add(f"{protocol} {port}")
    return found


def test_no_program_lends_its_owners_rights(twin: Twin) -> None:
    assert twin.run("find", "/", "-xdev", "-perm", "/6000", "-type", "f", check=False) == ""


def _allowed(twin: Twin, process: str) -> set[str]:
    """Return the actions of polkit that a process may do without a password."""
    script = 'pkaction | while read -r one; do pkcheck -a "$one" -p "$0" >/dev/null 2>&1 && echo "$one"; done; true'
    return set(twin.run("sh", "-c", script, process).split())


def test_what_the_gateway_may_ask_of_others(twin: Twin) -> None:
    found = _allowed(twin, twin.properties("otppi.service", "MainPID")["MainPID"])
    assert {one for one in found if not one.startswith(MODEMS)} == MAY_BE_ASKED
    assert found - MAY_BE_ASKED == {f"{MODEMS}{one}" for one in ("Device.Control", "Messaging", "USSD")}


def test_what_another_program_may_ask_of_others(twin: Twin) -> None:
    assert _allowed(twin, twin.properties("otppi-dhcp.service", "MainPID")["MainPID"]) == BY_ANYBODY


def test_no_door_is_open(image: Path) -> None:
    root = image / "root"
    for line in (root / "etc/shadow").read_text().splitlines():
        assert line.split(":")[1].startswith(("!", "*")), f"{line.split(':')[0]} has a password"
    installed = {line.split("\t")[0] for line in (image / "packages.tsv").read_text().splitlines()}
    forbidden = re.compile(
        r"openssh-server|gcc(-\d+)?|cpp|make|python3-pip|python3-venv|.*-dev|sudo|telnetd?|curl|wget"
    )
    assert not [one for one in installed if forbidden.fullmatch(one)]
    assert not list(root.glob("etc/ssh/ssh_host_*"))
    assert (root / "etc/machine-id").read_bytes() == b""
    assert not list(root.glob("etc/NetworkManager/system-connections/*"))


def test_a_torn_boot_partition_is_no_reason_to_stop(image: Path) -> None:
    """Nobody could log in to an emergency shell; and root alone reads who the device is."""
    (line,) = [one for one in (image / "root/etc/fstab").read_text().splitlines() if "/boot/firmware" in one]
    assert {"nofail", "umask=0077"} <= set(line.split()[3].split(","))


def test_nobody_may_change_a_program(twin: Twin) -> None:
    assert (
        twin.run(
            "find",
            "/opt",
            "/usr",
            "/etc",
            "-xdev",
            "-path",
            "/etc/fstab",
            "-prune",
            "-o",
            "-perm",
            "-o+w",
            "!",
            "-type",
            "l",
            "-print",
        )
        == ""
    )
    assert twin.run("find", "/opt/otppi", "/usr/lib/otppi", "/etc/systemd", "!", "-user", "root") == ""


def test_gateway_is_confined(twin: Twin) -> None:
    told = twin.run("systemd-analyze", "security", "--no-pager", "otppi.service")
    found = re.search(r"exposure level for otppi\.service: ([\d.]+)", told)
    assert found is not None
    assert float(found[1]) <= 2.0
    unit = twin.properties(
        "otppi.service", "User", "MemorySwapMax", "LimitCORE", "RuntimeDirectoryPreserve", "StateDirectoryMode",
        "NoNewPrivileges", "CapabilityBoundingSet", "DevicePolicy", "Restart", "WatchdogUSec", "Type",
    )  # fmt: skip
    assert unit == {
        "User": "otppi", "MemorySwapMax": "0", "LimitCORE": "0", "RuntimeDirectoryPreserve": "yes",
        "StateDirectoryMode": "0700", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "DevicePolicy": "closed",
        "Restart": "always", "WatchdogUSec": "30s", "Type": "notify",
    }  # fmt: skip


@pytest.mark.parametrize(
    "unit",
    [
        "otppi-dhcp", "otppi-dhcp-apply", "otppi-dhcp-end", "otppi-first-boot", "otppi-access-point",
        "otppi-reset-network", "otppi-firewall",
        "otppi-read-stick@sda1", "otppi-signal@done", "otppi-alarm@light",
        "otppi-update",
        "otppi-self-test", "otppi-version-back@keep",
    ],
)  # fmt: skip
def test_helpers_are_confined(twin: Twin, unit: str) -> None:
    assert twin.properties(unit, "NoNewPrivileges", "ProtectHome") == {"NoNewPrivileges": "yes", "ProtectHome": "yes"}


def _bus_call(twin: Twin, method: str, *arguments: str) -> tuple[int, str]:
    manager = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
    return twin.as_gateway("busctl", "call", *manager, method, *arguments)


@pytest.mark.parametrize("pattern", ["light", "sound", "both", "test"])
def test_gateway_may_have_alarms_shown(twin: Twin, pattern: str) -> None:
    """Where there is no light nothing fails."""
    unit = f"otppi-alarm@{pattern}.service"
    for method in ("StartUnit", "StopUnit"):
        code, told = _bus_call(twin, method, "ss", unit, "replace")
        assert code == 0, told
    assert twin.properties(unit, "Result") == {"Result": "success"}


@pytest.mark.parametrize(
    ("method", "unit"),
    [
        ("RestartUnit", "dbus.service"),
        ("StartUnit", "debug-shell.service"),
        ("StopUnit", "nftables.service"),
        ("RestartUnit", "otppi-dhcp.service"),
        ("StopUnit", "otppi-reset-network.service"),
        ("StopUnit", "otppi-firewall.service"),
        ("StopUnit", "otppi-dhcp-apply.service"),
        ("StartUnit", "otppi-dhcp-end.service"),
        ("StartUnit", "otppi-read-stick@mmcblk0p2.service"),
        ("StopUnit", "otppi-read-stick@sda1.service"),
        ("StartUnit", "otppi-signal@other.service"),
        ("StartUnit", "otppi-alarm@other.service"),
        ("StopUnit", "otppi-update.service"),
        ("StartUnit", "otppi-self-test.service"),
        ("StartUnit", "otppi-version-back@x.service"),
        ("StartUnit", "otppi-security-updates@end.service"),
        ("StartUnit", "otppi-reset-network.service/../x.service"),
    ],
)
def test_gateway_may_not_start_other_units(twin: Twin, method: str, unit: str) -> None:
    code, told = _bus_call(twin, method, "ss", unit, "replace")
    assert code != 0
    assert re.search("Access denied|not allowed|authentication required|not valid", told, re.IGNORECASE), told


@pytest.mark.parametrize(
    "call",
    [
        ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "Reload"),
        (
            "org.freedesktop.hostname1", "/org/freedesktop/hostname1", "org.freedesktop.hostname1", "SetHostname",
            "sb", "stranger", "false",
        ),
        (
            "org.freedesktop.timedate1", "/org/freedesktop/timedate1", "org.freedesktop.timedate1", "SetLocalRTC",
            "bbb", "true", "false", "false",
        ),
        (
            "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager",
            "Reload", "u", "0",
        ),
    ],
)  # fmt: skip
def test_gateway_may_not_change_the_system(twin: Twin, call: tuple[str, ...]) -> None:
    code, told = twin.as_gateway("busctl", "call", *call)
    assert code != 0
    assert re.search("denied|not allowed|not authorized|authentication required|not enough", told, re.IGNORECASE), told


def test_root_follows_no_link_of_dnsmasqs(twin: Twin) -> None:
    """By one a dnsmasq that somebody has taken over had root write into any file, and let all read it."""
    link = "/run/otppi-dhcp/portal.conf"
    as_dnsmasq = ("setpriv", "--reuid=dnsmasq", "--regid=nogroup", "--clear-groups")
    twin.run(*as_dnsmasq, "ln", "-s", "/etc/otppi/device.json", link)
    before = twin.run("stat", "--format=%a %s", "/etc/otppi/device.json")
    twin.run("systemctl", "restart", "otppi-dhcp.service")
    assert twin.run("stat", "--format=%a %s", "/etc/otppi/device.json") == before
    assert "192.168.0.11" in twin.run("cat", "/run/otppi-dhcp-conf/dhcp.conf")
    for folder in ("/run/otppi-dhcp-conf", "/run/otppi-dhcp-conf/dhcp.conf"):
        assert twin.run("stat", "--format=%U", folder).strip() == "root"
    twin.run("rm", link)


def test_firewall_is_loaded(twin: Twin) -> None:
    rules = twin.run("nft", "list", "table", "inet", "otppi")
    assert "policy drop" in rules
    for side in ("lan", "access_point"):
        assert re.search(rf"set open_{side} {{[^}}]*elements = {{ tcp \. 8888,\s+tcp \. 8899,\s+tcp \. 10443 }}", rules)
    assert twin.run("sysctl", "--values", "net.ipv4.ip_forward").strip() == "0"


def test_journal_is_in_ram(twin: Twin) -> None:
    assert twin.run("journalctl", "--header", "--no-pager").count("File path: /run/log/journal/") >= 1
    assert not list((twin.path / "var/log/journal").rglob("*.journal"))


def test_hardware_watchdog_is_asked_for(twin: Twin) -> None:
    """The machine's tests have one; here only that systemd has read it."""
    told = twin.run("systemctl", "show", "--property=RuntimeWatchdogUSec,RebootWatchdogUSec")
    assert set(told.splitlines()) == {"RuntimeWatchdogUSec=14s", "RebootWatchdogUSec=2min"}


def test_last_lines_are_kept_over_a_crash(twin: Twin) -> None:
    kept = twin.path / "var/lib/otppi-update/last-lines"
    twin.run("systemctl", "start", "otppi-version-back@keep.service", check=False)  # it makes the folder
    kept.unlink(missing_ok=True)
    twin.run("systemctl", "kill", "--signal=SEGV", "otppi.service")
    until(kept.exists, "nothing is kept")
    lines = kept.read_text()
    assert re.match(r"OTP-Pi ended: (signal|core-dump) \((killed|dumped) SEGV\)\n", lines)
    assert "the gateway runs" in lines
    assert len(lines.splitlines()) <= 201
    assert kept.stat().st_mode & 0o777 == 0o640
    until(lambda: twin.properties("otppi.service", "ActiveState")["ActiveState"] == "active", "it does not come back")
    assert twin.as_gateway("cat", "/var/lib/otppi-update/last-lines")[0] == 0
    twin.run("systemctl", "restart", "otppi.service")
    assert kept.read_text() == lines  # of an end as it should be nothing is kept


def test_gateway_that_hangs_is_replaced(twin: Twin) -> None:
    drop_in = "/run/systemd/system/otppi.service.d/test.conf"
    twin.run("mkdir", "-p", "/run/systemd/system/otppi.service.d")
    twin.run("tee", drop_in, given="[Service]\nWatchdogSec=10\n")
    twin.run("systemctl", "daemon-reload")
    twin.run("systemctl", "restart", "otppi.service")  # it returns when the gateway is ready
    before = twin.properties("otppi.service", "MainPID")["MainPID"]
    twin.run("kill", "-STOP", before)
    until(lambda: twin.properties("otppi.service", "MainPID")["MainPID"] not in (before, "0"), "it hangs for ever")
    until(lambda: twin.properties("otppi.service", "ActiveState")["ActiveState"] == "active", "it does not come back")
    assert "watchdog" in twin.run("journalctl", "--boot", "--no-pager", "--unit=otppi.service").lower()
    twin.run("rm", drop_in)
    twin.run("systemctl", "daemon-reload")
    twin.run("systemctl", "restart", "otppi.service")


def test_only_debians_dbus_is_seen_beside_the_wheels(twin: Twin) -> None:
    program = (
        "import importlib.metadata as m; "
        "print(*sorted({one.name for one in m.distributions(path=['/usr/lib/python3/dist-packages'])}))"
    )
    assert twin.run("/opt/otppi/bin/python", "-I", "-c", program).split() == ["dbus-python"]
    assert twin.run("/opt/otppi/bin/python", "-I", "-c", "import dbus; print(dbus.__file__)").startswith(
        "/usr/lib/python3/dist-packages/"
    )


def test_all_is_compiled(twin: Twin) -> None:
    program = (
        "import pathlib; site = next(pathlib.Path('/opt/otppi/lib').glob('python3*/site-packages'));"
        "print([str(one) for one in site.rglob('*.py')"
        " if not list((one.parent / '__pycache__').glob(one.stem + '.*.pyc'))])"
    )
    assert twin.run("/opt/otppi/bin/python", "-I", "-c", program).strip() == "[]"
    assert twin.otppi("--version").startswith("otppi ")
