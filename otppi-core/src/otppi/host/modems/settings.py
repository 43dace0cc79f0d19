"""The settings of modems: how each is reached, and which receivers it sends to."""

from otppi.api.settings import Input, TypedSection, boolean, integer, number, text, text_list
from otppi.host.meter.settings import LIMIT_SETTINGS, limit_problems
from otppi.host.meter.values import LimitValues
from otppi.host.modems.internet_settings import INTERNET_SETTINGS, InternetValues
from otppi.host.modems.port_names import port_problem, shared_ports, tidy_port
from otppi.host.numbering.prefixes import prefixes_problem
from otppi.host.ussd.settings import INIT_COMMANDS, USSD_SETTINGS, UssdValues
from otppi.text import _


class ModemValues(LimitValues, UssdValues, InternetValues):
    """The values of one of `MODEMS`, beside those of its type."""

    name: str
    type: str
    port: str
    sms_center: str
    imei: str
    msisdn: str
    imsi: str
    recipient_prefixes: list[str]
    sim_card_pin: str
    baud_rate: int
    parity_bit: str
    start_bits: int
    stop_bits: float
    flow_control: str
    send_from_api: bool
    delivery_reports: bool
    default_modem: bool
    active: bool


MODEMS = TypedSection(
    values=ModemValues,
    key="modems",
    title="Modems",
    help=_("The modems, and which receivers each of them sends to."),
    reset_group="modem",
    identity="name",
    typed_by="type",
    checks=(limit_problems,),
    check_items=(shared_ports,),
    settings=(
        text(
            "name",
            "Name",
            "Name of the modem; shown in answers as modem_id.",
            required=True,
            pattern=r"[\w .:()+-]{1,64}",
        ),
        text("type", "Type", "Modem type: the plugin that drives it.", "at"),
        text(
            "port",
            "Port",
            "Serial port, or a link to one, e.g. /dev/ttyUSB0; with an IMEI only where it is looked for first.",
            aliases=("connection",),
            check=port_problem,
            tidy=tidy_port,
        ),
        text(
            "sms_center",
            "SMS Center",
            "SMSC address in international form; the SIM's own one where empty.",
            pattern=r"\+?[0-9]{5,20}",
            aliases=("smsc",),
        ),
        text(
            "imei",
            "IMEI",
            "Serial number of the modem, by which it is found wherever it is plugged in; never changed by OTP-Pi.",
            pattern=r"[0-9]{14,16}",
        ),
        text(
            "msisdn",
            "MSISDN",
            "Telephone number of the SIM card; what the card says of itself where empty.",
            pattern=r"\+?[0-9]{3,15}",
        ),
        text(
            "imsi",
            "IMSI",
            "Subscriber number of the SIM card; if another card is in, that is told.",
            pattern=r"[0-9]{6,15}",
        ),
        text_list(
            "recipient_prefixes",
            "Recipient Prefix",
            "Receivers whose number starts so are sent by this modem; the longest prefix wins. 0871 is kept as 62871.",
            aliases=("recipient_prefix",),
            check=prefixes_problem,
            input=Input.PREFIX,
        ),
        text(
            "sim_card_pin",
            "SIM Card PIN",
            "PIN of the SIM card, where it asks for one.",
            secret=True,
            pattern=r"[0-9]{4,8}",
        ),
        integer(
            "baud_rate",
            "Baud Rate",
            "Speed of the serial port; 0 finds it out. It matters to modems on a UART only, not to those on USB.",
            115_200,
            minimum=0,
            maximum=4_000_000,
            unit="Bd",
            check=lambda rate: "is 0, or at least 300" if 0 < rate < 300 else None,
        ),
        text(
            "parity_bit",
            "Parity Bit",
            "Parity of the serial port.",
            "none",
            choices=("none", "even", "odd", "mark", "space"),
            aliases=("parity",),
        ),
        integer("start_bits", "Start Bits", "Start bits; every UART has exactly one.", 1, minimum=1, maximum=1),
        number("stop_bits", "Stop Bits", "Stop bits: 1, 1.5 or 2.", 1, minimum=1, maximum=2),
        text(
            "flow_control",
            "Flow Control",
            "How the modem says that it takes no more bytes for now: by wires (rts-cts), characters, or not at all.",
            "none",
            choices=("none", "rts-cts", "xon-xoff"),
        ),
        INIT_COMMANDS,
        *INTERNET_SETTINGS,
        boolean(
            "send_from_api",
            "Send SMS from API",
            "Whether it sends messages that come in from ingresses; a person can send by it in any case.",
            True,
            aliases=("send_sms_from_api",),
        ),
        boolean(
            "delivery_reports",
            "Delivery reports",
            "Whether the network is asked to report when a message has arrived (state delivered or undelivered).",
            True,
        ),
        *LIMIT_SETTINGS,
        *USSD_SETTINGS,
        boolean("default_modem", "Default Modem", "Sends to receivers that no prefix names.", False),
        boolean("active", "Active", "Whether the modem is used at all.", True, closed=False),
    ),
)
