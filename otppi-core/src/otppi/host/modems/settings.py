"""The settings sections that belong to the core: SMS, modems and API users."""

from otppi.api.settings import Section, boolean, integer, number, text, text_list
from otppi.host.encryption.settings import ENCRYPTION
from otppi.host.inbox.settings import INBOX, WEBHOOK
from otppi.host.meter.settings import LIMIT_SETTINGS
from otppi.host.modems.internet_settings import INTERNET_SETTINGS
from otppi.host.modems.port_names import port_problem, tidy_port
from otppi.host.numbering.numbers import countries_problem, country_code_problem, tidy_country_code
from otppi.host.numbering.prefixes import prefixes_problem
from otppi.host.otp.settings import OTP
from otppi.host.ussd.settings import INIT_COMMANDS, USSD_SETTINGS

SMS = Section(
    key="sms",
    title="SMS",
    help="How messages are taken in, routed and sent.",
    reset_group="sms",
    settings=(
        text(
            "country_code",
            "Country code",
            "E.164 country code put in place of the leading 0 of a national number.",
            "62",
            check=country_code_problem,
            tidy=tidy_country_code,
        ),
        text_list(
            "countries",
            "Countries",
            "To which others messages may go: country codes (65) or two letters (SG), any for all; empty: to none.",
            check=countries_problem,
        ),
        integer(
            "default_lifetime",
            "Default lifetime",
            "A message that was not sent after this time is dropped, where its sender gave no expiration.",
            600,
            minimum=5,
            maximum=604_800,
            unit="s",
        ),
        integer(
            "duplicate_window",
            "Duplicate window",
            "The same id, receiver and text within this time is sent once; 0 sends every one.",
            600,
            minimum=0,
            maximum=86_400,
            unit="s",
        ),
        integer(
            "queue_size",
            "Queue size",
            "Messages that may wait for one modem, for each of the two priorities; more are refused with 1205.",
            1000,
            minimum=1,
            maximum=100_000,
            unit="messages",
        ),
        integer(
            "max_segments",
            "Longest message",
            "A message of more parts is refused with 1206.",
            10,
            minimum=1,
            maximum=255,
            unit="segments",
        ),
        integer(
            "attempts",
            "Attempts",
            "How often one modem tries a message where it is certain that nothing went out; then another one may.",
            3,
            minimum=1,
            maximum=20,
        ),
        number(
            "modem_grace",
            "Grace for a lost modem",
            "Messages wait this long for a modem that was lost, where no other may send them; then they fail.",
            60.0,
            minimum=0,
            maximum=3600,
            unit="s",
        ),
        boolean(
            "fail_over",
            "Fail-over",
            "Whether a message may go by a modem that its prefix does not name when those that it names cannot send.",
            True,
        ),
        text(
            "routing",
            "Routing",
            "Which modem goes first: the one that the receiver's prefix names, or the one that is cheapest.",
            "prefix",
            choices=("prefix", "cheapest"),
        ),
        boolean(
            "resend_unconfirmed",
            "Resend unconfirmed",
            "Whether a message that may or may not have gone out is sent once more: the receiver may get it twice.",
            False,
        ),
        boolean(
            "mask_receivers",
            "Mask receivers",
            "Whether logs and the report show receivers as 62812*****66 rather than in full.",
            True,
        ),
        integer(
            "report_months",
            "Months of report",
            "How many months of the message report are kept (it holds no texts).",
            12,
            minimum=1,
            maximum=120,
            unit="months",
        ),
    ),
)

MODEMS = Section(
    key="modems",
    title="Modems",
    help="The modems, and which receivers each of them sends to.",
    reset_group="modem",
    identity="name",
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

_ARGON2ID = (
    r"\$argon2id\$v=[0-9]{1,3}\$m=[0-9]{1,5},t=[0-9]{1,2},p=[0-9]{1,2}\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{16,128}"
)
"""A hash takes less than 100 MB, lest one that was made elsewhere takes all the memory of a small device."""

API_USERS = Section(
    key="api_users",
    title="API users",
    help="Who may send through the REST API.",
    reset_group="api_user",
    identity="username",
    settings=(
        text(
            "username",
            "Username",
            "Name that the sender gives; those of ways in, `ingress-…`, are taken.",
            required=True,
            pattern=r"(?!ingress-)[^:\s\x00-\x1f]{1,64}",
        ),
        text("password", "Password", "Password that the sender gives; only its argon2id hash is kept.", secret=True),
        text(
            "password_hash",
            "Password hash",
            "The argon2id hash, as an export gives it.",
            secret=True,
            pattern=_ARGON2ID,
        ),
        text_list("token_hashes", "Tokens", "SHA-256 of each bearer token.", secret=True),
        text("phone", "Phone Number", "Contact of the user.", aliases=("phone_number",)),
        text("email", "Email", "Contact of the user."),
        boolean("active", "Active", "Whether the user may send.", True, closed=False),
        boolean("blocked", "Blocked", "Blocked users are refused even when active.", False, closed=True),
        boolean("manage_keys", "Manage Keys", "Whether the user may replace the key of encrypted envelopes.", False),
    ),
)

CORE_SECTIONS = (SMS, OTP, MODEMS, INBOX, WEBHOOK, API_USERS, ENCRYPTION)
