"""The settings of a modem for USSD and its SIM card's balance."""

import re

from otppi.api.settings import Input, grouped, number, text, text_list
from otppi.host.modems.balance_pattern import CODE, problem_of_pattern
from otppi.text import _
from otppi.wire.ussd import is_code

USSD_TIMEOUT = 60.0
"""Seconds, where the settings of a modem say nothing else."""
MOST_QUICK_CODES = 20
_LONGEST_TITLE = 32


def _code_problem(code: str) -> str | None:
    return (
        None if not code or re.fullmatch(CODE, code) else _("must be a code such as *123#, or *123#>1>2 with replies")
    )


def quick_code(line: str) -> tuple[str, str]:
    """Return the title and the code of a quick code: `Balance: *123#`, or `*123#` alone, which is its own title."""
    title, _colon, code = line.rpartition(":")
    return title.strip() or code.strip(), code.strip()


def _quick_code_problem(lines: list[str]) -> str | None:
    if len(lines) > MOST_QUICK_CODES:
        return _("at most {most}", most=MOST_QUICK_CODES)
    for line in lines:
        title, code = quick_code(line)
        if not is_code(code) or not title.isprintable() or len(title) > _LONGEST_TITLE:
            return _("{line}: must be a code such as *123#, or a title and a code, such as Balance: *123#", line=line)
    return None


USSD_SETTINGS = grouped(
    "ussd",
    number(
        "ussd_timeout",
        _("USSD time-out"),
        _("How long the network may take to answer a USSD code, and a person to reply."),
        USSD_TIMEOUT,
        minimum=1,
        maximum=120,
        unit=_("s"),
        input=Input.DURATION,
        advanced=True,
    ),
    text_list(
        "quick_codes",
        _("Quick codes"),
        _("USSD codes that the page of the modem has a button for, such as Packages: *363#; else those of its type."),
        check=_quick_code_problem,
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
