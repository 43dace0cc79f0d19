"""Owns the table of AT commands that the simulated modem obeys; sending is in `sending`."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from otppi.simulator import data, inbox, registration, sim_commands, storage, ussd
from otppi.simulator.answers import CallEndedError, Family, RefusedError, render
from otppi.simulator.device import SimulatedDevice
from otppi.simulator.request import AtRequest
from otppi.simulator.vendor_commands import VENDOR_COMMANDS, answer_of
from otppi.wire.charset import decode, encode

_COMMAND = re.compile(
    r"""\s*;?\s*(?:
        (?P<extended>[+^$\#%*][A-Z][A-Z0-9]*)\s*(?P<operation>=\?|\?|=(?P<argument>(?:"[^"]*"|[^;"])*))?
        |(?P<dial>D.*)
        |(?P<basic>[&\\]?[A-Z])(?P<value>[0-9]*)(?:=[0-9]*|\?)?
    )\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_ARGUMENT = re.compile(r'(?:^|,)\s*(?:"([^"]*)"|([^,"]*))')
_CHARSETS = ("IRA", "GSM", "UCS2", "HEX")
_ACCEPTED = frozenset("ZHVXQSLM") | {"&F", "&C", "&D", "&K", "&W", "\\Q"}


Handler = Callable[[AtRequest], Iterable[str]]


@dataclass(frozen=True, slots=True)
class ExtendedCommand:
    """What an extended command does: `test` is, or makes, the answer to `=?`; `family` is that of its errors."""

    handler: Handler
    test: str | Callable[[SimulatedDevice], str] | None = None
    needs_sim: bool = False
    family: Family = "CME"


def execute(peer: SimulatedDevice, line: str, now: float) -> bytes:
    """Obey a command line and return the whole answer (several commands in one line: ITU-T V.250 5.2)."""
    lines: list[str] = []
    try:
        for information in _each(peer, line[2:], now):
            lines += information
        lines.append("OK")
    except RefusedError as refusal:
        lines.append(refusal.line(peer.session.cmee))
    except CallEndedError as call:
        lines.append(call.result)
    return render(lines)


def _each(peer: SimulatedDevice, text: str, now: float) -> Iterator[Iterable[str]]:
    for command in _parsed(text):
        if command is None:
            raise RefusedError
        yield _basic(peer, command, now) if command.is_basic else _extended(peer, command, now)


class _Command(NamedTuple):
    """One command of a line: `operation` is "", "?", "=?" or "=", `argument` what stands behind that, as it came."""

    name: str
    operation: str
    argument: str
    arguments: tuple[str, ...]
    is_basic: bool


@lru_cache(maxsize=64)  # `AT+CMGF=0` comes with each message, and to read it takes as long as all else about its prompt
def _parsed(text: str) -> tuple[_Command | None, ...]:
    """Read what stands behind AT; None stands for what cannot be read, behind which nothing is."""
    commands: list[_Command | None] = []
    position = 0
    while position < len(text):
        match = _COMMAND.match(text, position)
        if not match:
            return (*commands, None)
        position = match.end()
        extended, dial, basic, operation = match["extended"], match["dial"], match["basic"], match["operation"] or ""
        if extended:
            sign = "=?" if operation == "=?" else operation[:1]
            argument = match["argument"] or ""
            commands.append(_Command(extended.upper(), sign, argument, _arguments(argument), is_basic=False))
        elif dial:
            commands.append(_Command("D", "", dial[1:], (), is_basic=True))
        else:
            commands.append(_Command(basic.upper(), "", match["value"], (), is_basic=True))
    return tuple(commands)


def _basic(peer: SimulatedDevice, command: _Command, now: float) -> Iterable[str]:
    name = command.name
    if name == "D":
        data.dial(peer, command.argument, now)
    elif name == "O":
        data.resume(peer, now)
    elif name == "H":
        data.hang_up(peer)
    elif name == "E":
        peer.session.echo = command.argument == "1" or peer.session.echo_stuck
    elif name == "I":
        profile = peer.profile
        return [profile.manufacturer, profile.model, f"Revision: {profile.revision}", f"IMEI: {profile.imei}"]
    elif name not in _ACCEPTED:
        raise RefusedError
    return ()


def _extended(peer: SimulatedDevice, command: _Command, now: float) -> Iterable[str]:
    name, operation = command.name, command.operation
    known = answer_of(peer, f"{name}{operation}{command.argument}".upper()) if peer.profile.answers else None
    if known is not None:
        return known
    obeyed = _find(peer, name)
    if obeyed is None:
        raise RefusedError
    if operation == "=?":
        test = obeyed.test(peer) if callable(obeyed.test) else obeyed.test
        return [f"{name}: {test}"] if test else ()
    try:
        if obeyed.needs_sim:
            peer.sim.require(now)
        return obeyed.handler(AtRequest(peer, name, operation, command.arguments, now))
    except RefusedError as refusal:
        if obeyed.family == "CMS":
            raise refusal.for_messages() from None
        raise


def _find(peer: SimulatedDevice, name: str) -> ExtendedCommand | None:
    command = COMMANDS.get(name) or (_ICCID if name in peer.profile.iccid_commands else None)
    if command is None and name in peer.profile.vendor_commands:
        return ExtendedCommand(VENDOR_COMMANDS[name])
    return command


def _arguments(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    return tuple(quoted or plain.strip() for quoted, plain in _ARGUMENT.findall(text))


def _identity(fact: Callable[[SimulatedDevice], str]) -> Handler:
    return lambda request: [fact(request.peer)]


def _own_number(request: AtRequest) -> Iterable[str]:
    """AT+CNUM: the number that the SIM card holds (3GPP TS 27.007 7.1); most hold none."""
    number = request.peer.profile.msisdn
    return [f'+CNUM: "","{number}",{145 if number.startswith("+") else 129}'] if number else ()


def _constant(text: str) -> Handler:
    """Make a setting that can be asked for, and is not changed by setting it."""
    return lambda request: [f"{request.name}: {text}"] if request.operation in ("", "?") else ()


def _cmee(request: AtRequest) -> Iterable[str]:
    if request.operation == "?":
        return [f"+CMEE: {request.peer.session.cmee}"]
    level = request.number(0)
    if level > request.peer.session.most_cmee or (level == 1 and not request.peer.session.cmee_numbers):
        raise RefusedError
    request.peer.session.cmee = level
    return ()


def _cscs(request: AtRequest) -> Iterable[str]:
    """AT+CSCS (3GPP TS 27.007 5.5); its own parameter is written in the character set that is left."""
    session = request.peer.session
    if request.operation == "?":
        return [f'+CSCS: "{session.charset}"']
    wanted = decode(request.text(0), session.charset)
    if session.charset_stuck or wanted not in _CHARSETS:
        raise RefusedError
    session.charset = wanted
    return ()


def _csca(request: AtRequest) -> Iterable[str]:
    charset = request.peer.session.charset
    if request.operation == "=":
        number = decode(request.text(0), charset)
        if encode(number, charset) != request.text(0):
            raise RefusedError(50)
        request.peer.sim.smsc = number
        return ()
    number = request.peer.sim.smsc
    return [f'+CSCA: "{encode(number, charset)}",{145 if number.startswith("+") else 129}']


def _cmgf(request: AtRequest) -> Iterable[str]:
    """AT+CMGF (3GPP TS 27.005 3.2.3): PDU mode is the only one, but for a modem whose stored profile has text mode."""
    peer = request.peer
    if request.operation == "?":
        return [f"+CMGF: {int(peer.session.text_mode)}"]
    mode = request.number(0, 0)
    if mode not in (0, int(peer.profile.text_mode)):
        raise RefusedError
    peer.session.text_mode = mode == 1
    return ()


def _csms(request: AtRequest) -> Iterable[str]:
    if request.operation == "?":
        return [f"+CSMS: {request.peer.session.csms},1,1,1"]
    request.peer.session.csms = min(1, request.number(0))
    return ["+CSMS: 1,1,1"]


def _cmms(request: AtRequest) -> Iterable[str]:
    if request.peer.session.mms_refused:
        raise RefusedError
    return ["+CMMS: 0"] if request.operation == "?" else ()


def _ipr(request: AtRequest) -> Iterable[str]:
    """AT+IPR: the speed of the line (ITU-T V.250 6.2.10), from the answer on; 0 = any."""
    peer = request.peer
    if request.operation == "?":
        return [f"+IPR: {peer.baud_rate or 0}"]
    wanted = request.number(0) or None

    def change(_: float) -> None:
        peer.baud_rate = wanted

    peer.after_answer(change, request.now)
    return ()


def _cmgs(_: AtRequest) -> Iterable[str]:
    """AT+CMGS=<length> alone in its line never comes here; anything else is wrong."""
    raise RefusedError


_ICCID = ExtendedCommand(lambda request: [f"{request.name}: {request.peer.profile.iccid}"], needs_sim=True)
_ABOUT_SMS: Family = "CMS"

COMMANDS: dict[str, ExtendedCommand] = {
    # Who it is
    "+CGMI": ExtendedCommand(_identity(lambda peer: peer.profile.manufacturer)),
    "+GMI": ExtendedCommand(_identity(lambda peer: peer.profile.manufacturer)),
    "+CGMM": ExtendedCommand(_identity(lambda peer: peer.profile.model)),
    "+GMM": ExtendedCommand(_identity(lambda peer: peer.profile.model)),
    "+CGMR": ExtendedCommand(_identity(lambda peer: peer.profile.revision)),
    "+GMR": ExtendedCommand(_identity(lambda peer: peer.profile.revision)),
    "+CGSN": ExtendedCommand(_identity(lambda peer: peer.profile.imei)),
    "+GSN": ExtendedCommand(_identity(lambda peer: peer.profile.imei)),
    "+CIMI": ExtendedCommand(_identity(lambda peer: peer.profile.imsi), needs_sim=True),
    "+CNUM": ExtendedCommand(_own_number, needs_sim=True),
    # The line and the device
    "+CMEE": ExtendedCommand(_cmee, "(0-2)"),
    "+CSCS": ExtendedCommand(_cscs, '("IRA","GSM","UCS2","HEX")'),
    "+CFUN": ExtendedCommand(registration.cfun, "(0,1,4),(0,1)"),
    "+CBC": ExtendedCommand(_constant("0,100"), "(0),(0-100)"),
    "+CSQ": ExtendedCommand(lambda request: [f"+CSQ: {request.peer.profile.signal},99"], "(0-31,99),(99)"),
    "+IPR": ExtendedCommand(_ipr, "(0,9600,19200,38400,57600,115200)"),
    # The SIM
    "+CPIN": ExtendedCommand(sim_commands.cpin),
    "+CPINR": ExtendedCommand(sim_commands.cpinr),
    "+CLCK": ExtendedCommand(sim_commands.clck, '("SC")'),
    "+CPWD": ExtendedCommand(sim_commands.cpwd, '("SC",8)'),
    # The network
    "+CREG": ExtendedCommand(registration.creg, "(0-2)"),
    "+CGREG": ExtendedCommand(registration.creg, "(0-2)"),
    "+CEREG": ExtendedCommand(registration.creg, "(0-2)"),
    "+COPS": ExtendedCommand(registration.cops, '(2,"Simulated","Sim","00101",7),,(0-4),(0-2)'),
    "+CUSD": ExtendedCommand(ussd.cusd, "(0-2)", needs_sim=True),
    # Packet data
    "+CGDCONT": ExtendedCommand(data.cgdcont, '(1-16),"IP",,,(0),(0)'),
    "+CGATT": ExtendedCommand(data.cgatt, "(0,1)", needs_sim=True),
    "+CGACT": ExtendedCommand(data.cgact, "(0,1)", needs_sim=True),
    # Messages
    "+CMGF": ExtendedCommand(_cmgf, "(0)"),
    "+CSMS": ExtendedCommand(_csms, "(0,1)"),
    "+CSCA": ExtendedCommand(_csca, needs_sim=True, family=_ABOUT_SMS),
    "+CMMS": ExtendedCommand(_cmms, "(0-2)"),
    "+CNMI": ExtendedCommand(inbox.cnmi, "(0-2),(0-3),(0-3),(0-2),(0,1)", needs_sim=True, family=_ABOUT_SMS),
    "+CPMS": ExtendedCommand(storage.cpms, storage.memories, needs_sim=True, family=_ABOUT_SMS),
    "+CMGL": ExtendedCommand(storage.cmgl, "(0-4)", needs_sim=True, family=_ABOUT_SMS),
    "+CMGR": ExtendedCommand(storage.cmgr, needs_sim=True, family=_ABOUT_SMS),
    "+CMGD": ExtendedCommand(storage.cmgd, "(1-50),(0-4)", needs_sim=True, family=_ABOUT_SMS),
    "+CMGS": ExtendedCommand(_cmgs),
    "+CNMA": ExtendedCommand(inbox.cnma, "(0-2)", family=_ABOUT_SMS),
}
"""Every extended command; what is not here is answered with ERROR."""
