"""The modems of the original: `gsm/devices.json`, an object of modems by ids that it makes up."""

from collections.abc import Mapping
from typing import Any, Final

from otppi.host.importing.findings import Findings, as_list, as_number
from otppi.host.importing.original_tables import Row, take_rows
from otppi.text import _

_PARITIES: Final = {"N": "none", "O": "odd", "E": "even", "M": "mark", "S": "space"}
_MAKERS: Final = {"simcom": "simcom", "huawei": "huawei", "quectel": "quectel", "zte": "zte", "wavecom": "wavecom"}
_FROM_MODEM: Final = _("it is read from the modem or its SIM card")
_NO_INTERVAL: Final = _(
    "the original keeps it, and never acts on it; limits are rate_per_minute, daily_quota, monthly_quota"
)


def _parity(value: Any) -> Any:
    return _PARITIES.get(value.strip().upper(), value) if isinstance(value, str) else value


def _stop_bits(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


_ROWS: Final = (
    Row("port", "port"),
    Row("imei", "imei"),
    Row("active", "active"),
    Row("msisdn", "msisdn"),
    Row("imsi", "imsi"),
    Row("smsCenter", "sms_center"),
    Row("simCardPIN", "sim_card_pin"),
    Row("recipientPrefix", "recipient_prefixes", convert=as_list),
    Row("defaultModem", "default_modem"),
    Row("smsAPI", "send_from_api"),
    Row("baudRate", "baud_rate", convert=as_number),
    Row("parityBit", "parity_bit", convert=_parity),
    Row("startBits", "start_bits", convert=as_number, nothing=("", "0", 0)),
    Row("stopBits", "stop_bits", convert=_stop_bits, nothing=("", "0", 0)),
    Row("internetAccess", "internet_access"),
    Row("apn", "apn"),
    Row("apnUsername", "apn_username"),
    Row("apnPassword", "apn_password"),
    Row("dialNumner", "dial_number"),
    *(Row(f"initDial{number}", f"init_dial_{number}") for number in range(1, 6)),
    Row("dialCommand", "dial_command"),
    Row("autoreconnect", reason=_("a connection that is lost is always made again")),
    Row("deleteSentSMS", reason=_("what is sent is never kept on SIM card or modem")),
    Row("incommingInterval", reason=_("the modem tells by itself that a message has come in")),
    Row("timeRange", reason=_NO_INTERVAL),
    Row("maxPerTimeRange", reason=_NO_INTERVAL),
    *(Row(key, reason=_FROM_MODEM) for key in ("provider", "model", "revision", "iccid", "copsOperator")),
)


def read_modem(found: Findings, file: str, modem: Mapping[str, Any], name: str) -> None:
    """Note what becomes of one modem, which is called `name` here."""
    found.propose(file, f"{name} name", modem.get("name", ""), ("modems", name, "name"), name)
    maker = str(modem.get("manufacturer") or "")
    kind = next((kind for word, kind in _MAKERS.items() if word in maker.casefold()), "")
    if kind:
        found.propose(file, f"{name} manufacturer", maker, ("modems", name, "type"), kind)
    elif maker:
        found.leave(file, f"{name} manufacturer", maker, _FROM_MODEM)
    take_rows(found, file, modem, _ROWS, "modems", item=name)
