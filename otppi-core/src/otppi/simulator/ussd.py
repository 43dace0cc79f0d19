"""Owns the simulated modem's USSD: AT+CUSD and the network's scripted answers (3GPP TS 27.007 7.15)."""

import re
from collections.abc import Iterable, Mapping

from otppi.simulator.answers import RefusedError, render
from otppi.simulator.profile import ScriptedUssdAnswer
from otppi.simulator.request import AtRequest
from otppi.simulator.stages import Moment, Stage
from otppi.wire import gsm7
from otppi.wire.ussd import UssdForm

UNSUPPORTED = ScriptedUssdAnswer(text=None, mode=4)
_GSM7, _UCS2 = 15, 72
_CR = 0x0D
_CANCEL = 2
_REQUEST = re.compile(r"[*#][0-9*#]*|[0-9]{1,2}")
_LOOKS_LIKE_UCS2 = re.compile(r"(?:00[0-9A-F]{2})+", re.IGNORECASE)


def cusd(request: AtRequest) -> Iterable[str]:
    """AT+CUSD: send a string or a reply, or end the session; the answer comes after the OK."""
    peer, session = request.peer, request.peer.session
    if request.operation == "?":
        return ["+CUSD: 1"]
    if request.number(0, 0) == _CANCEL or len(request.arguments) < 2:
        session.ussd = None
        session.ussd_ended += 1
        return ()
    form = session.ussd_form or peer.profile.ussd_form
    script: Mapping[str, ScriptedUssdAnswer] = session.ussd or peer.profile.ussd
    text = _decode(request.arguments[1], form)
    if text not in script and not (session.ussd or _REQUEST.fullmatch(text)):
        raise RefusedError(50)
    if not peer.registered:
        raise RefusedError(30)
    moment = Moment(request.now, "AT+CUSD", ussd=script.get(text, UNSUPPORTED))
    if peer.hooks.strike(Stage.USSD, moment):
        return ()
    answer = moment.ussd
    session.ussd = answer.replies if answer.mode == 1 else None
    ended = session.ussd_ended

    def tell(now: float) -> None:
        if peer.session.ussd_ended == ended:
            peer.emit(render([answer.first] if answer.first else []) + _render(answer, form), now)

    peer.at(request.now + peer.profile.command_time + peer.extra_delay + answer.delay, tell)
    return ()


def _render(answer: ScriptedUssdAnswer, form: UssdForm) -> bytes:
    if answer.text is None:
        return render([f"+CUSD: {answer.mode}"])
    dcs = answer.dcs if answer.dcs is not None else _GSM7 if gsm7.can_encode(answer.text) else _UCS2
    # 27.007 7.15: what is not GSM-7 goes to the line as hexadecimal, whatever the character set there is.
    text = answer.raw or _encode(answer.text, UssdForm.UCS2_HEX if dcs == _UCS2 else form, padded=answer.padded)
    return render([f'+CUSD: {answer.mode},"{text}"' + (f",{dcs}" if answer.tells_dcs else "")])


def _encode(text: str, form: UssdForm, *, padded: bool) -> str:
    match form:
        case UssdForm.GSM7_HEX:
            septets = bytes(gsm7.encode(text))
            # A CR fills the last octet where seven zero bits would read as "@": 3GPP TS 23.038 6.1.2.3.1.
            fill = (-len(septets) % 8 or 1) if padded else len(septets) % 8 == 7
            return gsm7.pack(septets + bytes([_CR]) * fill).hex().upper()
        case UssdForm.UCS2_HEX:
            return text.encode("utf-16-be").hex().upper()
        case UssdForm.PLAIN:
            return text


def _decode(text: str, form: UssdForm) -> str:
    """Return the USSD string of the request.

    Raises:
        RefusedError: it is not written in the form that this model wants (CME 50).
    """
    if form is UssdForm.PLAIN:
        if _LOOKS_LIKE_UCS2.fullmatch(text):
            raise RefusedError(50)
        return text
    try:
        octets = bytes.fromhex(text)
        if form is UssdForm.UCS2_HEX:
            return octets.decode("utf-16-be")
        return gsm7.decode(gsm7.unpack(octets, len(octets) * 8 // 7)).rstrip("\r@")
    except ValueError:
        raise RefusedError(50) from None
