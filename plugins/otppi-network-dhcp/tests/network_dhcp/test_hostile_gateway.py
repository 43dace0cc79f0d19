"""The unit's program is root, and the gateway is not: what it may hand over, and what it may not."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from otppi_network_dhcp.configuration import DEFAULTS
from otppi_network_dhcp.request import BAD, FILE, KEEP, LONGEST, OVER, TRY, Request, hand_over

from .device import Device

GOOD = {"verb": TRY, "seconds": 90, "values": dict(DEFAULTS)}


def request_file(device: Device) -> Path:
    hand_over(device.folder, Request(KEEP))
    return device.folder / FILE


def nothing_happened(device: Device) -> bool:
    return not device.files.trial.exists() and not device.files.kept.exists() and not (device.root / "timer").exists()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[" * 20_000,
        b"\xff",
        b" " * (LONGEST + 1),
        GOOD | {"verb": "reboot"},
        GOOD | {"verb": ["try"]},
        GOOD | {"seconds": 0},
        GOOD | {"seconds": True},
        GOOD | {"seconds": 1e9},
        GOOD | {"seconds": "90; reboot"},
        GOOD | {"more": 1},
        {"verb": TRY},
        GOOD | {"values": []},
        GOOD | {"values": {"ranges": [{"first": "1.2.3.4", "last": "1.2.3.5\ndhcp-script=/bin/sh"}]}},
        GOOD | {"values": {"domain_name": "a\ndhcp-script=/bin/sh"}},
        GOOD | {"values": {"domain_name_servers": ["1.1.1.1,option:x"]}},
        GOOD | {"values": {"dhcp_script": "/bin/sh"}},
    ],
)
def test_what_is_no_request_is_refused(device: Device, document: Any) -> None:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    request_file(device).write_bytes(content)
    assert device.unit() == BAD
    assert nothing_happened(device)


def test_links_and_fifos_are_refused(device: Device, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(json.dumps(GOOD))
    path = request_file(device)
    path.unlink()
    path.symlink_to(secret)
    assert device.unit() == BAD
    path.unlink()
    os.mkfifo(path)
    assert device.unit() == BAD
    path.unlink()
    path.mkdir()
    assert device.unit() == BAD
    path.rmdir()
    folder = path.parent
    folder.rmdir()
    folder.symlink_to(tmp_path)
    (tmp_path / FILE).write_text(json.dumps(GOOD))
    assert device.unit() == BAD
    assert nothing_happened(device)


def test_nothing_handed_over(device: Device) -> None:
    assert device.unit() == BAD
    assert nothing_happened(device)


def test_what_is_not_on_trial_cannot_be_kept(device: Device) -> None:
    request_file(device)
    assert device.unit() == OVER
    assert nothing_happened(device)


def test_trial_whose_time_is_over_cannot_be_kept(device: Device) -> None:
    request_file(device)
    device.files.trial.write_text(json.dumps({"values": {**DEFAULTS, "lease_time": 999}, "until": 0}))
    assert device.unit() == OVER
    assert nothing_happened(device)
    assert json.loads(device.files.in_use.read_bytes()) == dict(DEFAULTS)


def test_drop_by_the_timer(device: Device) -> None:
    hand_over(device.folder, Request(TRY, 300, {**DEFAULTS, "lease_time": 999}))
    assert device.unit() == 0
    assert json.loads(device.files.in_use.read_bytes())["lease_time"] == 999
    assert device.unit("drop") == 0
    assert json.loads(device.files.in_use.read_bytes()) == dict(DEFAULTS)
    assert nothing_happened(device)
