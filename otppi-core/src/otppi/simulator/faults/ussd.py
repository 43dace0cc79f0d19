"""Owns the faults that real modems were seen with in USSD (modems.md 27, 28)."""

from collections.abc import Callable
from dataclasses import replace

from otppi.simulator.faults.acts import raise_code, table
from otppi.simulator.faults.board import Act, Fault, Strike
from otppi.simulator.profile import ScriptedUssdAnswer
from otppi.simulator.stages import Stage
from otppi.simulator.ussd import UNSUPPORTED
from otppi.text import _

_MORE_LINES = "\r\nOK\r\n\r\nERROR\r\n1 More"
_TIMED_OUT, _ENDED = 5, 2
_ACCENT = " \u2013 cr\u00e9dit"


def _answer(change: Callable[[ScriptedUssdAnswer, Strike], ScriptedUssdAnswer]) -> Act:
    """Change the answer to come."""

    def act(strike: Strike) -> bool:
        strike.moment.ussd = change(strike.moment.ussd, strike)
        return False

    return act


def _in_ucs2(answer: ScriptedUssdAnswer) -> ScriptedUssdAnswer:
    text = (answer.text or "") + _ACCENT
    return replace(answer, text=text, raw=text.encode("utf-16-be").hex().upper(), dcs=15)


def _in_octets(answer: ScriptedUssdAnswer) -> ScriptedUssdAnswer:
    return replace(answer, raw=(answer.text or "").encode("latin-1").hex().upper(), dcs=0)


_U = Stage.USSD

USSD_FAULTS = table(
    Fault("ussd-padding", 27, _U, _answer(lambda answer, _: replace(answer, padded=True)),
          _("an answer in GSM-7 hexadecimal is filled with CR")),
    Fault("ussd-ucs2-untold", 27, _U, _answer(lambda answer, _: _in_ucs2(answer)),
          _("an answer with letters beyond ASCII comes as UCS-2 in hexadecimal, beside DCS 15")),
    Fault("ussd-octets", 27, _U, _answer(lambda answer, _: _in_octets(answer)),
          _("an answer comes as octets in hexadecimal, beside DCS 0")),
    Fault("ussd-release-first", 28, _U,
          _answer(lambda answer, _: replace(answer, first='+CUSD: 2,"Initiating Release",15')),
          _("a +CUSD that tells of the session's end comes before the answer")),
    Fault("ussd-empty-first", 28, _U, _answer(lambda answer, _: replace(answer, first='+CUSD: 0,""')),
          _("a +CUSD without a text comes before the answer")),
    Fault("ussd-ended-by-network", 28, _U, _answer(lambda answer, _: replace(answer, mode=_ENDED)),
          _("the answer itself comes as +CUSD: 2")),
    Fault("ussd-before-ok", 28, _U, _answer(lambda answer, _: replace(answer, delay=0.0)),
          _("the +CUSD line comes before the OK")),
    Fault("ussd-late", 28, _U, _answer(lambda answer, strike: replace(answer, delay=strike.injection.seconds)),
          _("the +CUSD line comes `seconds` after the OK"), seconds=2.0),
    Fault("ussd-no-dcs", 28, _U, _answer(lambda answer, _: replace(answer, tells_dcs=False)), _("no DCS in +CUSD")),
    Fault("ussd-no-text", 28, _U, _answer(lambda answer, _: replace(answer, text=None)), _("neither text nor DCS")),
    Fault("ussd-multiline", 28, _U,
          _answer(lambda answer, _: replace(answer, text=(answer.text or "") + _MORE_LINES)),
          _("the text has several lines, and two of them are OK and ERROR")),
    Fault("ussd-unsupported", 28, _U, _answer(lambda _, __: UNSUPPORTED), _("+CUSD: 4")),
    Fault("ussd-timed-out", 28, _U, _answer(lambda _, __: replace(UNSUPPORTED, mode=_TIMED_OUT)), _("+CUSD: 5")),
    Fault("ussd-silent", 28, _U, lambda _: True, _("OK, and never a +CUSD")),
    Fault("ussd-refused", 28, _U, raise_code, _("+CME ERROR: `code`"), code=30),
)  # fmt: skip
"""What may go wrong when a USSD string is sent."""
