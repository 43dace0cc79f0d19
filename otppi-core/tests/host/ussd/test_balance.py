"""Balances: numbers as operators write them, patterns that cannot hang, the schedule, menus, and the alarm."""

import contextlib
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.api.errors import ModemLost
from otppi.api.events import BalanceLow, UssdAnswer, UssdStatus
from otppi.api.modem import Modem, ModemState
from otppi.host.messages.refusal import NotAccepted
from otppi.host.modems.balance_pattern import CODE, problem_of_pattern
from otppi.host.modems.settings import MODEMS
from otppi.host.modems.worker import ModemWorker, modem_workers
from otppi.host.ussd import balance
from otppi.host.ussd.balance import BalancePlan, Balances
from otppi.host.ussd.balance_text import amount, balance_in
from otppi.host.ussd.sessions import UssdSessions
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE

# -- numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10000", 10_000),
        ("10.000", 10_000),
        ("10,000", 10_000),
        ("10.000,50", 10_000.5),
        ("10,000.50", 10_000.5),
        ("1.234.567", 1_234_567),
        ("1,234,567", 1_234_567),
        ("1.234.567,89", 1_234_567.89),
        ("10,5", 10.5),
        ("10.50", 10.5),
        ("0.500", 0.5),
        ("0,500", 0.5),
        ("1.2345", 1.2345),
        ("Rp10.000,-", 10_000),
        ("Rp. 10.000", 10_000),
        ("-Rp 1.500", -1500),
        ("-250", -250),
        (" 7. ", 7),
        ("0", 0),
    ],
)
def test_amounts(text: str, number: float) -> None:
    assert amount(text) == number


@pytest.mark.parametrize(
    "text", ["", "Rp", "ten", "1.00.0", "1,000.000,00", "10:30", ".,", "1..000", "--5", "1e5", "nan"]
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        amount(text)


@given(st.integers(-(10**12), 10**12), st.integers(0, 99))
def test_amounts_in_both_fashions(whole: int, cents: int) -> None:
    english = f"{whole:,}.{cents:02}"
    indonesian = english.translate(str.maketrans(",.", ".,"))
    plain = float(f"{whole}.{cents:02}")
    assert amount(indonesian) == plain
    assert amount(english) == plain
    assert amount(f"{whole:,}".replace(",", ".")) == whole


@given(st.text(max_size=250))
def test_every_text_gives_a_number_or_says_that_there_is_none(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(balance_in(text, ""), float)


def test_the_number_in_an_answer() -> None:
    text = "Pulsa Anda Rp10.000,50 aktif s.d. 31/12/2030. Kuota 5 GB"
    assert balance_in(text, "") == 10_000.5
    assert balance_in(text, r"kuota (\d+)") == 5
    with pytest.raises(ValueError, match="does not match balance_pattern"):
        balance_in(text, r"saldo (\d+)")
    with pytest.raises(ValueError, match="has no number"):
        balance_in("Terima kasih", "")
    with pytest.raises(ValueError, match="does not match"):
        balance_in("x" * 200 + "Rp5", r"Rp(\d+)")


GAMMU_358 = "Havi keret: 53Ft. Fel\u00f6lt\u00f6tt egyenleg"


@pytest.mark.parametrize(
    "text",
    [
        GAMMU_358.encode("utf-16-be").hex().upper(),
        GAMMU_358.encode("utf-16-be").hex().upper()[:21],
        "0031",
        "AB12CD34",
        "1234567890123456",
    ],
)
def test_gammu_358_no_balance_comes_out_of_hexadecimal_digits(text: str) -> None:
    for pattern in ("", r"(\d+)", r"([\d.,]+)"):
        with pytest.raises(ValueError, match=r"number|hexadecimal"):
            balance_in(text, pattern)


def test_a_voucher_before_the_balance_is_not_the_balance() -> None:
    assert balance_in("Voucher AB12CD34: saldo Rp10.000", "") == 10_000
    assert balance_in("Rekening 1234567890123456, saldo Rp10.000", "") == 10_000
    for text in ("R49.96", "10GB", "50,04zl", "0Ft", "Rp10000", "KES100"):
        balance_in(text, "")


# -- patterns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern", ["", r"Rp ?([\d.,]+)", r"Pulsa.*?Rp\.? ?(-?[0-9.,]+)", r"[*+(]+(\d)\)\*", r"(?:Saldo|Pulsa) (\d{1,9})?"]
)
def test_patterns_that_are_taken(pattern: str) -> None:
    assert problem_of_pattern(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(", "not a regular expression"),
        (r"\d+", "exactly one group"),
        (r"(\d)(\d)", "exactly one group"),
        ("(a+)+b", "repeat a group"),
        (r"(?:a|a)*(b)", "repeat a group"),
        (r"(a|b){5,}", "repeat a group"),
        (".*.*.*.*(x)", "more than 3"),
        ("a?" * 6 + "(a)", "5 repetitions"),
        ("([[]+)", "in two ways"),
        ("(" + "x" * 200 + ")", "longer than 200"),
        ("(" + "(?:" * 90 + ")" * 91, None),
        ("(a{99999999999999999999})", "not a regular expression"),
    ],
)
def test_patterns_that_are_refused(pattern: str, problem: str | None) -> None:
    found = problem_of_pattern(pattern)
    assert found is not None
    assert problem is None or problem in found


@pytest.mark.parametrize("pattern", [".*.*.*(x)", r".*\d*.*(x)", "(?:.*.*.*)?(x)"])
def test_no_pattern_that_is_taken_hangs(pattern: str) -> None:
    assert problem_of_pattern(pattern) is None
    begun = time.process_time()
    with pytest.raises(ValueError, match="does not match"):
        balance_in("a" * 10_000, pattern)
    assert time.process_time() - begun < 10


@given(st.text("ab(|)*+?{2,}[]\\.d^$", max_size=40))
def test_every_pattern_is_judged(pattern: str) -> None:
    assert problem_of_pattern(pattern) is None or isinstance(problem_of_pattern(pattern), str)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("balance_pattern", "(a+)+"),
        ("balance_ussd", "call me"),
        ("balance_ussd", "*123#>"),
        ("balance_every", -1),
    ],
)
def test_settings_that_cannot_work_are_named(key: str, value: object) -> None:
    _, [problem] = MODEMS.validate({"name": "m0", key: value})
    assert problem.field == f"modems.{key}"


def test_settings_that_work() -> None:
    values = {"name": "m0", "balance_ussd": "*123#>1>Pulsa", "balance_pattern": r"(\d+)"}
    assert MODEMS.validate(values)[1] == []
    assert re.fullmatch(CODE, "*123#")


# -- reading -----------------------------------------------------------------------------------------------------------


class Sims:
    """A bench whose modems answer USSD by a script: text, or a `UssdAnswer`, or an error."""

    def __init__(self, bench: DispatchBench) -> None:
        self.bench = bench
        self.sessions = UssdSessions(self.workers)
        self.low: list[BalanceLow] = []
        self.asked: list[str] = []
        bench.events.subscribe(BalanceLow, self.low.append)
        self.balances = Balances(self.sessions, self.workers, bench.events)

    def workers(self) -> list[ModemWorker]:
        return modem_workers(self.bench.dispatch.workers())

    def add(self, name: str, *script: object) -> None:
        modem: Any = self.bench.add(name)
        answers = deque(script)

        def ussd(text: str) -> None:
            self.asked.append(f"{name} {text}")
            answer = answers.popleft()
            if isinstance(answer, Exception):
                raise answer
            self.sessions.answered(
                name, answer if isinstance(answer, UssdAnswer) else UssdAnswer(UssdStatus.FINISHED, str(answer))
            )

        modem.ussd = ussd
        modem.cancel_ussd = lambda: self.asked.append(f"{name} cancelled")


@pytest.fixture
def sims(bench: DispatchBench) -> Iterator[Sims]:
    sims = Sims(bench)
    yield sims
    sims.sessions.stop()


MENU = UssdAnswer(UssdStatus.REPLY_WANTED, "1 Pulsa\n2 Paket")


def test_a_balance_is_read_and_shown(sims: Sims) -> None:
    sims.add("m0", "Pulsa Rp12.500")
    sims.balances.configure({"m0": BalancePlan("*123#"), "m1": BalancePlan("")})
    assert sims.balances.describe("m0")["balance"] is None
    assert sims.balances.describe("m1") == {}
    assert sims.balances.modems() == ["m0"]
    sims.balances.read("m0")
    shown = sims.balances.describe("m0")
    assert (shown["balance"], shown["balance_low"], shown["balance_problem"]) == (12_500, False, "")
    assert abs(shown["balance_read"] - time.time()) < 10


def test_a_menu_is_gone_through(sims: Sims) -> None:
    sims.add("m0", MENU, "Pulsa Rp1.000", MENU, UssdAnswer(UssdStatus.REPLY_WANTED, "Pulsa Rp2.000\n0 Keluar"), "Bye 9")
    sims.balances.configure({"m0": BalancePlan("*100#>1")})
    assert sims.balances.read("m0").amount == 1000
    assert sims.asked == ["m0 *100#", "m0 1"]
    assert sims.balances.read("m0").amount == 2000
    until(lambda: sims.asked[-1] == "m0 cancelled")
    sims.balances.configure({"m0": BalancePlan("*100#>1>2")})
    with pytest.raises(NotAccepted, match="ended before"):
        sims.balances.read("m0")


def test_a_low_balance_is_told_once_until_it_has_recovered(sims: Sims, caplog: pytest.LogCaptureFixture) -> None:
    sims.add("m0", *(f"Rp{amount}" for amount in (9_000, 8_000, 20_000, 7_000)))
    sims.balances.configure({"m0": BalancePlan("*123#", low=10_000)})
    for told, warnings in ((1, 1), (1, 1), (1, 0), (2, 1)):
        sims.balances.read("m0")
        assert len(sims.low) == told
        assert caplog.text.count("its balance is low") == told
        assert len(sims.balances.warnings()) == warnings
    first = sims.low[0]
    assert (first.egress, first.balance, first.threshold) == ("m0", 9000.0, 10_000)
    assert "modem m0" in sims.balances.warnings()[0]


def test_what_cannot_be_read_is_shown_and_the_old_balance_stays(sims: Sims, caplog: pytest.LogCaptureFixture) -> None:
    secret = "Sisa rahasia 99"
    sims.add("m0", "Pulsa Rp100", secret, secret, ModemLost("it was unplugged"))
    sims.balances.configure({"m0": BalancePlan("*123#", pattern=r"Rp(\d+)")})
    sims.balances.read("m0")
    for _ in range(2):
        with pytest.raises(NotAccepted, match="does not match"):
            sims.balances.read("m0")
    shown = sims.balances.describe("m0")
    assert (shown["balance"], shown["balance_problem"]) == (100, "the answer does not match balance_pattern")
    with pytest.raises(NotAccepted, match="unplugged"):
        sims.balances.read("m0")
    assert sims.balances.describe("m0")["balance_problem"] == "the answer does not match balance_pattern"
    assert caplog.text.count("could not be read") == 1
    assert "rahasia" not in caplog.text + str(shown)
    with pytest.raises(NotAccepted, match="balance_ussd"):
        sims.balances.read("m1")


@pytest.fixture
def scheduled(sims: Sims, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Run the schedule with short times."""
    monkeypatch.setattr(balance, "_FIRST", 0.02)
    monkeypatch.setattr(balance, "_SPREAD", 0.02)
    monkeypatch.setattr(balance, "_LATER", 0.02)
    thread = threading.Thread(target=sims.balances.run)
    thread.start()
    yield sims.balances.configure
    sims.balances.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_the_schedule_reads_each_in_its_turn_and_again(sims: Sims, scheduled: Callable[..., None]) -> None:
    for name in ("m0", "m1", "never"):
        sims.add(name, *(f"Rp{number}" for number in range(1000)))
    scheduled({"m0": BalancePlan("*1#", every=0.05), "m1": BalancePlan("*1#", every=3600), "never": BalancePlan("*1#")})
    until(lambda: sims.asked.count("m0 *1#") > 2 and "m1 *1#" in sims.asked)
    assert sims.asked.count("m1 *1#") == 1
    assert not any("never" in one for one in sims.asked)
    scheduled({"m1": BalancePlan("*1#", every=3600)})
    asked = len(sims.asked)
    assert sims.asked.count("m1 *1#") == 1
    assert len(sims.asked) <= asked + 1


def test_the_settings_may_change_while_a_balance_is_read(sims: Sims, scheduled: Callable[..., None]) -> None:
    sims.add("m0", "Rp5", "Rp6")
    modem: Any = sims.bench.modems["m0"]
    answer = modem.ussd

    def ussd(text: str) -> None:
        sims.balances.configure({})
        answer(text)

    modem.ussd = ussd
    for code in ("*1#", "*2#"):
        scheduled({"m0": BalancePlan(code, every=3600)})
        until(lambda code=code: f"m0 {code}" in sims.asked)  # type: ignore[misc]


def test_a_stop_at_any_moment_ends_the_schedule(sims: Sims) -> None:
    class Slow(threading.Event):
        def clear(self) -> None:
            sims.balances.stop()
            super().clear()

    sims.balances._changed = Slow()
    thread = threading.Thread(target=sims.balances.run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_modem_that_is_gone_has_no_low_balance(sims: Sims) -> None:
    sims.add("m0", "Rp5")
    sims.balances.configure({"m0": BalancePlan("*1#", low=10)})
    sims.balances.read("m0")
    assert sims.balances.warnings() == ["modem m0: its balance is low (5.00)"]
    sims.balances.configure({})
    assert sims.balances.warnings() == []


def test_the_schedule_lets_messages_go_first(sims: Sims, scheduled: Callable[..., None]) -> None:
    sims.add("m0", "Rp5", "Rp6")
    modem = sims.bench.modems["m0"]
    modem.gate.clear()
    record = sims.bench.enqueue()
    until(modem.sending.is_set)
    scheduled({"m0": BalancePlan("*1#", every=3600)})
    until(lambda: sims.balances._due["m0"] - time.monotonic() < 60)
    assert sims.asked == []
    modem.gate.set()
    sims.bench.end(record)
    until(lambda: sims.asked == ["m0 *1#"])
    until(lambda: sims.balances.describe("m0")["balance"] == 5)


def test_the_schedule_waits_for_a_modem_that_is_not_ready(sims: Sims, scheduled: Callable[..., None]) -> None:
    sims.add("m0", "Rp5")
    modem = sims.bench.modems["m0"]
    modem.openings.append(ModemLost("it is away"))
    modem.lose()
    scheduled({"m0": BalancePlan("*1#", every=3600)})
    until(lambda: sims.balances.describe("m0")["balance"] == 5)
    assert isinstance(modem, Modem)
    sims.bench.until_state("m0", ModemState.READY)
