"""Registers the modem type `at`."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from otppi.api import hookimpl
from otppi.api.modem import ModemContext, ModemIdentity, ModemType
from otppi.kit.at_modem import AT_SETTINGS, AtModem

_PROBE = {
    "name": "probe",
    "baud_rate": 115_200,
    "parity_bit": "none",
    "stop_bits": 1,
    "sim_card_pin": "",
    "sms_center": "",
}


@hookimpl
def otppi_modem_types() -> Sequence[ModemType]:
    """Give the one type of this plugin."""
    return [
        ModemType(
            key="at",
            title="AT modem",
            help="A GSM, UMTS or LTE modem on a serial port that speaks 3GPP TS 27.005 and 27.007.",
            create=AtModem,
            settings=AT_SETTINGS,
            probe=probe,
        )
    ]


def probe(path: str) -> ModemIdentity:
    """Ask the modem at a path who it is, without giving a PIN.

    Raises:
        ModemLost: Nothing there answers as a modem.
    """
    with TemporaryDirectory() as folder:
        modem = AtModem(ModemContext(_PROBE | {"port": path}, Path(folder)))
        try:
            modem.open()
        finally:
            modem.close()
        return modem.identity()
