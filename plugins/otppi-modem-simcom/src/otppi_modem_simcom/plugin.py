"""Registers the modem type `simcom`: SIMCom's modules for GSM (SIM800, SIM900) and LTE (SIM7600, SIM7000, A7670)."""

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
from otppi_modem_simcom.text import _

_VENDOR = "1e0e"
_RSSI_FROM_END = 2
_FIELDS_OF_LTE = 14


def cpsi_dbm(reply: str) -> int | None:
    """Read the received power from `+CPSI:`: LTE's is the last but one field, in tenths of dBm.

    GSM's is the one before `<track LO adjust>`; UMTS tells the power of its pilot only, so +CSQ is the better one.

    Example:
        >>> cpsi_dbm("+CPSI: LTE,Online,510-99,0x1A2B,12345678,123,EUTRAN-BAND3,1300,3,3,-102,-1031,-735,14")
        -74
    """
    found = re.search(r"\+CPSI: *(.*)", reply)
    fields = [field.strip() for field in found[1].split(",")] if found else [""]
    if fields[0] == "LTE" and len(fields) == _FIELDS_OF_LTE:
        return _number(fields[-_RSSI_FROM_END], 10)
    if fields[0] == "GSM":
        return next((dbm for field in fields[5:] if (dbm := _number(field, 1)) is not None), None)
    return None


def _number(field: str, parts: int) -> int | None:
    """Read a power that is negative, as one in dBm is."""
    return round(int(field) / parts) if re.fullmatch(r"-\d{2,4}", field) else None


# +SPIC: the tries of the PIN first; where those of the PUK stand differs between SIM800 and SIM7600.
_SPIC = SimTries("AT+SPIC", r"\+SPIC: *(\d+)", r"(?!)")

PROFILE = Profile(
    init=(
        "AT+AUTOCSQ=0",  # no +CSQ of its own accord: it would be taken for an answer (modems.md 6)
        "AT+CNSMOD=0",
        "AT+CPSI=0",
        "AT+CLTS=0",  # SIM800: no *PSUTTZ, *PSNWID, DST
        'AT+EXUNSOL="SQ",0',  # SIM800, SIM900: no +CSQN
        "AT+CIURC=1",  # but "Call Ready", "SMS Ready" and "+CPIN", which tell that it restarted
    ),
    iccid=("AT+CICCID", "AT+CCID"),
    signal=SignalQuery("AT+CPSI?", cpsi_dbm),
    network_urcs=("+CPIN", "+CSMINS", "+SIMCARD"),
    sim_tries=(_SPIC, CPINR),
)

USB = (
    UsbMatch(_VENDOR, "9001", (2, 3)),  # SIM7600, SIM7100, SIM7500: 3 is the one for data
    UsbMatch(_VENDOR, "9011", (4, 5)),  # the same with a network card (RNDIS), A7670
    UsbMatch(_VENDOR, "9205", (2, 3)),  # SIM7000
    UsbMatch(_VENDOR, "9206", (2,)),  # SIM7070, SIM7080
    UsbMatch(_VENDOR, "9100", (3, 1)),
    UsbMatch(_VENDOR, "9200", (3, 1)),
    UsbMatch(_VENDOR),
)


@hookimpl
def otppi_modem_types() -> Sequence[ModemType]:
    """Return the one type of this plugin."""
    return [
        ModemType(
            key="simcom",
            title=_("SIMCom module"),
            help=_("A SIMCom module: SIM800 and its kin on a serial port, SIM7600 and its kin on USB."),
            create=partial(AtModem, profile=PROFILE),
            settings=AT_SETTINGS,
            checks=AT_CHECKS,
            recognises=made_by("simcom"),
            usb=USB,
        )
    ]
