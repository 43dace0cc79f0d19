"""What a phone finds that has joined the access point: an address, the pages, and no way to anywhere else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.testing.waiting import until
from tests.image.twin.phone import AP_ADDRESS, Phone
from tests.image.twin.twin import Twin

PAGES = f"http://{AP_ADDRESS}:8888/"


@pytest.fixture
def phone(twin: Twin, tmp_path: Path) -> Iterator[Phone]:
    with Phone(twin) as joined:
        script = tmp_path / "lease"
        script.write_text(
            '#!/bin/sh\n[ "$1" = bound ] || exit 0\n'
            'ip address add "$ip/$mask" dev "$interface"\nenv | sort\n'
        )  # fmt: skip
        script.chmod(0o755)
        joined.lease = joined.join(str(script))
        yield joined


def _get(phone: Phone, url: str, *options: str) -> tuple[int, str]:
    """Return status and head of an answer; 0 where nobody answers."""
    told = phone.run("curl", "--silent", "--max-time", "60", "--include", *options, url)
    found = re.match(r"HTTP/1\.1 (\d+)", told)
    return int(found[1]) if found else 0, told


def _resolved(phone: Phone, name: str) -> str:
    return phone.run("busybox", "nslookup", "-type=a", name, AP_ADDRESS)


def test_a_phone_at_a_new_device(phone: Phone, twin: Twin) -> None:
    given = dict(line.split("=", 1) for line in phone.lease.splitlines() if "=" in line)
    assert re.fullmatch(r"192\.168\.0\.1[0-5]\d", given["ip"])
    assert given["subnet"] == "255.255.255.0"
    assert given["dns"] == AP_ADDRESS
    assert "router" not in given
    assert given["lease"] == "3600"
    assert AP_ADDRESS in _resolved(phone, "connectivitycheck.example").split("Name:")[-1]

    # Whatever a phone asks to find out whether there is internet, it is led to the pages.
    for path in ("generate_204", "hotspot-detect.html", "connecttest.txt"):
        status, told = _get(phone, f"http://{AP_ADDRESS}/{path}", "--header", "Host: connectivitycheck.example")
        assert (status, PAGES in told) == (302, True), told
    status, told = _get(phone, f"{PAGES}captive-portal/api")
    assert status == 200
    assert "application/captive+json" in told
    assert json.loads(told.partition("\n\n")[2]) == {"captive": True, "user-portal-url": PAGES}
    status, told = _get(phone, f"{PAGES}claim")
    assert status == 200
    assert 'name="code"' not in told  # who has joined has the brochure

    # Nothing else answers, and nothing is forwarded.
    assert _get(phone, f"http://{AP_ADDRESS}:8899/api/health")[0] == 503  # there is no modem yet
    for port in (22, 9999):
        assert _get(phone, f"http://{AP_ADDRESS}:{port}/", "--max-time", "3")[0] == 0


def test_a_phone_at_a_device_in_use(phone: Phone, twin: Twin) -> None:
    twin.otppi("admin", "add", "owner", "--password-stdin", given="a long pass phrase of the owner")
    until(lambda: re.search("NXDOMAIN|REFUSED", _resolved(phone, "example.org")), "names still lead here")
    assert AP_ADDRESS in _resolved(phone, "otppi.local").split("Name:")[-1]
    assert re.search("NXDOMAIN|REFUSED", _resolved(phone, "wpad.otppi.local"))  # a name that a phone gave itself
    _status, told = _get(phone, f"{PAGES}captive-portal/api")
    assert json.loads(told.partition("\n\n")[2]) == {"captive": False}
    assert _get(phone, PAGES, "--header", "Host: connectivitycheck.example")[0] == 421
    assert _get(phone, f"{PAGES}login")[0] == 200
