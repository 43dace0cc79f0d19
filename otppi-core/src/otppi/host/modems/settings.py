"""The settings of modems: how each is reached, and which receivers it sends to."""

from otppi.api.settings import (
    Effect,
    Group,
    Input,
    Suggest,
    TypedSection,
    boolean,
    grouped,
    integer,
    number,
    text,
    text_list,
)
from otppi.host.meter.settings import LIMIT_SETTINGS, LIMITS, PRICES, limit_problems
from otppi.host.modems.checks import modem_problems, shared_imeis, shared_imsis, shared_internet_ports, shared_ports
from otppi.host.modems.init_commands import INIT_COMMANDS
from otppi.host.modems.internet_settings import INTERNET_SETTINGS
from otppi.host.modems.port_names import port_problem, tidy_port
from otppi.host.modems.ussd_settings import USSD_SETTINGS
from otppi.host.modems.values import ModemValues
from otppi.host.numbering.prefixes import prefixes_problem
from otppi.text import _

_BASIC = grouped(
    "basic",
    text(
        "name",
        _("Name"),
        _("Name of the modem; shown in answers as modem_id."),
        required=True,
        pattern=r"[\w .:()+-]{1,64}",
        pattern_says=_("at most 64 letters, digits, spaces, and . : ( ) + - _"),
    ),
    text("type", _("Type"), _("Modem type: the plugin that drives it."), "at", suggest=Suggest.MODEM_TYPES),
    text(
        "port",
        _("Port"),
        _("Serial port, or a link to one, e.g. /dev/ttyUSB0; with an IMEI only where it is looked for first."),
        aliases=("connection",),
        check=port_problem,
        tidy=tidy_port,
        input=Input.SERIAL_PORT,
        suggest=Suggest.SERIAL_PORTS,
    ),
    text(
        "imei",
        _("IMEI"),
        _("Serial number of the modem, by which it is found wherever it is plugged in; never changed by OTP-Pi."),
        pattern=r"[0-9]{14,16}",
        pattern_says=_("14 to 16 digits"),
    ),
    boolean("active", _("Active"), _("Whether the modem is used at all."), True, closed=False),
)
_SIM = grouped(
    "sim",
    text(
        "sim_card_pin",
        _("SIM Card PIN"),
        _("PIN of the SIM card, where it asks for one."),
        secret=True,
        pattern=r"[0-9]{4,8}",
        pattern_says=_("4 to 8 digits"),
        input=Input.PIN,
    ),
    text(
        "msisdn",
        _("MSISDN"),
        _("Telephone number of the SIM card; what the card says of itself where empty."),
        pattern=r"\+?[0-9]{3,15}",
        pattern_says=_("a telephone number of 3 to 15 digits"),
        input=Input.MSISDN,
    ),
    text(
        "imsi",
        _("IMSI"),
        _("Subscriber number of the SIM card; if another card is in, that is told."),
        pattern=r"[0-9]{6,15}",
        pattern_says=_("6 to 15 digits"),
        advanced=True,
    ),
    text(
        "sms_center",
        _("SMS Center"),
        _("SMSC address in international form; the SIM's own one where empty."),
        pattern=r"\+?[0-9]{5,20}",
        pattern_says=_("a telephone number of 5 to 20 digits"),
        aliases=("smsc",),
        input=Input.MSISDN,
        advanced=True,
    ),
)
_ROUTING = grouped(
    "routing",
    text_list(
        "recipient_prefixes",
        _("Recipient Prefix"),
        _("Receivers whose number starts so are sent by this modem; the longest prefix wins. 0871 is kept as 62871."),
        aliases=("recipient_prefix",),
        check=prefixes_problem,
        input=Input.PREFIX,
    ),
    boolean("default_modem", _("Default Modem"), _("Sends to receivers that no prefix names."), False),
    boolean(
        "send_from_api",
        _("Send SMS from API"),
        _("Whether it sends messages of applications, from the API or a broker; a person can send by it in any case."),
        True,
        aliases=("send_sms_from_api",),
    ),
    boolean(
        "delivery_reports",
        _("Delivery reports"),
        _("Whether the network is asked to report when a message has arrived (state delivered or undelivered)."),
        True,
    ),
)
_LINE = grouped(
    "line",
    integer(
        "baud_rate",
        _("Baud Rate"),
        _("Speed of the serial port; 0 finds it out. It matters to modems on a UART only, not to those on USB."),
        115_200,
        minimum=0,
        maximum=4_000_000,
        unit=_("Bd"),
        check=lambda rate: _("is 0, or at least 300") if 0 < rate < 300 else None,
    ),
    text(
        "parity_bit",
        _("Parity Bit"),
        _("Parity of the serial port."),
        "none",
        choices=("none", "even", "odd", "mark", "space"),
        choice_titles={"none": _("none"), "even": _("even"), "odd": _("odd")},
        aliases=("parity",),
    ),
    integer("start_bits", _("Start Bits"), _("Start bits; every UART has exactly one."), 1, minimum=1, maximum=1),
    number("stop_bits", _("Stop Bits"), _("Stop bits: 1, 1.5 or 2."), 1, minimum=1, maximum=2),
    text(
        "flow_control",
        _("Flow Control"),
        _("How the modem says that it takes no more bytes for now: by wires (rts-cts), characters, or not at all."),
        "none",
        choices=("none", "rts-cts", "xon-xoff"),
        choice_titles={"none": _("none"), "rts-cts": "RTS/CTS", "xon-xoff": "XON/XOFF"},
    ),
    advanced=True,
)

MODEMS = TypedSection(
    values=ModemValues,
    key="modems",
    title=_("Modems"),
    help=_("The modems, and which receivers each of them sends to."),
    reset_group="modem",
    effect=Effect.REOPENS,
    identity="name",
    typed_by="type",
    groups=(
        Group("basic", _("Basic")),
        Group("sim", _("SIM card")),
        Group("routing", _("Routing")),
        Group(LIMITS, _("Limits"), _("How much it sends, and when."), advanced=True),
        Group(PRICES, _("Prices"), _("What its operator charges, by which `sms.routing` may choose."), advanced=True),
        Group("ussd", _("USSD and balance"), advanced=True),
        Group("internet", _("Internet"), advanced=True),
        Group("line", _("Serial line"), _("What modems on a UART need; those on USB take no notice."), advanced=True),
        Group("expert", _("Expert"), advanced=True),
    ),
    checks=(modem_problems, limit_problems),
    check_items=(shared_ports, shared_internet_ports, shared_imeis, shared_imsis),
    settings=(
        *_BASIC,
        *_SIM,
        *_ROUTING,
        *LIMIT_SETTINGS,
        *USSD_SETTINGS,
        *INTERNET_SETTINGS,
        *_LINE,
        INIT_COMMANDS,
    ),
)
