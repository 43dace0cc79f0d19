"""Sticks that are plugged into the booted machine: a real udev sees them, the kernel reads them over USB."""

import json
import shlex
from pathlib import Path

from tests.image.machine.conftest import Flashed
from tests.image.machine.machine import SLOW, STEP, Machine
from tests.image.sticks import exfat, ext4, fat, looping, partitioned

PASSWORD = "a long pass phrase of the owner"
CODE_FILE = "optb/reset.txt"
MODULE = "/opt/otppi/lib/python3*/site-packages/otppi/host/reset"


def _prepare(device: Machine) -> None:
    """Give the device an administrator, and more than ten minutes: the emulator may need them to boot."""
    device.run(f"sed -i 's/^WINDOW: Final = .*/WINDOW: Final = 1e6/' {MODULE}/stick_judge.py")
    device.run(f"rm {MODULE}/__pycache__/stick_judge.*.pyc")
    device.run("systemctl restart otppi", SLOW)
    device.otppi("admin", "add", "owner", "--password-stdin", given=PASSWORD)


def _lines(words: str) -> str:
    """Return the command that counts lines of the log: an extended regular expression (grep(1))."""
    return f"journalctl --boot --no-pager -u otppi | grep -cE {shlex.quote(words)}"


def _until_told(device: Machine, words: str, before: int = 0) -> None:
    """Wait until the log has said it more often than before."""
    device.until(f'test "$({_lines(words)})" -gt {before}', f"the log says {words}", STEP)


def _told(device: Machine, words: str) -> int:
    return int(device.run(f"{_lines(words)} || true").split()[0])


def test_sticks_that_mean_harm_then_another_code_then_the_right_one(
    device: Machine, card: Flashed, tmp_path: Path
) -> None:
    _prepare(device)
    code = card.identity.written_code
    wrong = {CODE_FILE: b"CCCC-CCCC-CCCC-CCCC"}
    with device.stick(ext4(tmp_path / "ext4"), "ext4"):
        device.until("test -b /dev/sda && udevadm settle", "the kernel sees the stick")
    assert _told(device, "resets nothing") == 0, "ext4 is not even read"
    with device.stick(looping(tmp_path / "looping", wrong), "looping"):
        _until_told(device, "resets nothing: .*(larger|cannot be read)")
    before = _told(device, "larger than 64 KiB")
    with device.stick(fat(tmp_path / "large", {CODE_FILE: b"x" * 6_000_000}, size=16), "large"):
        _until_told(device, "larger than 64 KiB", before)
    with device.stick(fat(tmp_path / "slow", wrong, size=8), "slow", slow=True):
        device.until("test -b /dev/sda", "the kernel sees the slow stick")
        # It is pulled out while the kernel, udev or the reader waits for it: none of them may take the gateway along.
    with device.stick(exfat(tmp_path / "exfat"), "exfat"):
        # Of all others that came before something was wrong.
        device.until("""grep -q '"problem": ""' /run/otppi-stick/*.json""", "the exFAT is read")
    parts = [fat(tmp_path / "one", {}, size=8), fat(tmp_path / "two", wrong, size=8)]
    with device.stick(partitioned(tmp_path / "parts", *parts), "parts"):
        _until_told(device, "does not show the code")
    assert device.code("test -e /var/lib/otppi/claimed").code == 0
    assert device.run("systemctl is-active otppi").strip() == "active"
    assert device.run("findmnt --noheadings --list --types vfat,exfat --output TARGET").split() == ["/boot/firmware"]

    with device.stick(fat(tmp_path / "right", {CODE_FILE: f"{code}\r\n".encode()}), "right"):
        device.until("! test -e /var/lib/otppi/claimed", "the device is reset", SLOW)
        _until_told(device, "the reset by reset stick is done")
        status = json.loads(device.otppi("reset", "status", "--json"))
        assert status["last_groups"] == ["administrator", "dhcp", "wlan", "ethernet"]
        _until_told(device, "it was obeyed or refused before")
    assert device.run("systemctl is-active otppi").strip() == "active"
    assert code not in device.journal()
