"""The settings of a modem for USSD, its SIM card's balance, and the commands that it is opened with."""

import re

from otppi.api.settings import Input, grouped, number, text, text_list
from otppi.host.modems.balance_pattern import CODE, problem_of_pattern
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


def _code_problem(code: str) -> str | None:
    return (
        None if not code or re.fullmatch(CODE, code) else _("must be a code such as *123#, or *123#>1>2 with replies")
    )


INIT_COMMANDS = text_list(
    "init_commands",
    _("Init Commands"),
    _("AT commands that are run each time the modem is opened; one that is refused is shown, and does no harm else."),
    check=_commands_problem,
    input=Input.COMMAND,
    group="expert",
    advanced=True,
)


USSD_SETTINGS = grouped(
    "ussd",
    number(
        "ussd_timeout",
        _("USSD time-out"),
        _("How long the network may take to answer a USSD code, and a person to reply."),
        60.0,
        minimum=1,
        maximum=120,
        unit=_("s"),
        input=Input.DURATION,
        advanced=True,
    ),
    text(
        "balance_ussd",
        _("Balance USSD"),
        _("USSD code that tells the SIM card's balance, such as *123#; replies to a menu follow behind >: *123#>1>2."),
        check=_code_problem,
    ),
    text(
        "balance_pattern",
        _("Balance pattern"),
        _("Regular expression with one group around the number in the answer; where empty, the first number is taken."),
        check=problem_of_pattern,
        input=Input.REGEX,
        advanced=True,
        enabled_by="balance_ussd",
    ),
    number(
        "balance_low",
        _("Low balance"),
        _("A balance below this raises the alarm; 0: none does."),
        0.0,
        minimum=0,
        maximum=1_000_000_000_000,
        enabled_by="balance_ussd",
    ),
    number(
        "balance_every",
        _("Balance interval"),
        _("How often the balance is read, while no message waits for the modem; 0: only when somebody asks for it."),
        0.0,
        minimum=0,
        maximum=8784,
        unit=_("h"),
        input=Input.DURATION,
        enabled_by="balance_ussd",
    ),
)
