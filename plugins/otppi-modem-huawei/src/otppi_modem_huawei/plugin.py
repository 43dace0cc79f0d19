"""Registers the modem type `huawei`: sticks of the families E1xx and E3xx, in modem ("stick") firmware."""

import re
from collections.abc import Sequence
from functools import partial

from otppi.api import hookimpl
from otppi.api.devices import UsbMatch
from otppi.api.modem import ModemType
from otppi.kit.at.modem import AT_CHECKS, AT_SETTINGS, AtModem
from otppi.kit.at.probe import made_by
from otppi.kit.at.sim import CPINR, SimTries
from otppi.kit.at.start import Profile, SignalQuery
from otppi.wire.ussd import UssdForm
from otppi_modem_huawei.text import _

_VENDOR = "12d1"
_LOWEST_RSSI = -121
"""<rssi> of ^HCSQ counts dBm from here; 255 is unknown."""


def hcsq_dbm(reply: str) -> int | None:
    """Read the received power from `^HCSQ: "LTE",<rssi>,<rsrp>,...`; the first number is <rssi> in every mode.

    Some firmware leaves the quotes out.

    Example:
        >>> hcsq_dbm('^HCSQ: "LTE",46,36,116,22')
        -75
    """
    found = re.search(r'\^HCSQ: *"?(?:GSM|WCDMA|LTE)"?, *(\d{1,3})(?!\d)', reply)
    rssi = int(found[1]) if found else 0
    return _LOWEST_RSSI + rssi if 1 <= rssi <= 96 else None


# ^CPIN: <what it asks for>,<tries of that>,<of PUK>,<of PIN>,<of PUK2>,<of PIN2>
_CPIN = SimTries("AT^CPIN?", r"\^CPIN: *[^,]*,[^,]*,\d+, *(\d+)", r"\^CPIN: *[^,]*,[^,]*, *(\d+)")

PROFILE = Profile(
    init=(
        "AT^CURC=0",  # no ^RSSI, ^MODE, ^DSFLOWRPT every few seconds (modems.md 6)
        "AT^PORTSEL=1",  # what is left of URCs, +CMTI too, on the port for commands, not on the data port (25)
        "AT^USSDMODE=0",  # USSD as 27.007 has it (27)
        "AT^STSF=0",  # no SIM toolkit: its menus would take the USSD session (6, ^STIN)
    ),
    # The later ones for old firmware, which takes no <bm> 2 (19).
    cnmi=("AT+CNMI=2,1,2,1,0", "AT+CNMI=2,1,2,2,0", "AT+CNMI=2,1,0,1,0", "AT+CNMI=2,1,0,2,0", "AT+CNMI=2,1,0,0,0"),
    reset="AT^RESET",
    iccid=("AT^ICCID?", "AT+ICCID", "AT+CCID"),
    signal=SignalQuery("AT^HCSQ?", hcsq_dbm),
    network_urcs=("^SIMST", "^SRVST"),
    sim_tries=(_CPIN, CPINR),
    # Those that do not know ^USSDMODE refuse plain text, and want packed septets (27).
    ussd_forms=(UssdForm.PLAIN, UssdForm.GSM7_HEX, UssdForm.UCS2_HEX),
)

USB = (
    UsbMatch(_VENDOR, "1001", (2, 0)),  # E160, E169, E1550 and their kin
    UsbMatch(_VENDOR, "1003", (1, 0)),  # E220
    UsbMatch(_VENDOR, "140c", (3, 2, 0)),  # E1550, E180
    UsbMatch(_VENDOR, "1436", (4, 3, 0)),  # E173, E1750
    UsbMatch(_VENDOR, "1506", (1, 0)),  # E3131, E3276, E3372 in stick firmware
    UsbMatch(_VENDOR),
)
"""Interface 0 is the one for data: it takes commands too, but is asked last."""


@hookimpl
def otppi_modem_types() -> Sequence[ModemType]:
    """Return the one type of this plugin."""
    return [
        ModemType(
            key="huawei",
            title=_("Huawei stick"),
            help=_("A Huawei stick of the families E1xx and E3xx, in modem firmware (not HiLink)."),
            create=partial(AtModem, profile=PROFILE),
            settings=AT_SETTINGS,
            checks=AT_CHECKS,
            recognises=made_by("huawei"),
            usb=USB,
        )
    ]
