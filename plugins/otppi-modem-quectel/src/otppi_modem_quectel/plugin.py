"""Registers the modem type `quectel`: EC20, EC21, EC25 and their kin (EG9x, BG96, EP06)."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from otppi.api import hookimpl
from otppi.api.devices import UsbMatch
from otppi.api.modem import ModemContext, ModemType
from otppi.kit.at.modem import AT_CHECKS, AT_SETTINGS, AtModem
from otppi.kit.at.probe import made_by
from otppi.kit.at.sim import CPINR, SimTries
from otppi.kit.at.start import Profile, SignalQuery
from otppi_modem_quectel.text import _

_VENDOR = "2c7c"
_QUALCOMM = "05c6"


def qcsq_dbm(reply: str) -> int | None:
    """Read the received power from `+QCSQ: "<mode>",<rssi>,...`, which tells it in dBm in every mode.

    Example:
        >>> qcsq_dbm('+QCSQ: "LTE",-61,-89,162,-9')
        -61
    """
    found = re.search(r'\+QCSQ: *"?(?:GSM|WCDMA|TDSCDMA|LTE|CAT-M1|CAT-NB1)"?, *(-\d{2,3})\b', reply)
    return int(found[1]) if found else None


def urc_port(path: str) -> str:
    """Name the port for URCs as +QURCCFG does: a module on a UART would tell them to its USB otherwise."""
    return "uart1" if re.match(r"tty(S|AMA|THS|mxc)|serial", Path(path).name) else "usbat"


_QPINC = SimTries("AT+QPINC?", r'\+QPINC: *"?SC"?, *(\d+)', r'\+QPINC: *"?SC"?, *\d+, *(\d+)')

PROFILE = Profile(
    init=(
        'AT+QINDCFG="csq",0',  # no news of the signal (modems.md 6)
        'AT+QINDCFG="act",0',
        'AT+QINDCFG="smsincoming",1',  # but of messages
        "AT+QSIMSTAT=1",  # and of the SIM
    ),
    iccid=("AT+QCCID", "AT+ICCID"),
    signal=SignalQuery("AT+QCSQ", qcsq_dbm),
    network_urcs=("+CPIN", "+QSIMSTAT", "+QUSIM"),
    sim_tries=(_QPINC, CPINR),
)

USB = (
    *(
        UsbMatch(_VENDOR, product, (2, 3))  # 0 is for diagnosis, 1 for NMEA, 3 for data
        for product in (
            "0121",  # EC21
            "0125",  # EC25
            "0191",  # EG91
            "0195",  # EG95
            "0296",  # BG96
            "0306",  # EP06, EG06
            "0512",  # EG12, EG18
        )
    ),
    UsbMatch(_QUALCOMM, "9215", (2, 3)),  # EC20 of the first series, under the ids of its chip's maker
    UsbMatch(_QUALCOMM, "9090", (2, 3)),  # UC15
    UsbMatch(_QUALCOMM, "9003", (2, 3)),  # UC20
    UsbMatch(_VENDOR),
)


class QuectelModem(AtModem):
    """Directs the URCs to the port that it has opened (modems.md 25)."""

    def __init__(self, context: ModemContext) -> None:
        port = f'AT+QURCCFG="urcport","{urc_port(str(context.settings["port"]))}"'
        super().__init__(context, replace(PROFILE, init=(port, *PROFILE.init)))


@hookimpl
def otppi_modem_types() -> Sequence[ModemType]:
    """Return the one type of this plugin."""
    return [
        ModemType(
            key="quectel",
            title=_("Quectel module"),
            help=_("A Quectel module: EC20, EC21, EC25 and their kin."),
            create=QuectelModem,
            settings=AT_SETTINGS,
            checks=AT_CHECKS,
            recognises=made_by("quectel"),
            usb=USB,
        )
    ]
