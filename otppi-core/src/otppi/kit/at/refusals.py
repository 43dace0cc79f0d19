"""What a final result other than OK says of a message: which error it ends in, and whether it may be sent again."""

from collections.abc import Callable

from otppi.api.errors import ModemUnfit, NotSent, Rejected, SendError, Unconfirmed
from otppi.text import _
from otppi.wire.at import FinalResult, ResultKind
from otppi.wire.cme_cms import Advice, cme_advice, cme_meaning, cms_advice, cms_meaning, cms_standard

_WAIT_RETRY = 2.0
_INVALID_PDU = 304
_ANOTHER_MODEM = frozenset({Advice.OTHER, Advice.FREE_STORAGE, Advice.SET_SMSC})
_LOCKED = frozenset((*((ResultKind.CMS, code) for code in (311, 316)), *((ResultKind.CME, code) for code in (11, 12))))
"""SIM PIN or PUK required (3GPP TS 27.005 3.2.5, 27.007 9.2)."""


def asks_for_pin(result: FinalResult) -> bool:
    """Whether the SIM asks for its PIN or PUK."""
    return (result.kind, result.code) in _LOCKED


def refusal(result: FinalResult, *, dispatched: bool, cure: Callable[[Advice], bool], maker: str = "") -> SendError:
    """Turn a final result into "may it be sent again?" (modems.md 10).

    Before the PDU was written nothing can have gone out; after it, only an error with a meaning says so.

    Args:
        result: What the modem ended AT+CMGS with.
        dispatched: Whether the PDU was written.
        cure: Tries to do away with the reason where the message is surely not out; True where another try is worth it.
        maker: The modem's manufacturer: some numbers are its own.
    """
    advice, meaning, code = _advice(result, maker), _meaning(result, maker), result.text[:64]
    if advice is Advice.AMBIGUOUS and dispatched:
        return Unconfirmed(meaning, code=code)
    if cure(advice):
        return NotSent(meaning, code=code)
    if advice is Advice.NEVER:
        return Rejected(meaning, code=code)
    if advice in _ANOTHER_MODEM:
        return ModemUnfit(meaning, code=code)
    return NotSent(meaning, code=code, retry_after=_WAIT_RETRY if advice is Advice.WAIT else 0.0)


def lost_on_the_line(result: FinalResult, maker: str) -> bool:
    """Whether the modem got another PDU than the one that was written, for that was a good one."""
    return result.kind is ResultKind.CMS and cms_standard(result.code, maker) == _INVALID_PDU


def _advice(result: FinalResult, maker: str) -> Advice:
    if result.kind is ResultKind.CMS:
        return cms_advice(result.code, maker)
    return cme_advice(result.code) if result.kind is ResultKind.CME else Advice.AMBIGUOUS


def _meaning(result: FinalResult, maker: str) -> str:
    if result.code is None or result.kind not in (ResultKind.CMS, ResultKind.CME):
        return _("the modem gave no reason")
    return cms_meaning(result.code, maker) if result.kind is ResultKind.CMS else cme_meaning(result.code)
