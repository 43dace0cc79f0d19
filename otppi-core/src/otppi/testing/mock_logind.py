"""A template for python-dbusmock: of logind the methods that switch a computer off (org.freedesktop.login1(5)).

python-dbusmock's own needs PyGObject. Runs in a process of its own (`otppi.testing.logind`).
"""

from typing import Any, Final

BUS_NAME: Final = "org.freedesktop.login1"
MAIN_OBJ: Final = "/org/freedesktop/login1"
MAIN_IFACE: Final = "org.freedesktop.login1.Manager"
SYSTEM_BUS: Final = True


def load(mock: Any, _parameters: object) -> None:
    """Give the object its methods."""
    mock.AddMethods(
        MAIN_IFACE,
        [
            ("PowerOff", "b", "", ""),
            ("Reboot", "b", "", ""),
            ("CanPowerOff", "", "s", 'ret = "yes"'),
            ("CanReboot", "", "s", 'ret = "yes"'),
        ],
    )
