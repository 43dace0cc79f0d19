"""Registers the modem type `at`."""

from collections.abc import Sequence

from otppi.api import hookimpl
from otppi.api.modem import ModemType
from otppi.kit.at.modem import AT_CHECKS, AT_SETTINGS, AtModem
from otppi.kit.at.probe import probe
from otppi_modem_at.text import _


@hookimpl
def otppi_modem_types() -> Sequence[ModemType]:
    """Return the one type of this plugin."""
    return [
        ModemType(
            key="at",
            title=_("AT modem"),
            help=_("A GSM, UMTS or LTE modem on a serial port that speaks 3GPP TS 27.005 and 27.007."),
            create=AtModem,
            settings=AT_SETTINGS,
            checks=AT_CHECKS,
            probe=probe,
        )
    ]
