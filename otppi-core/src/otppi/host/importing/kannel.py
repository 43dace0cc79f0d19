"""The configuration of Kannel (`kannel.conf`): groups, of which modems and the users of sendsms are something here."""

import re
from collections.abc import Mapping
from typing import Any, Final

from otppi.host.importing.findings import Findings, ImportOutcome, Names, as_bool, as_number
from otppi.host.importing.ini import Block, groups
from otppi.host.importing.linux_programs import NO_PORT, NOT_GIVEN, NOT_NEEDED, SENDERS, beside, block_listed
from otppi.text import _

_GROUP: Final = re.compile(r"^[^\S\n]*group[^\S\n]*=[^\S\n]*\"?[a-z]", re.MULTILINE | re.IGNORECASE)
"""Each blank within its own line: those of empty lines would be tried anew from each of these on."""
_UNIFIED: Final = re.compile(r"\+([1-9][0-9]{0,2})((,[0-9]+)*)")
_MODEM_TYPES: Final = {"wavecom": "wavecom", "huawei": "huawei", "quectel": "quectel", "simcom": "simcom", "zte": "zte"}


def is_kannel(text: str) -> bool:
    """Return whether a text is a configuration of Kannel, or a part of one."""
    return _GROUP.search(text) is not None


def read_kannel(files: Mapping[str, str]) -> Findings:
    """Read its files, by their labels."""
    found = Findings()
    own = {label: groups(text) for label, text in files.items() if is_kannel(text)}
    modems = {block.get("id"): block for blocks in own.values() for block in blocks if block.name == "modems"}
    reader = _Groups(found, files, modems)
    for label, blocks in own.items():
        for block in blocks:
            reader.read(label, block)
    return found


class _Groups:
    """Reads one group after the other.

    Args:
        found: What is noted in.
        files: All that were given.
        modems: The groups that describe kinds of modems, by their ids.
    """

    def __init__(self, found: Findings, files: Mapping[str, str], modems: Mapping[str, Block]) -> None:
        self._found = found
        self._files = files
        self._modems = modems
        self._names = Names()
        self._count = 0

    def read(self, file: str, block: Block) -> None:
        """Note what becomes of a group."""
        if (include := block.get("include")) and beside(self._files, include) is None:
            self._found.leave(file, "include", include, NOT_GIVEN, ImportOutcome.ASK)
        if block.name in ("", "modems"):
            return
        if block.name == "smsc":
            self._smsc(file, block)
        elif block.name == "sendsms-user":
            self._user(file, block)
        elif block.name in ("core", "smsbox"):
            self._common(file, block)
        elif block.name == "sms-service":
            reason = _("what comes in is kept in the inbox, and the webhook tells a server of it")
            self._found.leave(file, "sms-service", block.get("keyword", "name") or "-", reason)
        else:
            self._found.leave(file, block.name, block.values, NOT_NEEDED)

    # -- modems -----------------------------------------------------------------------------------------------------

    def _smsc(self, file: str, block: Block) -> None:
        self._count += 1
        written = block.get("smsc-id", "id")
        kind, device = block.get("smsc").casefold(), block.get("device")
        told = written or f"smsc {self._count}"
        if kind != "at":
            reason = _("a connection to an operator over the network is none of a modem, and is not made here")
            self._found.leave(file, told, kind or "-", reason)
        elif not device or device == "/dev/null":
            self._found.leave(file, f"{told} device", device or "-", NO_PORT, ImportOutcome.ASK)
        elif device.casefold() == "rawtcp":
            reason = _("a modem on the network cannot be driven: plug it into the device")
            self._found.leave(file, f"{told} device", device, reason, ImportOutcome.REFUSED)
        else:
            name = self._names.name(written, f"kannel {self._count}")
            self._modem(file, name, block)

    def _modem(self, file: str, name: str, block: Block) -> None:
        def propose(key: str, value: str, setting: str, becomes: Any = None, note: str = "") -> None:
            self._found.propose(file, f"{name} {key}", value, ("modems", name, setting), becomes, note)

        propose("smsc-id", block.get("smsc-id", "id"), "name", name)
        kind = self._modems.get(block.get("modemtype"), Block(""))
        if (init := kind.get("init-string")) and not block.get("init-string"):
            propose("init-string", init, "init_commands", [init])
        if (speed := kind.get("speed")) and not block.get("speed"):
            propose("speed", speed, "baud_rate", as_number(speed))
        prefixes = [one for key in ("allowed-prefix", "preferred-prefix") for one in _prefixes(block.get(key))]
        if prefixes:
            propose("allowed-prefix", ", ".join(prefixes), "recipient_prefixes", list(dict.fromkeys(prefixes)))
        for key, value in block.values.items():
            if key in _MODEM:
                setting, convert = _MODEM[key]
                propose(key, value, setting, convert(value))
            elif key == "modemtype":
                self._type(file, name, value)
            elif key not in ("smsc", "smsc-id", "id", "allowed-prefix", "preferred-prefix", "include"):
                self._found.leave(file, f"{name} {key}", value, _modem_reason(key))

    def _type(self, file: str, name: str, value: str) -> None:
        kind = next((kind for word, kind in _MODEM_TYPES.items() if word in value.casefold()), None)
        if kind is None:
            self._found.leave(
                file, f"{name} modemtype", value, _("such a modem is driven as any that speaks AT commands")
            )
        else:
            self._found.propose(file, f"{name} modemtype", value, ("modems", name, "type"), kind)

    # -- users, and what holds for all ------------------------------------------------------------------------------

    def _user(self, file: str, block: Block) -> None:
        username = block.get("username")
        if not username:
            reason = _("a user without a name cannot log in")
            self._found.leave(file, "sendsms-user", block.values, reason, ImportOutcome.REFUSED)
            return
        for key, value in block.values.items():
            told = f"{username} {key}"
            if key in ("username", "password"):
                self._found.propose(file, told, value, ("api_users", username, key))
            elif key in ("user-allow-ip", "user-deny-ip"):
                reason = _("a user may send from any address: close the port to others in the firewall")
                self._found.leave(file, told, value, reason)
            elif key in ("forced-smsc", "default-smsc", "allowed-prefix", "denied-prefix"):
                reason = _("the receiver's prefix chooses the modem, whoever sends")
                self._found.leave(file, told, value, reason)
            else:
                self._found.leave(file, told, value, NOT_NEEDED)

    def _common(self, file: str, block: Block) -> None:
        for key, value in block.values.items():
            told, number = f"{block.name} {key}", as_number(value)
            if key == "unified-prefix" and (country := _country(value)):
                self._found.propose(file, told, value, ("sms", "", "country_code"), country)
            elif key == "black-list":
                block_listed(self._found, self._files, file, told, value)
            elif key == "sms-resend-retry" and number != -1:
                self._found.propose(
                    file, told, value, ("sms", "", "attempts"), number + 1 if _is_whole(number) else number
                )
            elif key == "sms-outgoing-queue-limit":
                self._found.propose(file, told, value, ("sms", "", "queue_size"), number)
            elif key in ("sendsms-port", "sendsms-url", "admin-port"):
                reason = _("the requests of senders are others here: see docs/coming-from.md")
                self._found.leave(file, told, value, reason)
            else:
                self._found.leave(file, told, value, SENDERS if key == "store-file" else NOT_NEEDED)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _per_minute(value: str) -> Any:
    """Return messages a second as messages a minute."""
    try:
        return round(float(value) * 60)
    except (ValueError, OverflowError):
        return value


def _not(value: str) -> Any:
    on = as_bool(value)
    return not on if isinstance(on, bool) else on


_MODEM: Final[Mapping[str, tuple[str, Any]]] = {
    "device": ("port", str),
    "speed": ("baud_rate", as_number),
    "pin": ("sim_card_pin", str),
    "my-number": ("msisdn", str),
    "sms-center": ("sms_center", str),
    "throughput": ("rate_per_minute", _per_minute),
    "init-string": ("init_commands", lambda value: [value]),
    "dead-start": ("active", _not),
}
"""What the keys of a modem become, and how their values are read."""


def _prefixes(value: str) -> list[str]:
    return [one.strip() for one in value.split(";") if one.strip()]


def _country(unified: str) -> str:
    """Return the country code of which a national number is one: `+62,0062,0` says 62."""
    for entry in unified.split(";"):
        found = _UNIFIED.fullmatch(entry.replace(" ", ""))
        if found and "0" in found[2].split(","):
            return found[1]
    return ""


def _modem_reason(key: str) -> str:
    if key == "denied-prefix":
        return _("a modem has prefixes that it sends to, and none that it does not")
    if key == "validityperiod":
        return _("how long a message counts is sms.default_lifetime: what is too late is not sent at all")
    return NOT_NEEDED
