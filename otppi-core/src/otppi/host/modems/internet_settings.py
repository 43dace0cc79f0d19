"""The settings of a modem for connecting to the internet: which port it dials on, and with what."""

from typing import TypedDict

from otppi.api.settings import boolean, text
from otppi.host.modems.apn import AUTOMATIC, PRESETS


class InternetValues(TypedDict):
    """The values of `INTERNET_SETTINGS`."""

    internet_access: bool
    internet_port: str
    apn_preset: str
    apn: str
    apn_username: str
    apn_password: str
    dial_number: str
    init_dial_1: str
    init_dial_2: str
    init_dial_3: str
    init_dial_4: str
    init_dial_5: str
    dial_command: str


_DIAL = tuple(
    text(
        f"init_dial_{number_}",
        f"Init Dial {number_}",
        "AT command that is run before dialling to connect to the internet.",
        pattern=r"[Aa][Tt][ -~]{0,200}",
    )
    for number_ in range(1, 6)
)

INTERNET_SETTINGS = (
    boolean(
        "internet_access",
        "Internet Access",
        "Whether this modem connects to the internet, as the settings below say (docs/mobile-internet.md).",
        False,
    ),
    text(
        "internet_port",
        "Internet Port",
        "Port to dial on. Empty: the modem's port for data. The port for SMS: the modem sends no SMS any more.",
    ),
    text(
        "apn_preset",
        "APN Preset",
        "Operator whose access point is dialled where the settings below are empty; automatic: that of the SIM.",
        AUTOMATIC,
        choices=(AUTOMATIC, "none", *PRESETS),
    ),
    text("apn", "APN", "Access point name of the mobile operator.", pattern=r"[A-Za-z0-9._-]{1,100}"),
    text("apn_username", "APN Username", "User name at the access point.", pattern=r"[^\x00-\x1f\x7f]{1,60}"),
    text(
        "apn_password",
        "APN Password",
        "Password at the access point.",
        secret=True,
        pattern=r"[^\x00-\x1f\x7f]{1,60}",
    ),
    text(
        "dial_number",
        "Dial Number",
        "Number that is dialled to connect to the internet; *99# where neither this nor the preset has one.",
        pattern=r"[0-9A-Da-d*#+,]{1,40}",
    ),
    *_DIAL,
    text(
        "dial_command",
        "Dial Command",
        "AT command that dials; ATD where empty.",
        pattern=r"[Aa][Tt][Dd][TtPp]?",
    ),
)
