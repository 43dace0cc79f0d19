"""The configuration of gammu-smsd: an INI file for each modem (`gammu-smsdrc`)."""

import re
from collections.abc import Mapping
from typing import Any, Final

from otppi.host.importing.findings import Findings, ImportOutcome, Names, as_bool, as_number
from otppi.host.importing.ini import Block, entries, sections
from otppi.host.importing.linux_programs import HANDLERS, NO_PORT, NOT_NEEDED, SENDERS
from otppi.text import _

_PLACEHOLDER: Final = "/dev/null"
"""The port in the configuration that Debian installs."""
_CONNECTION: Final = re.compile(r"at([0-9]*)")
_STORAGE: Final = frozenset(
    [
        "service",
        "driver",
        "user",
        "password",
        "host",
        "pc",
        "database",
        "sql",
        "driverspath",
        "dbdir",
        "inboxpath",
        "outboxpath",
        "sentsmspath",
        "errorsmspath",
        "inboxformat",
        "outboxformat",
        "transmitformat",
    ]
)
_RUN: Final = frozenset(["runonreceive", "runonfailure", "runonsent", "runonincomingcall"])


def is_gammu(text: str) -> bool:
    """Return whether a text is a configuration of gammu-smsd: it may be a long list beside that of another as well."""
    for section, key, value in entries(text):
        name = section.casefold()
        if name == "smsd" or (name == "gammu" and value and key in ("port", "device", "connection")):
            return True
    return False


def read_gammu(files: Mapping[str, str]) -> Findings:
    """Read its files, by their labels: each is a modem."""
    found, names = Findings(), Names()
    own = {label: text for label, text in files.items() if is_gammu(text)}
    for place, (label, text) in enumerate(own.items(), 1):
        blocks = {block.name.casefold(): block for block in sections(text)}
        gammu, smsd = blocks.get("gammu", Block("")), blocks.get("smsd", Block(""))
        modem = _Modem(found, label, names.name(smsd.get("phoneid"), f"gammu {place}"))
        if gammu.get("port", "device") in ("", _PLACEHOLDER):
            reason = NO_PORT
            found.leave(label, "gammu port", gammu.get("port", "device") or "-", reason, ImportOutcome.ASK)
            continue
        modem.read(gammu, smsd)
        for name in blocks.keys() - {"", "gammu", "smsd"}:
            found.leave(label, f"[{name}]", blocks[name].values, _filter_reason(name))
    return found


def _filter_reason(section: str) -> str:
    return _("what comes in is not filtered here") if section.startswith(("include", "exclude")) else SENDERS


class _Modem:
    """One file, read as a modem."""

    def __init__(self, found: Findings, file: str, name: str) -> None:
        self._found = found
        self._file = file
        self._name = name

    def read(self, gammu: Block, smsd: Block) -> None:
        """Note what becomes of both sections."""
        for key, value in gammu.values.items():
            self._gammu(key, value)
        if not smsd.get("phoneid"):
            self._propose("[smsd]", self._name, "name")
        for key, value in smsd.values.items():
            if value:
                self._smsd(key, value)

    def _propose(self, key: str, value: str, setting: str, becomes: Any = None, note: str = "") -> None:
        self._found.propose(self._file, key, value, ("modems", self._name, setting), becomes, note)

    def _leave(self, key: str, value: str, reason: str, outcome: ImportOutcome = ImportOutcome.NONE) -> None:
        self._found.leave(self._file, key, value, reason, outcome)

    def _gammu(self, key: str, value: str) -> None:
        if key in ("port", "device"):
            self._propose(key, value, "port")
        elif key != "connection":
            self._leave(key, value, NOT_NEEDED)
        elif speed := _CONNECTION.fullmatch(value.casefold()):
            self._propose(key, value, "baud_rate", int(speed[1] or 0))
        else:
            reason = _("only modems that speak AT commands on a serial port are driven here")
            self._leave(key, value, reason, ImportOutcome.REFUSED)

    def _smsd(self, key: str, value: str) -> None:
        if key == "phoneid":
            self._propose(key, value, "name", self._name)
        elif key == "pin":
            self._propose(key, value, "sim_card_pin")
        elif key == "smsc":
            self._propose(key, value, "sms_center")
        elif key == "send":
            self._propose(key, value, "send_from_api", as_bool(value))
        elif key == "deliveryreport":
            self._propose(key, value, "delivery_reports", value.casefold() != "no")
        elif key == "maxretries":
            attempts = as_number(value)
            becomes = attempts + 1 if isinstance(attempts, int) else attempts
            self._found.propose(self._file, key, value, ("sms", "", "attempts"), becomes)
        elif key == "multiparttimeout":
            self._found.propose(self._file, key, value, ("inbox", "", "incomplete_after"), as_number(value))
        else:
            self._leave(key, value, _reason(key))


def _reason(key: str) -> str:
    if key in _STORAGE:
        return SENDERS
    if key in _RUN:
        return HANDLERS
    if key == "sendtimeout":
        return _("what got no answer may have gone out, and is never sent again by itself: it is told as unconfirmed")
    if key in ("networkcode", "phonecode"):
        return _("a modem that is locked to a network or by a code has to be unlocked by hand")
    if key.startswith(("include", "exclude")):
        return _filter_reason(key)
    return NOT_NEEDED
