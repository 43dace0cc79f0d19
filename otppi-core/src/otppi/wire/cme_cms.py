"""Owns what to do about a +CMS ERROR or +CME ERROR: its meaning, and whether the message may be sent again.

Sources: 3GPP TS 27.005 3.2.5, 27.007 9.2, 24.011 annex E-2, 23.040 9.2.3.22, what other gateways learned from real
networks (modems.md items 10, 11), and makers' manuals for their own numbers (``cms_vendors``). A number that is not
listed may have been sent: nothing but certainty allows a second sending.
"""

import re
from collections.abc import Iterable, Mapping
from enum import Enum

from otppi.wire.cme_cms_tables import CME_MEANINGS, CME_SYNONYMS, CMS_MEANINGS, CMS_RANGES, CMS_SYNONYMS
from otppi.wire.cms_vendors import makers_cms


class Advice(Enum):
    """What may be done with a message whose sending ended in an error."""

    WAIT = "wait"
    """Nothing was sent; the same modem may do it later (network class of modems.md item 10; CME: item 11)."""
    OTHER = "other"
    """Nothing was sent; this SIM or modem cannot, another may (item 10: quarantine)."""
    NEVER = "never"
    """Nothing was sent, and no modem will: the message or its receiver is at fault (item 10: permanent)."""
    RETRY_ONCE = "retry-once"
    """Nothing was sent; one more try on any modem is worth it (item 10)."""
    FREE_STORAGE = "free-storage"
    """Nothing was sent; delete what fills the SIM or the modem, then try again (items 10, 17)."""
    SET_SMSC = "set-smsc"
    """Nothing was sent; set the SMSC's address (+CSCA), then try again (items 10, 21)."""
    AMBIGUOUS = "ambiguous"
    """It may have been sent (item 10; and every number that nobody explains)."""


def _advice(*rows: tuple[Advice, Iterable[int]]) -> Mapping[int, Advice]:
    return {code: advice for advice, codes in rows for code in codes}


_CMS_ADVICE = _advice(
    (Advice.WAIT, (17, 38, 41, 42, 47, 111, 192, 194, 212, 256, 301, 314, 331, 332, 522, 615, 616)),
    (Advice.OTHER, (8, 10, 29, 50, 69, 193, 209, 302, 303, *range(310, 314), *range(315, 319))),
    (Advice.NEVER, (1, 28, 30, 81, *range(95, 100), *range(128, 131), 143, 144, 145, 159, 160, 161, 175, 176)),
    (Advice.NEVER, (195, 196, 198, 199, 304, 305, 321)),
    (Advice.RETRY_ONCE, (21, 27)),
    (Advice.FREE_STORAGE, (22, 208, 211, 322)),
    (Advice.SET_SMSC, (330,)),
    # 197: the SMSC has it already, since an earlier try with TP-RD got through (23.040 9.2.3.25).
    (Advice.AMBIGUOUS, (127, 197, 210, 255, 300, 320, 500)),
)

_CME_ADVICE = _advice(
    (Advice.WAIT, (1, 2, 14, 30, 31, 57, 116, 117, 118, 122, 126, 134, 139, 256, 515)),
    (Advice.OTHER, (3, 4, *range(5, 8), *range(10, 14), *range(15, 19), 32, *range(40, 50), 51, 53, 54, 55, 56, 62)),
    (Advice.OTHER, (*range(102, 116), 125, 132, 133, 140)),
    (Advice.NEVER, (*range(24, 28), 50, 58, 59, 61)),
    (Advice.FREE_STORAGE, (20,)),
    (Advice.AMBIGUOUS, (0, 52, 60, 100)),
)


def cms_meaning(code: int, maker: str = "") -> str:
    """Tell in words what ``+CMS ERROR: code`` means to this maker's modems, named as in +CGMI."""
    if meant := makers_cms(code, maker):
        return meant[1]
    return CMS_MEANINGS.get(code) or next((text for codes, text in CMS_RANGES if code in codes), "unlisted error")


def cme_meaning(code: int) -> str:
    """Tell in words what ``+CME ERROR: code`` means."""
    return CME_MEANINGS.get(code, "unlisted error")


def cms_standard(code: int | None, maker: str) -> int | None:
    """Return the standard's number that says the same of a message as this maker's; others stay as they are."""
    meant = makers_cms(code, maker) if code is not None else None
    return meant[0] if meant else code


def cms_advice(code: int | None, maker: str = "") -> Advice:
    """Return what may be done after ``+CMS ERROR: code``; None is an error without a known number."""
    code = cms_standard(code, maker)
    return _CMS_ADVICE.get(code, Advice.AMBIGUOUS) if code is not None else Advice.AMBIGUOUS


def cme_advice(code: int | None) -> Advice:
    """Return what may be done after ``+CME ERROR: code``; None is an error without a known number."""
    return _CME_ADVICE.get(code, Advice.AMBIGUOUS) if code is not None else Advice.AMBIGUOUS


def cms_code_of_text(text: str) -> int | None:
    """Find the number of a verbose cause (+CMEE=2) such as ``SMSC address unknown``, or None."""
    return _CMS_CODES.get(_fold(text))


def cme_code_of_text(text: str) -> int | None:
    """Find the number of a verbose cause (+CMEE=2) such as ``SIM PIN required``, or None."""
    return _CME_CODES.get(_fold(text))


def _fold(text: str) -> str:
    """Bring the wordings of different modems together: letters and digits only, any kind of SIM is a SIM."""
    words = " ".join(re.findall(r"[a-z0-9+]+", text[:128].lower().replace("(u)sim", "sim").replace("usim", "sim")))
    return words.replace("uicc", "sim").replace("ph sim", "phsim")


def _codes(meanings: Mapping[int, str], synonyms: Mapping[str, int]) -> Mapping[str, int]:
    """Turn meanings into a look-up; where two numbers share a wording the lowest one, the general cause, is meant."""
    return dict(synonyms) | {_fold(text): code for code, text in sorted(meanings.items(), reverse=True)}


_CMS_CODES = _codes(CMS_MEANINGS, CMS_SYNONYMS)
_CME_CODES = _codes(CME_MEANINGS, CME_SYNONYMS)
