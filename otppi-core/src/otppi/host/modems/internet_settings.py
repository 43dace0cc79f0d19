"""The settings of a modem for connecting to the internet: which port it dials on, and with what."""

from otppi.api.settings import Input, Suggest, boolean, grouped, text
from otppi.host.modems.apn import AUTOMATIC, PRESETS
from otppi.text import _

_DIAL = tuple(
    text(
        f"init_dial_{number_}",
        _("Init Dial {number}", number=number_),
        _("AT command that is run before dialling to connect to the internet."),
        pattern=r"[Aa][Tt][ -~]{0,200}",
        pattern_says=_("an AT command, such as AT+CFUN=1"),
        input=Input.COMMAND,
        advanced=True,
        enabled_by="internet_access",
    )
    for number_ in range(1, 6)
)

INTERNET_SETTINGS = grouped(
    "internet",
    boolean(
        "internet_access",
        _("Internet Access"),
        _("Whether this modem connects to the internet, as the settings below say (docs/mobile-internet.md)."),
        False,
    ),
    text(
        "internet_port",
        _("Internet Port"),
        _("Port to dial on. Empty: the modem's port for data. The port for SMS: the modem sends no SMS any more."),
        input=Input.SERIAL_PORT,
        suggest=Suggest.SERIAL_PORTS,
        advanced=True,
        enabled_by="internet_access",
    ),
    text(
        "apn_preset",
        _("APN Preset"),
        _("Operator whose access point is dialled where the settings below are empty; automatic: that of the SIM."),
        AUTOMATIC,
        choices=(AUTOMATIC, "none", *PRESETS),
        choice_titles={
            AUTOMATIC: _("that of the SIM card"),
            "none": _("none"),
            **{key: one.title for key, one in PRESETS.items()},
        },
        enabled_by="internet_access",
    ),
    text(
        "apn",
        _("APN"),
        _("Access point name of the mobile operator."),
        pattern=r"[A-Za-z0-9._-]{1,100}",
        pattern_says=_("the name of an access point, such as internet"),
        enabled_by="internet_access",
    ),
    text(
        "apn_username",
        _("APN Username"),
        _("User name at the access point."),
        pattern=r"[^\x00-\x1f\x7f]{1,60}",
        pattern_says=_("at most 60 characters"),
        enabled_by="internet_access",
    ),
    text(
        "apn_password",
        _("APN Password"),
        _("Password at the access point."),
        secret=True,
        input=Input.PASSWORD,
        enabled_by="internet_access",
        pattern=r"[^\x00-\x1f\x7f]{1,60}",
        pattern_says=_("at most 60 characters"),
    ),
    text(
        "dial_number",
        _("Dial Number"),
        _("Number that is dialled to connect to the internet; *99# where neither this nor the preset has one."),
        pattern=r"[0-9A-Da-d*#+,]{1,40}",
        pattern_says=_("a number to dial, such as *99#"),
        advanced=True,
        enabled_by="internet_access",
    ),
    *_DIAL,
    text(
        "dial_command",
        _("Dial Command"),
        _("AT command that dials; ATD where empty."),
        pattern=r"[Aa][Tt][Dd][TtPp]?",
        pattern_says=_("ATD, ATDT or ATDP"),
        input=Input.COMMAND,
        advanced=True,
        enabled_by="internet_access",
    ),
)
