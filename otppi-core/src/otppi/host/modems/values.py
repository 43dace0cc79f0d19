"""What the settings of a modem hold, for mypy."""

from typing import TypedDict

from otppi.host.meter.values import LimitValues


class UssdValues(TypedDict):
    """The values of `otppi.host.modems.ussd_settings.USSD_SETTINGS`."""

    ussd_timeout: float
    quick_codes: list[str]
    balance_ussd: str
    balance_pattern: str
    balance_low: float
    balance_every: float


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
    init_commands: list[str]
    send_from_api: bool
    delivery_reports: bool
    default_modem: bool
    active: bool


class FleetModemValues(ModemValues):
    """Those by which a modem runs: what is set for all of them as well."""

    queue_size: int
