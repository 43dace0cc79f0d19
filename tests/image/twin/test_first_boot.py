"""Who a device is: made at its first boot or brought by the card, kept, told once, and brought back by a reset."""

import base64
import json
import re

from otppi.host.administrators.device_code import ALPHABET
from otppi.testing.waiting import until
from tests.image.twin.twin import Twin

GIVEN = {
    "ssid": 'OTP-Pi-TEST; "1\\2',
    "passphrase": r"a\b c;d=1 #2",
    "device_code": "ACDE-FHJK-MNPQ-RTUW",
    "country": "SG",
    "time_zone": "Asia/Makassar",
    "language": "en",
    "settings": {"api_users": [{"username": "app", "password": "brought-by-this-card"}]},
}
PROFILE = "etc/NetworkManager/system-connections/otppi-ap.nmconnection"
_TOLD = "boot/firmware/otppi-this-device.txt"
_GIVEN = "boot/firmware/otppi-device.json"
_ISSUE = "/run/issue.d/otppi.issue"


def _profile(twin: Twin) -> dict[str, str]:
    """Return what NetworkManager understands of the access point's profile."""
    fields = (
        "802-11-wireless.ssid,802-11-wireless-security.psk,ipv4.addresses,ipv4.never-default,connection.autoconnect"
    )
    shown = twin.run(
        "nmcli", "--show-secrets", "--escape=no", "--terse", "-f", fields, "connection", "show", "otppi-ap"
    )
    return dict(line.split(":", 1) for line in shown.splitlines())


def test_a_device_of_its_own(new_twin: Twin) -> None:
    assert new_twin.boot() == "running"
    told = (new_twin.path / _TOLD).read_text()
    ssid, passphrase, code = re.findall(r"^(?:Wi-Fi|Kata sandi|Kode perangkat)\b.*?  (\S+)", told, re.MULTILINE)
    profile = _profile(new_twin)
    assert profile["802-11-wireless.ssid"] == ssid
    assert profile["802-11-wireless-security.psk"] == passphrase
    assert profile["ipv4.addresses"] == "192.168.0.11/24"
    assert profile["ipv4.never-default"] == "yes"
    assert set(code) <= set(f"{ALPHABET}-")
    assert new_twin.otppi("admin", "code").splitlines()[0] == code
    shown = new_twin.run("cat", "/run/issue.d/otppi.issue")
    assert ssid in shown
    assert passphrase in shown
    assert (new_twin.path / PROFILE).stat().st_mode & 0o777 == 0o600
    for secret in (passphrase, code):
        assert secret not in new_twin.journal()
    kept = (new_twin.path / PROFILE).read_bytes()

    new_twin.switch_off()
    assert new_twin.boot() == "running"  # the second boot makes no other device of it
    assert (new_twin.path / PROFILE).read_bytes() == kept
    assert new_twin.otppi("admin", "code").splitlines()[0] == code
    assert ssid in new_twin.run("cat", "/run/issue.d/otppi.issue")

    new_twin.otppi("admin", "add", "owner", "--password-stdin", given="a long pass phrase of the owner")
    until(lambda: not (new_twin.path / _TOLD).exists(), "the file with the passphrase stays")
    until(lambda: ssid not in new_twin.run("cat", "/run/issue.d/otppi.issue"), "the console still tells the passphrase")
    until(
        lambda: new_twin.code("grep", "address=/#/", "/run/otppi-dhcp-conf/dhcp.conf") != 0,
        "names are still answered with lies",
    )

    # As if the power had gone before the files were removed.
    new_twin.switch_off()
    left = [new_twin.path / _TOLD, new_twin.path / _GIVEN]
    for path, content in zip(left, (told, (new_twin.path / "etc/otppi/device.json").read_text()), strict=True):
        path.write_text(content)
    assert new_twin.boot() == "running"
    assert not [path for path in left if path.exists()]
    assert ssid not in new_twin.run("cat", "/run/issue.d/otppi.issue")


def test_the_device_of_the_card(new_twin: Twin) -> None:
    given = new_twin.path / _GIVEN
    given.write_text(json.dumps(GIVEN))
    assert new_twin.boot() == "running"
    profile = _profile(new_twin)
    assert profile["802-11-wireless.ssid"] == GIVEN["ssid"]
    assert profile["802-11-wireless-security.psk"] == GIVEN["passphrase"]
    assert not given.exists()
    assert not (new_twin.path / _TOLD).exists()
    assert GIVEN["ssid"] in (new_twin.path / "boot/firmware/otppi-in-use.txt").read_text()
    assert new_twin.otppi("admin", "code").splitlines()[0] == GIVEN["device_code"]
    assert "app" in new_twin.otppi("user", "list")
    assert json.loads(new_twin.otppi("settings", "show", "clock", "--json"))["clock"]["time_zone"] == "Asia/Makassar"
    pages = json.loads(new_twin.otppi("settings", "show", "administration", "--json"))["administration"]
    assert pages["access_point"] == "wlan0"
    assert not (new_twin.path / "var/lib/otppi/first-settings.json").exists()
    written = new_twin.run("grep", "-rlF", "brought-by-this-card", "/etc", "/var", "/run", check=False).split()
    assert written == []
    # There is no modem yet, and none stands in: an application is told so.
    status, told = _sent(new_twin, "app:brought-by-this-card")
    assert (status, told["response_code"]) == (503, "1101"), told


def _sent(twin: Twin, login: str) -> tuple[int, dict[str, str]]:
    """Send an SMS by the REST API; return status and answer."""
    body = {"command": "send-sms", "data": {"id": 1, "receiver": "081234567890", "message": "a text"}}
    headers = {
        "Authorization": f"Basic {base64.b64encode(login.encode()).decode()}",
        "Content-Type": "application/json",
    }
    program = (
        "import http.client as h\n"
        "c = h.HTTPConnection('127.0.0.1', 8899, timeout=60)\n"
        f"c.request('POST', '/api/message', {json.dumps(body)!r}, {headers!r})\n"
        "a = c.getresponse(); print(a.status, a.read().decode())"
    )
    status, told = twin.python(program).split(" ", 1)
    return int(status), json.loads(told)


def test_a_damaged_document_is_told(new_twin: Twin) -> None:
    (new_twin.path / _GIVEN).write_text('{"ssid": "", "passphrase": "short", "\\u001b[2J\\ud800\\\\S": 0}')
    assert new_twin.boot() == "running"
    told = (new_twin.path / _TOLD).read_text()
    assert "passphrase must be of 8 to 63 characters" in told
    assert "device_code is missing" in told
    assert "OTP-Pi-" in told  # it is a device all the same
    shown = new_twin.run("cat", _ISSUE)
    assert "?[2J??S is not a field of a device" in shown
    assert not set(shown) & {"\x1b", "\\"}


def test_boot_partition_takes_nothing(new_twin: Twin) -> None:
    """A full one: the device had no access point, no code and no settings, at each boot."""
    assert new_twin.boot("--tmpfs=/boot/firmware:nr_inodes=1") == "running"
    assert new_twin.code("touch", "/boot/firmware/file") != 0
    profile = _profile(new_twin)
    shown = new_twin.run("cat", _ISSUE)
    assert profile["802-11-wireless.ssid"] in shown
    assert profile["802-11-wireless-security.psk"] in shown
    assert new_twin.otppi("admin", "code").splitlines()[0] in shown
    new_twin.otppi("admin", "add", "owner", "--password-stdin", given="a long pass phrase of the owner")
    until(lambda: profile["802-11-wireless.ssid"] not in new_twin.run("cat", _ISSUE), "it is told for ever")
    assert not (new_twin.path / "etc/otppi/this-device.txt").exists()


def test_power_cut_before_what_is_secret_was_taken_away(new_twin: Twin) -> None:
    """The passphrase stayed on the card for good: after the first boot, and after the first administrator."""
    assert new_twin.boot() == "running"
    ssid = _profile(new_twin)["802-11-wireless.ssid"]
    new_twin.switch_off()
    (new_twin.path / "var/lib/otppi/claimed").touch()
    given = new_twin.path / "boot/firmware/otppi-device.json"
    given.write_bytes((new_twin.path / "etc/otppi/device.json").read_bytes())
    assert new_twin.boot() == "running"
    assert not given.exists()
    assert not (new_twin.path / _TOLD).exists()
    assert ssid not in new_twin.run("cat", _ISSUE)


def test_power_cut_during_the_first_boot(new_twin: Twin) -> None:
    given = new_twin.path / _GIVEN
    given.write_text(json.dumps(GIVEN))
    assert new_twin.boot() == "running"
    new_twin.switch_off()
    # As if the power had gone before the last step: what marks the end is not there, and the document still is.
    (new_twin.path / "etc/otppi/device.json").unlink()
    (new_twin.path / PROFILE).write_bytes(b"")
    given.write_text(json.dumps(GIVEN))
    assert new_twin.boot() == "running"
    assert _profile(new_twin)["802-11-wireless.ssid"] == GIVEN["ssid"]
    assert not given.exists()


def test_reset_of_the_access_point(new_twin: Twin) -> None:
    (new_twin.path / _GIVEN).write_text(json.dumps(GIVEN))
    assert new_twin.boot() == "running"
    new_twin.run(
        "nmcli", "connection", "modify", "otppi-ap", "wifi.ssid", "other", "wifi-sec.psk", "forgotten-long-ago"
    )
    assert _profile(new_twin)["802-11-wireless.ssid"] == "other"
    manager = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
    code, told = new_twin.as_gateway(
        "busctl", "call", *manager, "StartUnit", "ss", "otppi-reset-network.service", "replace"
    )
    assert code == 0, told
    until(lambda: _profile(new_twin)["802-11-wireless.ssid"] == GIVEN["ssid"], "the brochure's values are not back")
    assert _profile(new_twin)["802-11-wireless-security.psk"] == GIVEN["passphrase"]


def test_safe_mode_by_a_file(new_twin: Twin) -> None:
    asked = new_twin.path / "boot/firmware/otppi-safe-mode.txt"
    asked.touch()
    assert new_twin.boot() == "running"
    assert _status(new_twin, 8888) in (200, 302, 303)
    assert _status(new_twin, 8899) == 0  # no plugin: no REST API
    new_twin.switch_off()
    asked.unlink()
    assert new_twin.boot() == "running"
    assert _status(new_twin, 8899) == 503  # it answers, and has no modem


def _status(twin: Twin, port: int) -> int:
    """Return the HTTP status of what a port answers; 0 where nothing listens."""
    path = "/api/health" if port == 8899 else "/"
    program = (
        "import http.client as h\n"
        f"c = h.HTTPConnection('127.0.0.1', {port}, timeout=60)\n"
        f"try: c.request('GET', '{path}'); print(c.getresponse().status)\n"
        "except ConnectionRefusedError: print(0)"
    )
    return int(twin.python(program))
