"""What the keys of the original's simple files become here; a table for each file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from otppi.host.importing.findings import Convert, Findings
from otppi.text import _


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of one key.

    Attributes:
        key: As the original's code writes it, its misspellings too.
        setting: Of ours; empty where it becomes none.
        reason: Why it becomes none; else what a person should know.
        convert: Makes the value here of that there.
        nothing: Values there that stand for "not set": they become nothing.
    """

    key: str
    setting: str = ""
    reason: str = ""
    convert: Convert | None = None
    nothing: tuple[Any, ...] = ("",)


def take_rows(
    found: Findings,
    file: str,
    values: Mapping[str, Any],
    rows: Sequence[Row],
    section: str,
    *,
    item: str = "",
    prefix: str = "",
) -> None:
    """Note what becomes of the values of one object, by a table; of a key that is in no table, nothing does.

    Args:
        found: What is noted in.
        file: Where they stand.
        values: The values there.
        rows: The table.
        section: Of our settings.
        item: The name of the object here, in a section that is a list.
        prefix: What stands before each key there, and not in the table.
    """
    for row in rows:
        key = f"{prefix}{row.key}"
        value = values.get(key)
        if value is None or value in row.nothing:
            continue
        told = f"{item} {key}" if item else key
        if row.setting:
            becomes = row.convert(value) if row.convert else value
            note = "" if value is False else row.reason
            found.propose(file, told, value, (section, item, row.setting), becomes, note)
        elif value not in (0, False, [], {}):
            found.leave(file, told, value, row.reason)


API: Final = (
    Row("httpEnable", "http_enable"),
    Row("httpPort", "http_port"),
    Row("httpsEnable", "https_enable"),
    Row("httpsPort", "https_port"),
    Row("messagePath", "message_path"),
    Row("blockingPath", "blocking_path"),
    Row("unblockingPath", "unblocking_path"),
    Row("smsPath", reason=_("commands to send SMS are taken at message_path, and always at /api/sms")),
    Row("emailPath", reason=_("commands to send e-mail are taken at message_path, and always at /api/email")),
    Row("otpPath", reason=_("commands of one-time passwords are taken at message_path, and always at /api/otp")),
)

_NEVER_USED: Final = _("the original keeps it, and never acts on it")
NOT_READ_ANY_MORE: Final = _("the original itself does not read this file any more")

SMS_FILE: Final = (
    Row("countryCode", "country_code", convert=str),
    Row(
        "recipientPrefixLength",
        reason=_("prefixes may be of any length here, and the longest wins; there only those of this length counted"),
    ),
    Row("logSMS", reason=_("the report always tells what was sent, and never a text")),
    Row("monitorSMS", reason=_("the monitor always shows what is sent, and never a text")),
    *(
        Row(key, reason=_NEVER_USED)
        for key in (
            "connectionType",
            "smsCenter",
            "imei",
            "simCardPIN",
            "incommingInterval",
            "timeRange",
            "maxPerTimeRange",
        )
    ),
)

_OF_THE_SYSTEM: Final = _("the operating system of the device sets the clock by the network")
GENERAL: Final = (
    Row("deviceTimeZone", "time_zone"),
    Row("deviceName", reason=_("a device is called by its host name, which the operating system keeps")),
    Row("ntpServer", reason=_OF_THE_SYSTEM),
    Row("ntpUpdateInterval", reason=_OF_THE_SYSTEM),
    Row("inspectModemInterval", reason=_("modems are watched all the time, and recover by themselves")),
    Row("restartService", reason=_("it needs no restart by the clock")),
    Row("restartDevice", reason=_("it needs no restart by the clock")),
)

_NETWORK: Final = _("addresses of the device are set in its operating system, not by this version")
_DDNS: Final = _("dynamic DNS is not part of this version")
_MAIL: Final = _("e-mail accounts are set anew, once a plugin sends e-mail; this version comes with none")
WHY_NOT: Final[Mapping[str, str]] = {
    "dhcpd.json": _NETWORK,
    "wlan.json": _NETWORK,
    "ethernet.json": _NETWORK,
    "firewall.json": _(
        "open what is needed with the firewall's settings; the ports of services are open by themselves"
    ),
    "ddns.json": _DDNS,
    "cloudflare.json": _DDNS,
    "noip.json": _DDNS,
    "dynu.json": _DDNS,
    "afraid.json": _DDNS,
    "sender-account.json": _MAIL,
    "smtp.json": _("a local SMTP server is not part of this version"),
    "bell-config.json": _("there is no bell: what needs a person is on the first page"),
    "keystores.json": _(
        "a Java keystore cannot be read here: export key and certificate as PEM (keytool, openssl), and set "
        "certificate_file and private_key_file of ingress-rest; without that the device has a certificate of its own"
    ),
    "subscriber-activemq.json": _(
        "OpenWire is not spoken here; ActiveMQ speaks STOMP, too (port 61613): set it at ingress-stomp"
    ),
    "subscriber-redison.json": NOT_READ_ANY_MORE,
    "subscriber-redisson.json": NOT_READ_ANY_MORE,
}
"""Files of which nothing is taken, and why."""

FEEDERS_OLD: Final = {"feeder-amqp.json": "subscriber-amqp.json", "feeder-ws.json": "subscriber-ws.json"}
"""Files of an earlier version, and what replaced each."""


def each_value(value: Any) -> Iterator[Any]:
    """Yield each value of an object, of objects in a list, or of objects in an object."""
    items = value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
    for one in items:
        if isinstance(one, dict):
            yield from one.values()
        else:
            yield one
