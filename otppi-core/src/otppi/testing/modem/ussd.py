"""Owns the simulated modem's USSD: AT+CUSD and the network's scripted answers (3GPP TS 27.007 7.15)."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from otppi.testing.modem.answers import RefusedError, render
from otppi.testing.modem.profile import UssdAnswer, UssdForm
from otppi.wire import gsm7

if TYPE_CHECKING:
    from otppi.testing.modem.commands import Request

_UNKNOWN = UssdAnswer(mode=4, dcs=None)
_CR = 0x0D
_CANCEL = 2


def cusd(request: "Request") -> Iterable[str]:
    """AT+CUSD: send a string or a reply, or end the session; the answer comes after the OK."""
    peer = request.peer
    if request.operation == "?":
        return ["+CUSD: 1"]
    presentation = request.number(0, 0)
    if presentation == _CANCEL or len(request.arguments) < 2:
        peer.session.ussd = None
        return ()
    text = _decode(request.arguments[1], peer.profile.ussd_form)
    script: Mapping[str, UssdAnswer] = peer.session.ussd or peer.profile.ussd
    answer = script.get(text, _UNKNOWN)
    peer.session.ussd = answer.replies if answer.mode == 1 else None
    due = request.now + peer.profile.command_time + peer.extra_delay + answer.delay
    peer.at(due, lambda now: peer.emit(_render(answer, peer.profile.ussd_form), now))
    return ()


def _render(answer: UssdAnswer, form: UssdForm) -> bytes:
    if answer.dcs is None:
        return render([f"+CUSD: {answer.mode}"])
    return render([f'+CUSD: {answer.mode},"{_encode(answer.text, form)}",{answer.dcs}'])


def _encode(text: str, form: UssdForm) -> str:
    match form:
        case UssdForm.GSM7_HEX:
            septets = bytes(gsm7.encode(text))
            # A CR fills the last octet where seven zero bits would read as "@": 3GPP TS 23.038 6.1.2.3.1.
            return gsm7.pack(septets + bytes([_CR]) if len(septets) % 8 == 7 else septets).hex().upper()
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
        return text
    try:
        octets = bytes.fromhex(text)
        if form is UssdForm.UCS2_HEX:
            return octets.decode("utf-16-be")
        return gsm7.decode(gsm7.unpack(octets, len(octets) * 8 // 7)).rstrip("\r@")
    except ValueError:
        raise RefusedError(50) from None
