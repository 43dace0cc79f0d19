"""The setting of the AT commands that a modem is opened with, and what they must not do."""

import re

from otppi.api.settings import Input, text_list
from otppi.text import _

_LONGEST_COMMAND = 200
_COMMAND = re.compile(rf"AT[ -~]{{0,{_LONGEST_COMMAND}}}", re.IGNORECASE)
# What waits for a text or a call, locks the SIM, or changes the IMEI: it would leave a modem that nobody can use.
_NOT_HERE = re.compile(
    r"AT(?:D|A$|O|.*\+CMG[SW]|.*\+CMSS|.*\+CPIN|.*\+CPWD|.*\+CLCK|.*\+EGMR|.*\+SIMEI|.*\^DATALOCK)", re.IGNORECASE
)


def _commands_problem(commands: list[str]) -> str | None:
    for place, command in enumerate(commands, 1):
        if not _COMMAND.fullmatch(command):
            return _(
                "command {place} must be AT and at most {longest_command} printable ASCII characters",
                place=place,
                longest_command=_LONGEST_COMMAND,
            )
        if _NOT_HERE.match(command):
            return _("command {place} must not dial, send, or change SIM lock or IMEI", place=place)
    return None


INIT_COMMANDS = text_list(
    "init_commands",
    _("Init Commands"),
    _("AT commands that are run each time the modem is opened; one that is refused is shown, and does no harm else."),
    check=_commands_problem,
    input=Input.COMMAND,
    group="expert",
    advanced=True,
)
