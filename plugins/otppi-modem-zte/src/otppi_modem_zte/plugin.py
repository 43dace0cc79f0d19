"""Registers the modem types `zte` (sticks) and `wavecom` (Q24xx modules on a serial line)."""

from collections.abc import Sequence
from functools import partial

from otppi.api import hookimpl
from otppi.api.devices import UsbMatch
from otppi.api.modem import ModemType
from otppi.kit.at.modem import AT_CHECKS, AT_SETTINGS, AtModem
from otppi.kit.at.probe import made_by
from otppi.kit.at.sim import CPINR, SimTries
from otppi.kit.at.start import Profile
from otppi_modem_zte.text import _

_VENDOR = "19d2"

_ZPINPUK = SimTries("AT+ZPINPUK=?", r"\+ZPINPUK: *(\d+)", r"\+ZPINPUK: *\d+, *(\d+)")
_CPINC = SimTries("AT+CPINC", r"\+CPINC: *(\d+)", r"\+CPINC: *\d+, *\d+, *(\d+)")

ZTE = Profile(
    init=(
        "AT+ZOPRT=5",  # some wake up with their radio off
        "AT+CPMS?",  # until they are asked for their memories they say +ZUSIMR every two seconds (modems.md 6)
        "AT+ZPASR=0",
    ),
    iccid=("AT+ZGETICCID", "AT+ZICCID?", "AT+CCID"),
    network_urcs=("+ZUSIMR",),
    sim_tries=(_ZPINPUK, CPINR),
)

WAVECOM = Profile(
    init=("AT+WIND=0",),  # no +WIND: 7, 8, 10 ... (modems.md 6)
    # Q24xx know no <bm> but 0 (19).
    cnmi=("AT+CNMI=2,1,0,1,0", "AT+CNMI=2,1,0,2,0", "AT+CNMI=2,1,0,0,0", "AT+CNMI=1,1,0,0,0"),
    iccid=("AT+CCID",),
    sim_tries=(_CPINC, CPINR),
    reset="AT+CFUN=1",  # a restart, here; the standard's form is refused (23)
    boot_urcs=("+WIND",),  # switched off by `init`: it is back after a restart only
)

USB = (
    UsbMatch(_VENDOR, "0016", (2, 1)),  # MF110
    UsbMatch(_VENDOR, "0031", (3, 1)),  # MF100, MF627, MF636
    UsbMatch(_VENDOR, "0082", (3, 1)),  # MF190 of some operators
    UsbMatch(_VENDOR, "0117", (2, 1)),  # MF190, MF112
    UsbMatch(_VENDOR, "0124", (4, 1)),  # MF190, MF195
    UsbMatch(_VENDOR),
)


@hookimpl
def otppi_modem_types() -> Sequence[ModemType]:
    """Return the two types of this plugin."""
    return [
        ModemType(
            key="zte",
            title=_("ZTE stick"),
            help=_("A ZTE stick of the families MF1xx and MF6xx, in modem firmware."),
            create=partial(AtModem, profile=ZTE),
            settings=AT_SETTINGS,
            checks=AT_CHECKS,
            recognises=made_by("zte"),
            usb=USB,
        ),
        ModemType(
            key="wavecom",
            title=_("Wavecom modem"),
            help=_("A Wavecom modem with a Q24xx module (Fastrack and many pools), on a serial port."),
            create=partial(AtModem, profile=WAVECOM),
            settings=AT_SETTINGS,
            checks=AT_CHECKS,
            recognises=made_by("wavecom"),
        ),
    ]
