"""Safe mode: a file on the boot partition, which any computer can write, has the gateway start without plugins."""

from tests.image.machine.application import get
from tests.image.machine.machine import SLOW, Machine

_PAGES, _API = 8888, 8899


def _listens(device: Machine) -> set[int]:
    told = device.run(f"ss --no-header --listening --tcp --numeric '( sport = {_PAGES} or sport = {_API} )'")
    return {int(line.split()[3].rpartition(":")[2]) for line in told.splitlines()}


def _restart(device: Machine) -> None:
    """Start the services that look at the boot partition; the second is back when all it has listens."""
    device.run("systemctl restart otppi-boot-options otppi", SLOW)


def test_file_on_the_boot_partition_brings_safe_mode(device: Machine) -> None:
    assert _listens(device) == {_PAGES, _API}
    device.run("touch /boot/firmware/otppi-safe-mode.txt")
    _restart(device)
    assert _listens(device) == {_PAGES}  # the API is a plugin's
    assert get(device, _PAGES, "/claim")[0] == 200
    device.run("rm /boot/firmware/otppi-safe-mode.txt")
    _restart(device)
    assert _listens(device) == {_PAGES, _API}
