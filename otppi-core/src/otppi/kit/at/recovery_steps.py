"""The steps that may recover a modem: its radio off and on, a restart, and its USB power off and on."""

import logging
import os
from collections.abc import Iterable

from otppi.api.devices import SerialDevice
from otppi.api.errors import ModemLost, NotSupported, Trouble
from otppi.kit import system_units
from otppi.kit.at.channel import AtChannel, AtRefused, AtTimeout
from otppi.kit.at.port import Port
from otppi.kit.at.usb import power_cycle
from otppi.kit.at.usb_power import power_cycle_by_unit
from otppi.text import _

logger = logging.getLogger(__name__)

_RADIO_TIMEOUT = 15.0
"""Leaving the network properly takes some seconds (IMSI detach)."""
_RESET_TIMEOUT = 1.0


def cycle_radio(channel: AtChannel) -> bool:
    """Switch the radio off and on (AT+CFUN=4 and 1, 3GPP TS 27.007 8.2); False where the modem cannot.

    Raises:
        ModemLost: It does not answer, or its radio stays off.
    """
    channel.synchronise()
    try:
        channel.command("AT+CFUN=4", _RADIO_TIMEOUT)
    except AtRefused:
        return False
    except AtTimeout:  # it may have obeyed all the same
        channel.synchronise()
    try:
        channel.command("AT+CFUN=1", _RADIO_TIMEOUT)
    except (AtRefused, AtTimeout) as error:
        raise ModemLost(_("the radio was not switched on again: {error}", error=error), Trouble.FAULTY) from error
    return True


def restart(port: Port, channel: AtChannel, command: str) -> bool:
    """Restart the modem by its `command`; False where it is refused. The port is to be closed at once afterwards.

    Raises:
        ModemLost: It does not answer; the command was written all the same, since it may yet hear.
    """
    try:
        channel.synchronise()
    except ModemLost as error:
        if error.trouble is Trouble.SILENT:
            port.write(f"\x1b\r{command}\r".encode("ascii"))
        raise
    try:
        channel.command(command, _RESET_TIMEOUT)
    except AtRefused:
        return False
    except (AtTimeout, ModemLost):
        return True  # it went before it could answer
    return True


def cycle_power(path: str, ports: Iterable[SerialDevice]) -> bool:
    """Cut the power of the USB device that a port belongs to, and give it back; False where that cannot be done."""
    real = os.path.realpath(path)
    device = next((port.device for port in ports if os.path.realpath(port.path) == real), None)
    if device is None:
        logger.info("%s belongs to no USB device: its power cannot be switched", path)
        return False
    cut = power_cycle_by_unit if system_units.in_use() else power_cycle
    try:
        logger.info("%s: its power was cut (%s)", path, cut(device))
    except NotSupported as error:
        logger.warning("%s: %s", path, error)
        return False
    return True
