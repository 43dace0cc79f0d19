"""What another program or the modem itself left in a state that it works with, or in which strings are hexadecimal."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from otppi.api.modem import ModemContext
from otppi.kit.at.channel import AtChannel
from otppi.kit.at.modem import AtModem
from otppi.kit.at.start import _registration
from otppi.testing.replay import Replay
from otppi.wire import charset
from otppi.wire.ussd import UssdForm, parse, text_of

MakeDriver = Callable[..., Any]


@pytest.mark.parametrize("stuck", [False, True], ids=["settable", "stuck"])
@pytest.mark.parametrize("fault", ["charset-ucs2", "charset-hex"])
def test_a_character_set_of_another_program_blocks_nothing(make_driver: MakeDriver, fault: str, *, stuck: bool) -> None:
    driver = make_driver(sms_center="+620000000009")
    driver.peer.inject(fault)
    if stuck:
        driver.peer.inject("charset-stuck")
    driver.modem.open()
    identity = driver.modem.identity()
    assert (identity.operator, identity.smsc) == ("Simulated", "+620000000009")
    driver.send()
    assert driver.texts == ["a text"]


def test_the_better_of_the_plain_character_sets_is_chosen(driver: Any) -> None:
    driver.modem.open()
    assert driver.modem._ready_channel().command("AT+CSCS?") == ('+CSCS: "IRA"',)


@pytest.mark.parametrize(
    ("text", "name", "means"),
    [
        ("00540045004C", "UCS2", "TEL"),
        ("54454C", "HEX", "TEL"),
        ("0211", "HEX", "$_"),
        ("TEL", "UCS2", "TEL"),  # it says so, and does not do it
        ("00540", "UCS2", "00540"),
        ("FACE", "HEX", "FACE"),
        ("51010", "HEX", "51010"),
        ("54454C", "GSM", "54454C"),
        ("", "UCS2", ""),
    ],
)
def test_strings_are_read_by_the_character_set(text: str, name: str, means: str) -> None:
    assert charset.decode(text, name) == means


def test_octets_of_the_gsm_alphabet_lose_nothing_in_a_plain_text() -> None:
    line = parse('+CUSD: 0,"Balance \x02 5, \x1be 4, a\x11b, $ _ as they are\r\nok",15')
    assert text_of(line, UssdForm.PLAIN) == "Balance $ 5, € 4, a_b, $ _ as they are\nok"


PRESENT = """
> AT+CMEE?
< +CMEE: 0
< OK
> AT+CMGF=0
< OK
> ATE0
< OK
> AT+CPIN?
< +CPIN: {cpin}
< OK
> AT+CREG?
< +CREG: {creg}
< OK
> AT+CMGS=*
<| \\r\\n>\\x20
> ^Z
< +CMGS: 41
< OK
"""


@pytest.fixture
def make_replay(tmp_path: Path) -> Iterator[Callable[..., AtModem]]:
    replays: list[Replay] = []
    modems: list[AtModem] = []

    def make(cpin: str = "READY", creg: str = "0,1") -> AtModem:
        capture = tmp_path / "capture.txt"
        capture.write_text(PRESENT.format(cpin=cpin, creg=creg))
        replays.append(Replay(capture).__enter__())
        values = {"name": "m0", "port": replays[-1].path, "baud_rate": 115_200, "parity_bit": "none", "stop_bits": 1}
        more = {"sim_card_pin": "", "sms_center": "", "prompt_timeout": 2.0, "result_timeout": 2.0}
        modems.append(AtModem(ModemContext(values | more, tmp_path)))
        return modems[-1]

    yield make
    for modem in modems:
        modem.close()
    for replay in replays:
        replay.__exit__(None, None, None)


@pytest.mark.parametrize("cpin", ["READY", '"READY"', "SIM PIN2", "SIM PUK2", '"SIM PIN2"'])
def test_a_sim_that_sends_is_not_taken_for_locked(make_replay: Callable[..., AtModem], cpin: str) -> None:
    modem = make_replay(cpin=cpin)
    modem.open()
    assert modem.sim_status().state == "READY"


@pytest.mark.parametrize(
    ("creg", "means"),
    [
        ("002,001", "home network"),
        ("0,05", "roaming"),
        ("2, 1", "home network"),
        ("1,10", "roaming, CSFB not preferred"),
    ],
)
def test_a_registration_in_any_number_of_digits(make_replay: Callable[..., AtModem], creg: str, means: str) -> None:
    modem = make_replay(creg=creg)
    modem.open()
    assert modem.identity().registration == means


@pytest.mark.parametrize(
    ("told", "read"), [("0,1", "1"), ("002,001", "1"), ("2, 000", "0"), ("0,10", "10"), (f"0,{'1' * 5000}", None)]
)
def test_a_registration_is_a_number_of_two_digits(told: str, read: str | None) -> None:
    """However many a modem writes (27.007 7.2): Python itself refuses to read 5,000 of them."""
    channel = cast("AtChannel", SimpleNamespace(attempt=lambda _: (f"+CREG: {told}",)))
    assert _registration(channel, "CREG") == read
