"""The real ModemManager drives the modem, and the gateway sends through it."""

import json
from typing import Final

from otppi.simulator.profile import ModemProfile
from tests.image.machine.application import send
from tests.image.machine.machine import SLOW, Machine

_PROFILE: Final = ModemProfile(imei="350000000000010", operator="Telkomsel", operator_code="51010")
_MODEM: Final = {"name": "m1", "type": "modemmanager", "imei": _PROFILE.imei, "default_modem": True}
_RULE: Final = (
    'SUBSYSTEM=="usb|tty", ENV{ID_MM_DEVICE_IGNORE}="", ENV{ID_MM_PORT_IGNORE}="", ENV{ID_MM_DEVICE_PROCESS}="1"'
)
"""ModemManager passes over serial adapters such as QEMU's, and our own rules keep it off every modem."""


def test_sent_through_modemmanager(device: Machine) -> None:
    device.run(f"mkdir -p /run/udev/rules.d; echo '{_RULE}' >/run/udev/rules.d/79-test.rules; udevadm control --reload")
    device.run("systemctl start ModemManager", SLOW)
    device.otppi("settings", "import", "-", given=json.dumps({"modems": [_MODEM]}))
    with device.modem(_PROFILE) as modem:
        device.until("mmcli -L | grep /Modem/", "ModemManager has found the modem", SLOW)
        device.until("otppi modem list | grep ready", "it is ready", SLOW)
        assert send(device, 1, "kode 1") in ("sent", "delivered")
        assert [one.text for one in modem.network.wait_for(1, SLOW)] == ["kode 1"]
