"""Who answers: the line is looked for that has the form of what was asked, whatever else a modem says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.api.errors import ModemLost
from otppi.kit.at.channel import AtChannel
from otppi.kit.at.identity import iccid_in, identify, msisdn_in, read_imei
from otppi.simulator import ModemProfile

IMEI = "490154203237518"
FOREIGN = "_OUWCTI: 4"


class Answers:
    """A channel to a modem that says these lines to a command, the last of them again and again."""

    def __init__(self, said: Mapping[str, Sequence[tuple[str, ...]]] | None = None, **more: Any) -> None:
        self._said = {f"AT+{name}": list(lines) for name, lines in (dict(said or {}) | more).items()}

    def attempt(self, line: str) -> tuple[str, ...] | None:
        lines = self._said.get(line, [])
        return lines.pop(0) if len(lines) > 1 else lines[0] if lines else None

    @property
    def channel(self) -> AtChannel:
        return cast("AtChannel", self)


@pytest.mark.parametrize(
    ("lines", "imei"),
    [
        ((IMEI,), IMEI),
        ((FOREIGN, IMEI), IMEI),  # wammu#27
        ((IMEI, FOREIGN), IMEI),
        (("_OUWCTI: 123456789012345", IMEI), IMEI),
        (("+XCELLINFO: 123456789012345", f'+CGSN: "{IMEI}"'), IMEI),
        ((f"+GSN: {IMEI}",), IMEI),
        ((f"IMEI: {IMEI}",), IMEI),
        ((f"{IMEI}01",), f"{IMEI}01"),
        ((IMEI[:14],), IMEI[:14]),
        ((FOREIGN,), ""),
        (("4",), ""),
        (("490154203237518123456",), ""),
        ((f"\ufffd{IMEI}",), ""),
        ((), ""),
    ],
)
def test_the_imei_is_the_line_that_has_its_form(lines: tuple[str, ...], imei: str) -> None:
    assert read_imei(Answers(CGSN=[lines]).channel) == imei


def test_a_serial_number_of_the_makers_is_no_imei() -> None:
    """An nRF93M1 (zephyr#118423): its serial number, and the IMEI only where that is asked for."""
    said = Answers({"CGSN": [("2623CKLQ0009707",)], "CGSN=1": [(f'+CGSN: "{IMEI}"',)]})
    assert read_imei(said.channel) == IMEI


def test_it_is_asked_again_where_noise_stood_in_the_imeis_place() -> None:
    assert read_imei(Answers(CGSN=[(FOREIGN,), ("\ufffd",), (IMEI,)]).channel) == IMEI


def test_of_two_lines_that_have_the_form_the_one_is_meant_that_comes_each_time() -> None:
    said = Answers(CGSN=[("350000000000001", IMEI), (IMEI,)], CGMI=[("MODEM STARTUP", "ZTE"), ("ZTE",)])
    assert read_imei(said.channel) == IMEI
    assert identify(said.channel, ()).manufacturer == "ZTE"


def test_maker_model_and_the_sims_numbers() -> None:
    identity = identify(
        Answers(
            CGMI=[(FOREIGN, "huawei")],
            CGMM=[('+CGMM: "E173"', FOREIGN)],
            CGMR=[("Revision:1418B05SIM800L24",)],
            CIMI=[(FOREIGN, "001010000000173")],
            CICCID=[("+CREG: 1", "+ICCID: 8900000000000007600")],
        ).channel,
        ("AT+CICCID",),
    )
    assert (identity.manufacturer, identity.model, identity.revision) == ("huawei", "E173", "Revision:1418B05SIM800L24")
    assert (identity.imsi, identity.iccid) == ("001010000000173", "8900000000000007600")


@pytest.mark.parametrize(
    ("text", "iccid"),
    [
        ("8900000000000003372", "8900000000000003372"),
        ("8900000000000003372F", "8900000000000003372"),
        ("980000000000003073F2", "8900000000000003372"),
        ("98000000000000307341", "89000000000000033714"),
        ("89860E00000000000017", "89860E00000000000017"),
        ("980000000000003073f2", "8900000000000003372"),
        ("deadbeefdeadbeefdead", ""),
        ("12345678901234567", ""),
        ("", ""),
    ],
)
def test_an_iccid_with_swapped_halves_is_read(text: str, iccid: str) -> None:
    assert iccid_in(text) == iccid


@given(st.lists(st.text(max_size=30), max_size=4), st.integers(0, 4))
def test_fuzz_no_line_hides_the_imei(others: list[str], place: int) -> None:
    said = [*others[:place], IMEI, *others[place:]]
    told = read_imei(Answers(CGSN=[tuple(said), (IMEI,)]).channel)
    assert told == IMEI or (told.isascii() and told.isdigit() and told in "".join(others))


def test_a_modem_with_another_imei_is_not_opened_whatever_it_says_before_it(
    make_driver: Callable[..., Any],
) -> None:
    driver = make_driver(profile=replace(ModemProfile(), pin="1234"), imei=IMEI, sim_card_pin="1234")
    driver.peer.inject("unknown-line")
    with pytest.raises(ModemLost, match="has the modem with the IMEI"):
        driver.modem.open()


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        (['+CNUM: "Own","6281200000001",145'], "+6281200000001"),
        (['+CNUM: ,"081200000001",129,7,4'], "081200000001"),
        (['+CNUM: "","",129', '+CNUM: "Voice","+6281200000002",145'], "+6281200000002"),
        (["_OUWCTI: 4"], ""),
        ([], ""),
    ],
)
def test_the_number_that_the_card_holds(lines: list[str], number: str) -> None:
    """AT+CNUM (3GPP TS 27.007 7.1)."""
    assert msisdn_in(lines) == number
