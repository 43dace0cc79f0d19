"""Whether the time of a browser is taken in which nobody is logged in: asked by pages that anybody sees."""

import time

from otppi.admin.parts import Parts
from otppi.host.clock.device_clock import DeviceClock


def offered(parts: Parts) -> float | None:
    """Return the time of the device where a stranger's browser may offer a later one; None where it may not."""
    return time.time() if parts.registry.part(DeviceClock).takes_from_strangers() else None
