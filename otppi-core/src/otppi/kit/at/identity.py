"""Who answers on an AT channel: manufacturer, model, IMEI, IMSI, ICCID, MSISDN, SMSC (3GPP TS 27.007 5, 7.1, 27.005).

Modems say other things too between a command and its answer, some in lines that no table knows (`_OUWCTI: 4`,
wammu#27): so the line is looked for that has the form of what was asked for.
"""

import re
from collections.abc import Callable, Iterable

from otppi.api.modem import ModemIdentity
from otppi.kit.at.channel import AtChannel
from otppi.kit.at.smsc import number_in

_IMEI = 15
_WITHOUT_CHECK_DIGIT = 14
_LONGEST = 64
_ASKED = 3
_SHORTEST_NAME = 3
_NAME = re.compile(r"([^A-Za-z0-9\s\"]*)([A-Z][A-Z0-9_]*): *")
_OWN_NUMBER = re.compile(r'\+CNUM: *(?:"[^"]*"|[^",]*),"?(?P<number>\+?[0-9]{3,20})"?,(?P<type>[0-9]+)')
_INTERNATIONAL = "145"
_ISSUER = "89"
"""What every ICCID begins with (ITU-T E.118)."""


def identify(channel: AtChannel, iccid: Iterable[str]) -> ModemIdentity:
    """Read what never changes while the modem is open; `iccid` are the commands that may tell the ICCID, in turn."""
    return ModemIdentity(
        manufacturer=_ask(channel, "AT+CGMI", str),
        model=_ask(channel, "AT+CGMM", str),
        revision=_ask(channel, "AT+CGMR", str),
        imei=read_imei(channel),
        imsi=_ask(channel, "AT+CIMI", _imsi_in),
        iccid=next(filter(None, (_ask(channel, line, iccid_in) for line in iccid)), ""),
        msisdn=msisdn_in(channel.attempt("AT+CNUM") or ()),
        smsc=number_in(channel.attempt("AT+CSCA?") or ()),
    )


def read_imei(channel: AtChannel) -> str:
    """Read the IMEI, which most modems tell before their SIM is open; empty where it does not tell.

    Some say a serial number of their maker's to AT+CGSN (27.007 5.4), and the IMEI only when it is asked for.
    """
    return _ask(channel, "AT+CGSN", _imei_in) or _ask(channel, "AT+CGSN=1", _imei_in)


def same_imei(one: str, other: str) -> bool:
    """Whether two IMEIs are one modem's, told with or without check digit, or as IMEISV (3GPP TS 23.003 6.2)."""
    if len(one) == len(other) == _IMEI:
        return one == other
    return bool(one) and one[:_WITHOUT_CHECK_DIGIT] == other[:_WITHOUT_CHECK_DIGIT]


def _ask(channel: AtChannel, command: str, form: Callable[[str], str]) -> str:
    """Return what the modem says to a command, in its form; empty where it does not tell.

    Where no line has the form, or several have, it is asked again: what was said in between does not come each time.
    """
    found: list[str] = []
    for _ in range(_ASKED):
        lines = channel.attempt(command)
        if not lines:
            break
        said = list(dict.fromkeys(filter(None, (form(_bare(line, command)) for line in lines))))
        found = [one for one in found if one in said] or said or found
        if len(found) == 1:
            break
    return found[0][:_LONGEST] if found else ""


def _bare(line: str, command: str) -> str:
    """Take a line without the command's name before it and without quotes; empty where it is noise or another's."""
    if not line.isprintable() or "\ufffd" in line:  # modems.md 32
        return ""
    name = _NAME.match(line)
    if name and name[1]:  # letters alone are no result code: "Revision:1418B05SIM800L24"
        if not _is_same(name[2], command[3:].partition("=")[0].rstrip("?")):
            return ""
        line = line[name.end() :]
    return line.strip().strip('"').strip()


def _is_same(name: str, command: str) -> bool:
    """Whether an information line's name is a command's: some say `+ICCID:` to AT+CICCID, `+GSN:` to AT+CGSN."""
    return len(name) >= _SHORTEST_NAME and (name.endswith(command) or command.endswith(name))


def _imei_in(text: str) -> str:
    """Find 14 to 17 digits: an IMEI with or without its check digit, or an IMEISV; some say `IMEI:` before it."""
    found = re.search(r"(?<![0-9A-Za-z])[0-9]{14,17}(?![0-9A-Za-z])", text)
    return found[0] if found else ""


def _imsi_in(text: str) -> str:
    return text if re.fullmatch("[0-9]{6,15}", text) else ""


def msisdn_in(lines: Iterable[str]) -> str:
    """Find the first number in an answer to AT+CNUM (3GPP TS 27.007 7.1): many cards hold none, or an empty one.

    Example:
        >>> msisdn_in(['+CNUM: "Own","6281200000001",145'])
        '+6281200000001'
    """
    for line in lines:
        found = _OWN_NUMBER.match(line)
        if found:
            plus = "+" if found["type"] == _INTERNATIONAL and not found["number"].startswith("+") else ""
            return f"{plus}{found['number']}"
    return ""


def iccid_in(text: str) -> str:
    """Find an ICCID. Some modems give its octets as the SIM stores them: the halves swapped, and filled with F.

    Example:
        >>> iccid_in("980000000000003073F2")
        '8900000000000003372'
    """
    found = re.search(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{18,20}(?![0-9A-Za-z])", text)
    if not found:
        return ""
    digits = found[0].upper()
    swapped = "".join(one + other for one, other in zip(digits[1::2], digits[::2], strict=False))
    if not digits.startswith(_ISSUER) and swapped.startswith(_ISSUER):
        digits = swapped
    digits = digits.rstrip("F")
    return digits if digits.isdigit() or digits.startswith(_ISSUER) else ""
