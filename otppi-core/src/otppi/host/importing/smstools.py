"""The configuration of smstools3 (`smsd.conf`): what holds for all, queues by prefixes, a section for each modem."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from otppi.host.importing.findings import Findings, ImportOutcome, Names, as_bool, as_list, as_number, as_seconds
from otppi.host.importing.ini import Block, entries, sections
from otppi.host.importing.linux_programs import HANDLERS, NO_PORT, NOT_NEEDED, SENDERS, block_listed
from otppi.text import _

_WILDCARD: Final = re.compile(r"(\S+)\*\s*([0-9]{1,4})-([0-9]{1,4})")
_MOST_MODEMS: Final = 256
_NUMBERS_OF_QUEUE: Final = frozenset("123456789")
"""First digits: a queue that has them all takes whatever no other one takes."""
_DAY, _MINUTE = 1440, 1
_DIRECTORIES: Final = frozenset(["outgoing", "checked", "failed", "incoming", "report", "sent", "saved", "phonecalls"])
_HANDLERS: Final = frozenset(
    ["alarmhandler", "eventhandler", "checkhandler", "eventhandler_ussd", "regular_run", "child"]
)


def is_smstools(text: str) -> bool:
    """Return whether a text is a configuration of smstools3: it may be a long list beside one as well."""
    for _section, key, _value in entries(text):
        if key in ("", "devices"):
            return bool(key)
    return False


def read_smstools(files: Mapping[str, str]) -> Findings:
    """Read its files, by their labels."""
    found, names = Findings(), Names()
    for label, text in files.items():
        if is_smstools(text):
            _Configuration(found, names, files, label, sections(text)).read()
    return found


class _Configuration:
    """One `smsd.conf`."""

    def __init__(
        self, found: Findings, names: Names, files: Mapping[str, str], label: str, blocks: list[Block]
    ) -> None:
        self._found = found
        self._names = names
        self._files = files
        self._label = label
        self._all, *rest = blocks
        self._blocks = {block.name: block for block in rest}
        providers = self._blocks.get("providers") or self._blocks.get("provider") or Block("")
        self._prefixes = {name: as_list(value) for name, value in providers.values.items()}

    def read(self) -> None:
        """Note what becomes of it."""
        for key, value in self._all.values.items():
            self._global(key, value)
        for name in _devices(self._all.values["devices"]):
            block = self._blocks.get(name)
            if block is not None:
                self._modem(name, block)

    def _global(self, key: str, value: str) -> None:
        if key == "devices" or not value:
            return
        if key == "blacklist":
            block_listed(self._found, self._files, self._label, key, value)
        elif key == "whitelist":
            reason = _("there is a blocking list only; sms.countries says which countries may receive")
            self._found.leave(self._label, key, value, reason)
        elif key == "validity":
            reason = _("how long a message counts is sms.default_lifetime: what is too late is not sent at all")
            self._found.leave(self._label, key, value, reason)
        else:
            self._found.leave(self._label, key, value, _reason(key))

    def _modem(self, name: str, block: Block) -> None:
        own = self._names.name(name, name)
        device = block.get("device").replace("modemname", name)
        if not device:
            self._found.leave(self._label, f"{name} device", "-", NO_PORT, ImportOutcome.ASK)
            return
        if device.startswith("@"):
            reason = _("a modem on the network cannot be driven: plug it into the device")
            self._found.leave(self._label, f"{name} device", device, reason, ImportOutcome.REFUSED)
            return
        modem = _Modem(self._found, self._label, own)
        modem.propose(f"[{name}]", name, "name", own)
        modem.propose("device", block.get("device"), "port", device)
        modem.commands(block)
        modem.limits(block)
        modem.queues(as_list(block.get("queues").replace("modemname", name)), self._prefixes)
        for key, value in block.values.items():
            if value:
                modem.read(key, value)


def _devices(written: str) -> Iterator[str]:
    """Yield the names of the modems; `GSM* 101-164` stands for as many."""
    count = 0
    for entry in as_list(written):
        wild = _WILDCARD.fullmatch(entry)
        names = [f"{wild[1]}{number}" for number in range(int(wild[2]), int(wild[3]) + 1)] if wild else [entry]
        for name in names:
            count += 1
            if count > _MOST_MODEMS:
                return
            yield name


class _Modem:
    """One modem's section."""

    def __init__(self, found: Findings, file: str, name: str) -> None:
        self._found = found
        self._file = file
        self._name = name

    def propose(self, key: str, value: Any, setting: str, becomes: Any = None, note: str = "") -> None:
        """Note that a value becomes a setting of the modem."""
        self._found.propose(self._file, f"{self._name} {key}", value, ("modems", self._name, setting), becomes, note)

    def leave(self, key: str, value: Any, reason: str) -> None:
        """Note that a value becomes no setting."""
        self._found.leave(self._file, f"{self._name} {key}", value, reason)

    def commands(self, block: Block) -> None:
        """Note the commands that the modem is opened with."""
        given = {key: block.get(key) for key in ("init", "init1", "init2") if block.get(key)}
        if given:
            self.propose(", ".join(given), ", ".join(given.values()), "init_commands", list(given.values()))

    def limits(self, block: Block) -> None:
        """Note how much the modem may send."""
        limit, minutes = as_number(block.get("message_limit")), as_number(block.get("message_count_clear"))
        if not block.get("message_limit"):
            return
        if minutes == _DAY:
            self.propose("message_limit", limit, "daily_quota", note=_("segments are counted here, not messages"))
        elif minutes == _MINUTE:
            self.propose("message_limit", limit, "rate_per_minute")
        else:
            reason = _("limits here are for a minute, a day or a month: rate_per_minute, daily_quota, monthly_quota")
            self.leave("message_limit", f"{limit} / {minutes or '-'} min", reason)

    def queues(self, queues: list[str], prefixes: Mapping[str, list[str]]) -> None:
        """Note which receivers the modem sends to: the prefixes of its queues."""
        mine = [prefix for queue in queues for prefix in prefixes.get(queue.casefold(), [])]
        if not queues or not mine:
            return
        if set(mine) >= _NUMBERS_OF_QUEUE:
            self.propose("queues", ", ".join(queues), "default_modem", becomes=True)
            mine = [one for one in mine if len(one) > 1]
        short = [one for one in mine if not one.isdecimal()]
        for one in short:
            self.leave(f"queues {one}", one, _("short numbers have no prefix: they go by any modem"))
        if numbers := [one for one in mine if one not in short]:
            self.propose("queues", ", ".join(queues), "recipient_prefixes", numbers)

    def read(self, key: str, value: str) -> None:
        """Note what becomes of one value."""
        if key in ("device", "init", "init1", "init2", "message_limit", "message_count_clear", "queues"):
            return
        if key == "pin":
            if value.casefold() == "ignore":
                self.leave("pin", value, NOT_NEEDED)
            else:
                self.propose(key, value, "sim_card_pin")
        elif key == "smsc":
            self.propose(key, value, "sms_center")
        elif key == "baudrate":
            self.propose(key, value, "baud_rate", as_number(value))
        elif key == "rtscts":
            self.propose(key, value, "flow_control", {True: "rts-cts", False: "none"}.get(as_bool(value), value))
        elif key == "report":
            self.propose(key, value, "delivery_reports", False if value.casefold() == "disabled" else as_bool(value))
        elif key == "send_delay" and as_number(value) != 0:
            self.propose(key, value, "chunk_size", 1)
            self.propose(key, value, "chunk_pause", as_seconds(value))
        elif not self._switch(key, as_bool(value)):
            self.leave(key, value, _reason(key))

    def _switch(self, key: str, on: Any) -> bool:
        """Note what switches a modem off; return whether this did."""
        if (key, on) in (("outgoing", False), ("sending_disabled", True)):
            self.propose(key, on, "send_from_api", becomes=False)
        elif (key, on) == ("modem_disabled", True):
            self.propose(key, on, "active", becomes=False)
        else:
            return key in ("outgoing", "sending_disabled", "modem_disabled", "send_delay")
        return True


def _reason(key: str) -> str:
    if key in _DIRECTORIES:
        return _("messages that come in are always read, and kept in the inbox") if key == "incoming" else SENDERS
    return HANDLERS if key in _HANDLERS else NOT_NEEDED
