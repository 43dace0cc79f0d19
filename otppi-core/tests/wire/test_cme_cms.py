"""Numbers of errors: every one has a meaning, and none that is unknown allows a second sending."""

import pytest

from otppi.wire.cme_cms import (
    Advice,
    cme_advice,
    cme_code_of_text,
    cme_meaning,
    cms_advice,
    cms_code_of_text,
    cms_meaning,
    cms_standard,
)
from otppi.wire.cme_cms_tables import CME_MEANINGS, CMS_MEANINGS


@pytest.mark.parametrize(
    ("advice", "codes"),
    [
        (Advice.WAIT, (38, 41, 42, 47, 111, 331, 332, 615, 616, 256, 314, 522)),
        (Advice.OTHER, (8, 10, 50, 310, 311, 312, 313, 315, 316, 317, 318)),
        (Advice.NEVER, (1, 28, 30, 96, 304, 305)),
        (Advice.RETRY_ONCE, (21, 27)),
        (Advice.FREE_STORAGE, (208, 211, 322)),
        (Advice.SET_SMSC, (330,)),
        (Advice.AMBIGUOUS, (300, 500, 127, 197, 513, 9999, -1, None)),
    ],
)
def test_advice_after_cms_error(advice: Advice, codes: tuple[int | None, ...]) -> None:
    assert {code: cms_advice(code) for code in codes} == dict.fromkeys(codes, advice)


@pytest.mark.parametrize(
    ("advice", "codes"),
    [
        (Advice.WAIT, (14, 30, 31, 515)),
        (Advice.OTHER, (10, 11, 12, 13, 15, 16, 32)),
        (Advice.NEVER, (24, 25, 50)),
        (Advice.FREE_STORAGE, (20,)),
        (Advice.AMBIGUOUS, (0, 100, 4711, -1, None)),
    ],
)
def test_advice_after_cme_error(advice: Advice, codes: tuple[int | None, ...]) -> None:
    assert {code: cme_advice(code) for code in codes} == dict.fromkeys(codes, advice)


@pytest.mark.parametrize("code", CMS_MEANINGS)
def test_cms_meaning_and_back(code: int) -> None:
    found = cms_code_of_text(cms_meaning(code).upper())
    assert found is not None
    assert found <= code
    assert cms_meaning(found) == cms_meaning(code)


@pytest.mark.parametrize("code", CME_MEANINGS)
def test_cme_meaning_and_back(code: int) -> None:
    found = cme_code_of_text(cme_meaning(code).upper())
    assert found is not None
    assert found <= code
    assert cme_meaning(found).lower() == cme_meaning(code).lower()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SIM PIN required", 11),
        ("(U)SIM PIN required", 11),
        ("USIM PIN required", 11),
        (" sim  busy. ", 14),
        ("PH-SIM PIN required", 5),
        ("Operation not allowed", 3),
        ("emergency calls only", 32),
        ("", None),
        ("no such thing", None),
        ("SIM" * 100_000, None),
    ],
)
def test_verbose_cme_causes(text: str, code: int | None) -> None:
    assert cme_code_of_text(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SMSC address unknown", 330),
        ("(U)SIM busy", 314),
        ("Network timeout", 332),
        ("Unknown error", 500),
        ("?", None),
    ],
)
def test_verbose_cms_causes(text: str, code: int | None) -> None:
    assert cms_code_of_text(text) == code


def test_ranges_have_a_meaning() -> None:
    assert cms_meaning(230) == "application specific error of the SMSC"
    assert cms_meaning(599) == "error of the modem's manufacturer"
    assert cms_meaning(7) == cme_meaning(99) == "unlisted error"


# The numbers that the standard leaves to the makers, each by the maker's own manual (named in otppi.wire.cms_vendors).
MAKERS: dict[str, dict[Advice, tuple[int, ...]]] = {
    "SIMCOM_Ltd": {
        Advice.WAIT: (520, 521, 522, 525, 530, 532),
        Advice.OTHER: (516, 517, 529),
        Advice.NEVER: (513, 514, 519, 524),
        Advice.FREE_STORAGE: (531,),
        Advice.AMBIGUOUS: (512, 515, 518, 528, 533),
    },
    "Quectel": {
        Advice.WAIT: (512, 530),
        Advice.OTHER: (517, 529),
        Advice.NEVER: (513, 514),
        Advice.FREE_STORAGE: (531,),
        Advice.AMBIGUOUS: (515, 516, 528, 532),
    },
    "Cinterion": {
        Advice.WAIT: (522, 532, 535),
        Advice.NEVER: (515, 516, 517, 519, 520, 538, 549, 550, 551, 553, 554),
        Advice.AMBIGUOUS: (512, 513, 514, 521, 534, 552),
    },
    "Telit": {Advice.WAIT: (512,), Advice.AMBIGUOUS: (510, 513, 514, 515)},
    "u-blox": {
        Advice.WAIT: (360, 361, 362, 363, 372, 536, 537, 539, 604, 606, 616),
        Advice.OTHER: (351, 352, 358, 364, 365, 543, 544, 545, 546),
        Advice.NEVER: (350, 357, 359, 366, 371, 516, 521, 522, 523, 524, 527, 528, 529, 530),
        Advice.SET_SMSC: (525, 526),
        Advice.RETRY_ONCE: (354, 356),
        Advice.AMBIGUOUS: (353, 355, 373, 512, 513, 538, 547, 615),
    },
    "WAVECOM MODEM": {Advice.WAIT: (512, 515), Advice.AMBIGUOUS: (513, 514)},
    "Motorola": {Advice.WAIT: (512, 515), Advice.NEVER: (513, 514), Advice.AMBIGUOUS: (517,)},
    # They publish no such numbers, so nothing but what several makers share is known of them.
    "huawei": {Advice.WAIT: (522, 615, 616), Advice.AMBIGUOUS: (*range(512, 522), *range(523, 555))},
    "ZTE CORPORATION": {Advice.WAIT: (522,), Advice.AMBIGUOUS: (512, 513, 538)},
    "": {Advice.WAIT: (522,), Advice.AMBIGUOUS: (512, 513, 538)},
}


@pytest.mark.parametrize(
    ("maker", "advice", "codes"),
    [(maker, advice, codes) for maker, rows in MAKERS.items() for advice, codes in rows.items()],
)
def test_makers_numbers_are_read_by_their_own_tables(maker: str, advice: Advice, codes: tuple[int, ...]) -> None:
    assert {code: cms_advice(code, maker) for code in codes} == dict.fromkeys(codes, advice)


def test_one_number_of_different_makers_says_different_things() -> None:
    assert [cms_meaning(512, maker) for maker in ("Quectel", "SIMCOM INCORPORATED", "u-blox", "Fibocom")] == [
        "SIM not ready",
        "SMS no error",
        "relay protocol acknowledgement",
        "error of the modem's manufacturer",
    ]
    assert cms_standard(517, "Siemens") == 304
    assert [cms_standard(code, "Siemens") for code in (38, 9999, None)] == [38, 9999, None]
