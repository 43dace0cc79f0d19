"""Safe mode: a file on the boot partition, which any computer can write, has the gateway start without plugins."""

import json

from tests.image.machine.machine import SLOW, Machine


def _states(device: Machine) -> set[str]:
    return {one["state"] for one in json.loads(device.otppi("plugins", "--json"))}


def test_file_on_the_boot_partition_brings_safe_mode(device: Machine) -> None:
    assert _states(device) == {"loaded"}
    device.run("touch /boot/firmware/otppi-safe-mode.txt; systemctl restart otppi-boot-options otppi", SLOW)
    assert _states(device) == {"safe mode"}
    device.run("/run/tools/busybox wget -q -O /dev/null http://127.0.0.1:8888/claim")
    device.run("rm /boot/firmware/otppi-safe-mode.txt; systemctl restart otppi-boot-options otppi", SLOW)
    assert _states(device) == {"loaded"}
