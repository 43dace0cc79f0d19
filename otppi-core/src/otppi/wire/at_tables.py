"""Owns the literal tables of the AT dialogue: states, final results, URC names, and which lines own the next one."""

import re
from collections.abc import Mapping
from enum import Enum

from otppi.wire.at_events import FinalResult, ResultKind
from otppi.wire.cme_cms import cme_code_of_text, cms_code_of_text


class DialogueState(Enum):
    """Where the dialogue with the modem stands."""

    IDLE = "idle"
    """No command is outstanding."""
    REPLY = "awaiting the final result"
    """A command, or the PDU after a prompt, was written."""
    ARMED = "awaiting the prompt"
    """A command that is answered with a prompt was written."""
    PROMPTED = "at the prompt"
    """The modem waits for the PDU."""
    STALE = "out of step"
    """A command was given up: its final result may still come and must not be taken for the next one's."""
    PROBING = "getting into step"
    """A probe was written; only a final result behind the probe's own information line counts."""

    __hash__ = object.__hash__  # there is one of each; Enum's own is a function in Python, and each step looks up two


class Step(Enum):
    """What moves the dialogue from one state to the next."""

    COMMAND = "a command"
    PROMPTING_COMMAND = "a command with a prompt"
    PROMPT = "a prompt"
    PAYLOAD = "a payload"
    FINAL = "a final result"
    GIVE_UP = "giving up"
    PROBE = "a probe"
    RESYNCHRONISED = "a declaration that the line is quiet"

    __hash__ = object.__hash__


TRANSITIONS: Mapping[DialogueState, Mapping[Step, DialogueState]] = {
    DialogueState.IDLE: {
        Step.COMMAND: DialogueState.REPLY,
        Step.PROMPTING_COMMAND: DialogueState.ARMED,
        Step.GIVE_UP: DialogueState.STALE,
        Step.RESYNCHRONISED: DialogueState.IDLE,
    },
    DialogueState.REPLY: {Step.FINAL: DialogueState.IDLE, Step.GIVE_UP: DialogueState.STALE},
    DialogueState.ARMED: {
        Step.PROMPT: DialogueState.PROMPTED,
        Step.FINAL: DialogueState.IDLE,
        Step.GIVE_UP: DialogueState.STALE,
    },
    DialogueState.PROMPTED: {
        Step.PAYLOAD: DialogueState.REPLY,
        Step.FINAL: DialogueState.IDLE,
        Step.GIVE_UP: DialogueState.STALE,
    },
    DialogueState.STALE: {
        Step.GIVE_UP: DialogueState.STALE,
        Step.PROBE: DialogueState.PROBING,
        Step.RESYNCHRONISED: DialogueState.IDLE,
    },
    DialogueState.PROBING: {
        Step.FINAL: DialogueState.IDLE,
        Step.GIVE_UP: DialogueState.STALE,
        Step.PROBE: DialogueState.PROBING,
        Step.RESYNCHRONISED: DialogueState.IDLE,
    },
}

# Queries that every 3GPP modem answers without a PIN, each with an information line that no other one of them and
# no URC begins with: the line proves whose final result follows. They take turns, so that the late answer to one
# probe does not prove the next.
PROBES: tuple[tuple[str, str], ...] = (("AT+CMEE?", "+CMEE:"), ("AT+CSCS?", "+CSCS:"), ("AT+CSMS?", "+CSMS:"))

# Whole lines only: "OKAY" or "NO ERROR" are texts. COMMAND NOT SUPPORT and NA: modems.md item 9.
FINAL_LINES: Mapping[str, FinalResult] = {
    line: FinalResult(kind, None, line)
    for line, kind in (
        ("OK", ResultKind.OK),
        ("ERROR", ResultKind.ERROR),
        ("TOO MANY PARAMETERS", ResultKind.ERROR),
        ("COMMAND NOT SUPPORT", ResultKind.NOT_SUPPORTED),
        ("COMMAND NOT SUPPORTED", ResultKind.NOT_SUPPORTED),
        ("NA", ResultKind.NOT_SUPPORTED),
    )
}

# Final results with a cause behind a colon (27.007 9.1, 27.005 3.2.5; the last two are vendors').
ERROR_NAMES: Mapping[str, ResultKind] = {
    "+CME ERROR": ResultKind.CME,
    "+CMS ERROR": ResultKind.CMS,
    "+EXT ERROR": ResultKind.ERROR,
    "MODEM ERROR": ResultKind.ERROR,
}

# Final results of a call (V.250 5.7.1); to any other command they are news of another call: URCs.
CALL_RESULTS: Mapping[str, ResultKind] = {
    "CONNECT": ResultKind.CONNECT,
    "NO CARRIER": ResultKind.NO_CARRIER,
    "BUSY": ResultKind.BUSY,
    "NO ANSWER": ResultKind.NO_ANSWER,
    "NO DIALTONE": ResultKind.NO_DIALTONE,
    "NO DIAL TONE": ResultKind.NO_DIALTONE,
}
# What says that a message was taken; also when nobody waits for it any more.
SENT = ("+CMGS:", "+CMGW:")

CALL_COMMANDS = ("ATD", "ATA", "ATO", "AT+CGDATA")

URC_NAMES: frozenset[str] = frozenset(
    (
        # 3GPP TS 27.005 3.4.1: messages
        *("+CMTI", "+CDSI", "+CBMI", "+CMT", "+CDS", "+CBM"),
        # 3GPP TS 27.007: registration, calls, supplementary services, packet domain, time, state of the equipment
        *("+CREG", "+CGREG", "+CEREG", "+C5GREG", "+CRING", "+CLIP", "+COLP", "+CCWA", "+CCWV", "+CLCC", "+CDIP"),
        *("+CSSI", "+CSSU", "+CUSD", "+CGEV", "+CNAP", "+CTZV", "+CTZE", "+CTZEU", "+CTZDST", "+CIEV", "+CKEV"),
        *("+CPIN", "+CFUN", "+CSCON", "+CALV", "+CDEV", "+CIREPI", "+CNEC_EMM", "+CNEC_ESM", "+CMWI", "+CBC"),
        # V.250, and calls that end while another command runs
        *("RING", *CALL_RESULTS),
        # Huawei, ZTE and their kin (modems.md item 6)
        *("^RSSI", "^BOOT", "^MODE", "^HCSQ", "^DSFLOWRPT", "^SIMST", "^SRVST", "^STIN", "^SMMEMFULL", "^NWTIME"),
        *("^LTERSRP", "^CSNR", "^RSSILVL", "^HRSSILVL", "^NDISSTAT", "^ORIG", "^CONF", "^CONN", "^CEND", "^THERM"),
        *("^ANLEVEL", "^CERSSI", "^RFSWITCH", "^SYSINFO", "^PLMN", "^CSSU", "^LWURC", "^SIMREFRESH", "^XLEMA"),
        *("+ZUSIMR", "+ZPASR", "+ZDONR", "+ZMSRI", "+ZEND", "#STN"),
        # SIMCom
        *("RDY", "Call Ready", "SMS Ready", "SMS DONE", "PB DONE", "SMS FULL", "NORMAL POWER DOWN", "POWER DOWN"),
        *("UNDER-VOLTAGE POWER DOWN", "UNDER-VOLTAGE WARNNING", "OVER-VOLTAGE POWER DOWN", "+CSMINS", "+CSQN"),
        *("*PSUTTZ", "*PSNWID", "DST", "+CCALR", "+CPSI", "+CNSMOD", "+SIMCARD", "VOICE CALL", "MISSED_CALL"),
        # Quectel, Telit, u-blox, Sierra and Cinterion
        *("+QIND", "+QUSIM", "+QSIMSTAT", "+QNWLOCK", "POWERED DOWN", "+PBREADY", "#QSS", "#CEND", "#NITZ"),
        *("+UUSIMSTAT", "+UMWI", "+UREG", "+WIND", "^SYSSTART", "^SHUTDOWN", "^EXIT", "^SYSLOADING", "^SBC"),
        *("*ATREADY", "*EMRDY", "*E2STKEV", "*MGSMREADY"),
    )
)

# URCs with a quoted text that may hold line ends (27.007 7.15; modems.md item 28), and its end: the closing quote,
# with or without the data coding scheme behind it.
QUOTED_URC = "+CUSD:"
_QUOTE_AND_DCS = re.compile(r'"\s*,\s*\d+\s*$')
_QUOTE = re.compile(r'"\s*,?\s*$')

# Lines that own the next one: 27.005 3.4.1 (URCs), 4.1 (+CMGL), 4.2 (+CMGR).
URCS_WITH_BODY = frozenset({"+CMT", "+CDS", "+CBM"})
REPLIES_WITH_BODY = frozenset({"+CMGL", "+CMGR"})

# Text mode's form of such a line: its <stat> in words, a time stamp, or the five numbers of a cell broadcast. Every
# other one is PDU mode's, whichever of its fields it leaves out ("+CMGR: ,,27", a ZTE's).
_TEXT_MODE = re.compile(r'"\d\d/\d\d/\d\d,|"(?:REC|STO) |\+CBM: *\d+, *\d+')
_EMPTY = re.compile(r"[^1-9]*0[^1-9]*")

_NAMED = re.compile(r"[+^*#$%&][A-Z][A-Z0-9]*")
_QUERIED = re.compile(rf"({_NAMED.pattern})(?==?\?|;|$)")


class BodyForm(Enum):
    """What kind of line follows an information line."""

    NONE = "no line"
    PDU = "hexadecimal digits"
    TEXT = "any line"


def body_form(name: str, line: str, owners: frozenset[str]) -> BodyForm:
    """Return what follows ``line``, whose name is ``name``, if it is one of ``owners``: one of the two sets above."""
    if name not in owners:
        return BodyForm.NONE
    if _TEXT_MODE.search(line):
        # A text mode status report is one line (27.005 3.4.1); all others have their text on the next.
        return BodyForm.NONE if name == "+CDS" else BodyForm.TEXT
    # An empty storage location reads as "+CMGR: 0,,0" and nothing more.
    return BodyForm.NONE if _EMPTY.fullmatch(line) else BodyForm.PDU


def is_text_form(name: str, line: str) -> bool:
    """Return whether a URC that owns the next line is in text mode's form: then the modem is not in PDU mode."""
    return body_form(name, line, URCS_WITH_BODY) is BodyForm.TEXT


def is_open_quote(text: str) -> bool:
    """Return whether the quoted text of a +CUSD goes on in the next line.

    Quotes inside the text are not escaped by modems: an end without data coding scheme counts only if it makes
    the quotes even.
    """
    quotes = text.count('"')
    if quotes == 0:
        return False
    return not (quotes > 1 and (_QUOTE_AND_DCS.search(text) or (quotes % 2 == 0 and _QUOTE.search(text))))


def queried_prefixes(command: str) -> tuple[str, ...]:
    """Return how the information lines of a query begin: ``AT+CREG?`` gives ``("+CREG:",)``, a setting nothing."""
    return tuple(f"{name}:" for name in _QUERIED.findall(command.upper()))


def named_prefixes(command: str) -> tuple[str, ...]:
    """Return how all lines begin that bear a name of the command line: ``AT+CMGR=1`` gives ``("+CMGR:",)``."""
    return tuple(f"{name}:" for name in _NAMED.findall(command.upper()))


def final_result(line: str, *, calls: bool = False) -> FinalResult | None:
    """Read a whole line as a final result, or tell with None that it is none.

    Args:
        line: The line, without its end and without blanks around it.
        calls: Whether the outstanding command is one that makes or takes a call.
    """
    known = FINAL_LINES.get(line)
    if known is not None:
        return known
    name, _, cause = line.partition(":")
    kind = ERROR_NAMES.get(name)
    if kind is not None:
        return FinalResult(kind, _code(kind, cause.strip()), line)
    if calls:
        called = CALL_RESULTS.get(line) or (ResultKind.CONNECT if line.startswith("CONNECT ") else None)
        return FinalResult(called, None, line) if called else None
    return None


def _code(kind: ResultKind, cause: str) -> int | None:
    """Read the cause of an error: numeric (+CMEE=1) or verbose (+CMEE=2), whichever the modem prefers."""
    if cause.isascii() and cause.isdigit():
        return int(cause) if len(cause) <= 5 else None
    if kind is ResultKind.CME:
        return cme_code_of_text(cause)
    return cms_code_of_text(cause) if kind is ResultKind.CMS else None
