"""The dialogue that gets a data connection, as a script for chat(8), and what chat says where it fails."""

import re
from collections.abc import Mapping

from otppi.api.internet import Dialling, InternetDown
from otppi_internet_ppp.text import _

_REFUSALS: Mapping[str, str] = {
    "NO CARRIER": _("the network refused the data connection (NO CARRIER): wrong APN, no credit, or no coverage"),
    "BUSY": _("the network is busy (BUSY)"),
    "NO ANSWER": _("the network did not answer (NO ANSWER)"),
    "NO DIALTONE": _("the modem has no network (NO DIALTONE)"),
    "NO DIAL TONE": _("the modem has no network (NO DIAL TONE)"),
    "ERROR": _("the modem refused a command (ERROR): the APN, an init command, or the dial number"),
}
_COMMAND_TIMEOUT = 10
_PRINTABLE = re.compile(r"[ -~]+")
_COMMAND = re.compile(r"AT[ -~]*", re.IGNORECASE)
_DIAL_COMMAND = re.compile(r"ATD[TP]?", re.IGNORECASE)
_DIAL_NUMBER = re.compile(r"[0-9A-D*#+,]{1,40}", re.IGNORECASE)
_APN = re.compile(r"[A-Za-z0-9._-]{1,100}")
_CONTEXT = re.compile(r"\*99\*\*\*([0-9]{1,2})#")
_CDMA = "#777"


def chat_script(dialling: Dialling, timeout: int) -> str:
    """Write the script: an empty init, the APN, the init commands of the settings, and the call.

    Echo is switched off first, since chat finds what it expects anywhere in a line. The APN is defined before the init
    commands, so that one of them may define it in another way (3GPP TS 27.007 10.1.1).

    Args:
        dialling: What is sent.
        timeout: Seconds that the network may take to connect.

    Raises:
        InternetDown: A setting cannot be used.
    """
    _check("apn", dialling.apn, _APN)
    _check("dial_command", dialling.dial_command, _DIAL_COMMAND)
    _check("dial_number", dialling.dial_number, _DIAL_NUMBER)
    for line in dialling.init:
        _check("init_dial", line, _COMMAND)
    context = _CONTEXT.fullmatch(dialling.dial_number)
    apn = f'AT+CGDCONT={context[1] if context else 1},"IP","{dialling.apn}"'
    # CDMA has no contexts, and its modems would refuse the command.
    commands = [*(() if dialling.dial_number == _CDMA else (apn,)), *dialling.init]
    lines = [f"TIMEOUT {_COMMAND_TIMEOUT}", *(f'ABORT "{refusal}"' for refusal in _REFUSALS), '"" "ATE0"']
    lines += [f'"OK" {quoted(command)}' for command in commands]
    lines += [f'"OK" {quoted(dialling.dial_command + dialling.dial_number)}', f"TIMEOUT {timeout}", r'"CONNECT" "\c"']
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    r"""Write a text so that chat sends it as it is: no `\`, `^`, `@`, `$` or quote of it means anything.

    Example:
        >>> quoted("ATD*99#")
        '"ATD\\05299\\043"'
    """
    if not _PRINTABLE.fullmatch(text):
        raise InternetDown(_("an AT command holds printable ASCII only"))
    return '"' + "".join(one if one.isalnum() else f"\\{ord(one):03o}" for one in text) + '"'


def refusal(line: str) -> str | None:
    """Read what chat says where it fails: `Failed (NO CARRIER)`, or `Failed` after a time-out; None for other lines."""
    found = re.fullmatch(r"Failed(?: \((.*)\))?", line.strip())
    if found is None:
        return None
    return _REFUSALS.get(found[1] or "", _("there was no answer in time: it is no AT port, or the network is too slow"))


def _check(name: str, text: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(text):
        raise InternetDown(_("the setting {name} cannot be used for dialling", name=name))
