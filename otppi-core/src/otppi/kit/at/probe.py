"""Asks a port which modem is there, without giving a PIN; and tells by its names which type drives it best."""

from collections.abc import Callable
from pathlib import Path

from otppi.api.modem import ModemContext, ModemIdentity
from otppi.kit.at.modem import AtModem

_SETTINGS = {
    "name": "probe",
    "baud_rate": 115_200,
    "parity_bit": "none",
    "stop_bits": 1,
    "sim_card_pin": "",
    "sms_center": "",
}


def probe(path: str) -> ModemIdentity:
    """Ask the modem at a path who it is.

    Raises:
        ModemLost: Nothing there answers as a modem.
        ModemBlocked: It answers, and a person has to do something.
    """
    from tempfile import TemporaryDirectory  # with it come archives and their codecs: where a modem is asked only

    with TemporaryDirectory() as folder:
        modem = AtModem(ModemContext(_SETTINGS | {"port": path}, Path(folder)))
        try:
            modem.open()
        finally:
            modem.close()
        return modem.identity()


def made_by(*makers: str) -> Callable[[ModemIdentity], bool]:
    """Make a `ModemType.recognises`: whether the manufacturer or the model holds one of these names, in any case."""
    names = tuple(maker.casefold() for maker in makers)

    def recognises(identity: ModemIdentity) -> bool:
        said = f"{identity.manufacturer} {identity.model}".casefold()
        return any(name in said for name in names)

    return recognises
