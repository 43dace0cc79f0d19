"""Registers what sets the clock of the device."""

from collections.abc import Sequence

from otppi.api import hookimpl
from otppi.api.clock import ClockWriter, ClockWriterType
from otppi_clock.text import _


@hookimpl
def otppi_clock_writers() -> Sequence[ClockWriterType]:
    """Return the one of this plugin."""
    return [ClockWriterType("systemd", _("systemd's timedated and timesyncd"), _create)]


def _create() -> ClockWriter:
    """Import what speaks D-Bus only where it is wanted: it costs memory."""
    from otppi_clock.writer import SystemdClock

    return SystemdClock()
