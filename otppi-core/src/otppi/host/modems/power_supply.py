"""Whether this device's own power supply is too weak: that looks like modems that vanish at random (modems.md 33)."""

import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from otppi.text import _

logger = logging.getLogger(__name__)

_SYSFS = Path("/sys/devices/platform")
_FILES = ("soc/soc:firmware/get_throttled", "soc*/*firmware*/get_throttled")
_TIMEOUT = 2.0
_FRESH = 30.0


@dataclass(frozen=True, slots=True)
class SupplyReading:
    """What the firmware of a Raspberry Pi tells of its supply and heat (`vcgencmd get_throttled`).

    Each is so now; `…_seen` has been so since the device was switched on.
    """

    under_voltage: bool = False
    frequency_capped: bool = False
    throttled: bool = False
    hot: bool = False
    under_voltage_seen: bool = False
    frequency_capped_seen: bool = False
    throttled_seen: bool = False
    hot_seen: bool = False

    @property
    def hint(self) -> str:
        """Return what it may have to do with a modem that was lost; empty where it has nothing."""
        if self.under_voltage:
            return _("this device has under-voltage now")
        return _("this device has had under-voltage since it was switched on") if self.under_voltage_seen else ""


def decode(value: int) -> SupplyReading:
    """Decode the bits: 0 to 3 are so now, 16 to 19 have been so (Raspberry Pi documentation, "get_throttled")."""
    return SupplyReading(*(bool(value >> bit & 1) for bit in (0, 1, 2, 3, 16, 17, 18, 19)))


def read_throttled() -> SupplyReading | None:
    """Ask the kernel, or else the program `vcgencmd`; None where neither can tell, as on any other computer."""
    for pattern in _FILES:
        for file in _SYSFS.glob(pattern):
            try:
                return decode(int(file.read_text(), 16))
            except (OSError, ValueError) as error:
                logger.debug("%s tells nothing: %s", file, error)
    return _ask_vcgencmd()


def _ask_vcgencmd() -> SupplyReading | None:
    import shutil
    import subprocess  # once a modem was lost only

    program = shutil.which("vcgencmd")
    if program is None:
        return None
    try:
        answer = subprocess.run(
            [program, "get_throttled"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.debug("vcgencmd tells nothing: %s", error)
        return None
    # It also ends with 0 where the firmware refused: error=1 error_msg="Command not registered".
    found = re.search(r"^throttled=0x([0-9a-fA-F]+)\s*$", answer.stdout, re.MULTILINE)
    if answer.returncode or found is None:
        logger.debug("vcgencmd tells nothing: it ended with %d", answer.returncode)
        return None
    return decode(int(found[1], 16))


class PowerSupply:
    """Asks seldom, since all modems are lost together when the voltage drops. Any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked = float("-inf")
        self._last: SupplyReading | None = None

    def reading(self) -> SupplyReading | None:
        """Return what the firmware has told within the last half minute; None where it tells nothing."""
        with self._lock:
            if time.monotonic() - self._asked >= _FRESH:
                self._last = read_throttled()
                self._asked = time.monotonic()
            return self._last

    def hint(self) -> str:
        """Return what the supply may have to do with a lost modem; empty where it has nothing, or cannot tell."""
        reading = self.reading()
        return "" if reading is None else reading.hint
