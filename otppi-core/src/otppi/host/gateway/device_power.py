"""Switches off the computer that the gateway runs on, or has it start anew; who runs the gateway says how."""

from collections.abc import Callable
from typing import Any

from otppi.api.errors import NotSupported
from otppi.api.operations import Operation
from otppi.host.runtime.registry import HostCall
from otppi.text import _


class DevicePower:
    """Asks for it; the gateway itself is stopped as by any other end of the system. Any thread."""

    def __init__(self) -> None:
        self._reboot = self._power_off = _by_nobody

    def by(self, reboot: Callable[[], None], power_off: Callable[[], None]) -> None:
        """Tell what does it; each returns at once, or raises `OtpPiError`."""
        self._reboot, self._power_off = reboot, power_off

    def reboot(self) -> None:
        """Have the computer start anew.

        Raises:
            NotSupported: It cannot be asked to, or nobody has said how.
            NotDone: It refuses now.
        """
        self._reboot()

    def power_off(self) -> None:
        """Have the computer switch itself off; raise what `reboot` does."""
        self._power_off()


def _by_nobody() -> None:
    raise NotSupported(_("whatever runs this gateway does not switch the device off"))


def _reboot_device(call: HostCall) -> dict[str, Any]:
    call.part(DevicePower).reboot()
    return {"rebooting": True}


def _power_off_device(call: HostCall) -> dict[str, Any]:
    call.part(DevicePower).power_off()
    return {"powering_off": True}


_LOST = _("Messages that wait are kept in RAM only, and are lost; who sent them is told.")

OPERATIONS = (
    Operation(
        name="device_reboot",
        title=_("Restart the device"),
        help=_(
            "Have the computer that the gateway runs on start anew, which takes a minute or two. The gateway finishes "
            "what it is sending."
        ),
        handler=_reboot_device,
        waits=True,
        asks_again=True,
        confirm=_LOST,
        command="device reboot",
        examples=("",),
    ),
    Operation(
        name="device_power_off",
        title=_("Switch the device off"),
        help=_(
            "Switch the computer off that the gateway runs on. The gateway finishes what it is sending. A Raspberry Pi "
            "starts again when its power is cut and comes back: somebody has to be there."
        ),
        handler=_power_off_device,
        waits=True,
        asks_again=True,
        confirm=_LOST,
        command="device power-off",
        examples=("",),
    ),
)
