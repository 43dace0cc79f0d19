"""Requests of one-time passwords: intervals, messages that fail, the same request twice, bounds."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from otppi.api.errors import NotSent, Rejected, Unconfirmed
from otppi.api.events import DeliveryOutcome, DeliveryReport
from otppi.api.ingress import Origin, Sender
from otppi.api.message import State
from otppi.host.otp import book as otp_book
from otppi.testing.scripted import until
from otppi.wire.envelope import ResponseCode

from .conftest import AGAIN, BROKER, NUMBER, OK, TOO_MANY, WRONG, OtpBench, refusal, wrong_of

# -- requesting --------------------------------------------------------------------------------------------------------


def test_a_new_code_replaces_the_old_but_not_at_once(otp: OtpBench) -> None:
    old = otp.request()
    early = refusal(otp.ask)
    assert early.code is TOO_MANY
    assert 50 < (early.retry_after or 0) <= 60
    assert otp.count("limited") == 1
    otp.ahead += 61
    new = otp.request()
    assert otp.open == 1
    assert sorted(bool(one.hash) for one in otp.passwords._book._codes.values()) == [False, True]
    if old != new:
        assert otp.verify(old).code is WRONG
    assert otp.verify(new).code is OK
    otp.request()  # nothing holds up who has verified


@pytest.mark.parametrize("error", [Rejected("refused"), NotSent("the network is away")])
def test_a_message_that_failed_frees_the_interval_and_voids_the_code(otp: OtpBench, error: Exception) -> None:
    texts: list[str] = []

    def fail(message: Any) -> None:
        texts.append(message.text)
        raise error

    otp.use(per_receiver_per_hour=1)  # what did not go out does not count
    otp.modem.script.extend([fail] * (1 if isinstance(error, Rejected) else 3))
    record = otp.ask()
    assert otp.bench.end(record) == (State.FAILED,)
    until(lambda: otp.open == 0, "the code is void")
    assert otp.verify(texts[0].removeprefix("Kode ")).cause.startswith("no one-time password waits")
    assert otp.verify(otp.request()).code is OK


def test_a_sender_who_is_told_of_the_failure_may_ask_at_once(otp: OtpBench) -> None:
    otp.hear_nothing()  # it asks before the otp is told
    otp.modem.script.append(Rejected("refused"))
    assert otp.bench.end(otp.ask()) == (State.FAILED,)
    otp.request()


def test_a_message_that_is_refused_at_once_costs_nothing(otp: OtpBench) -> None:
    otp.use(per_receiver_per_hour=1)
    otp.bench.dispatch.replace_egresses([])
    for _ in range(3):
        assert refusal(otp.ask).code is ResponseCode.NO_MODEM
    assert (otp.open, otp.count("requested"), len(otp.passwords._book._codes)) == (0, 0, 0)
    otp.modem = otp.bench.add("m1")
    otp.request()
    otp.use(resend_interval=0)
    assert "this receiver" in refusal(otp.ask).cause


def test_an_unconfirmed_message_keeps_its_code(otp: OtpBench) -> None:
    texts: list[str] = []

    def lose(message: Any) -> None:
        otp.modem.hooks.before_dispatch()
        texts.append(message.text)
        raise Unconfirmed("no answer")

    otp.modem.script.append(lose)
    assert otp.bench.end(otp.ask()) == (State.UNCONFIRMED,)
    assert refusal(otp.ask).code is TOO_MANY
    assert otp.verify(texts[0].removeprefix("Kode ")).code is OK


def test_an_undelivered_message_frees_the_interval_and_keeps_its_code(otp: OtpBench) -> None:
    old = otp.request()
    record = next(iter(otp.bench.dispatch.records._by_id.values()))
    report = DeliveryReport(NUMBER, record.progress.references[0], DeliveryOutcome.FAILED, 0x41, time.time())
    otp.bench.dispatch.reported("m0", report)
    assert record.state is State.UNDELIVERED
    assert otp.verify(wrong_of(old)).attempts_left == 4
    new = otp.request()
    assert otp.verify(new).code is OK


def test_a_message_that_waits_too_long_voids_its_code(otp: OtpBench) -> None:
    otp.modem.gate.clear()
    blocker = otp.bench.enqueue("6281299999999")
    until(otp.modem.sending.is_set)
    record = otp.ask(expiration=int(time.time()) + 2)
    assert otp.open == 1
    assert otp.bench.end(record) == (State.EXPIRED,)
    until(lambda: otp.open == 0)
    otp.modem.gate.set()
    otp.bench.end(blocker)


# -- the same request twice --------------------------------------------------------------------------------------------


def test_the_same_request_of_another_sender_has_a_code_of_its_own(otp: OtpBench) -> None:
    first = otp.ask(client_id="7")
    other = otp.ask(client_id="7", origin=BROKER)
    otp.bench.end(first, other)
    codes = [text.removeprefix("Kode ") for text in otp.bench.texts]
    assert (len(codes), other.follows) == (2, None)
    assert otp.verify(codes[1], origin=BROKER).code is OK
    assert otp.verify(codes[0]).code is OK


def test_the_same_request_by_two_ways_has_one_code_where_anyone_may_verify(otp: OtpBench) -> None:
    otp.use(verifier="anyone")
    first, another = otp.ask(client_id="7"), Origin("broker", Sender("ingress-broker"))
    other = otp.ask(client_id="7", origin=another)
    assert otp.bench.end(first, other) == (State.SENT, State.SENT)
    assert other is not first
    (text,) = otp.bench.texts
    assert otp.verify(text.removeprefix("Kode "), origin=another).code is OK


def test_the_same_id_makes_one_code(otp: OtpBench) -> None:
    first = otp.ask(client_id="7")
    otp.bench.end(first)
    assert otp.ask(client_id="7") is first
    other = otp.ask(client_id="7", reference="other")
    assert otp.bench.end(other) == (State.SENT,)
    assert refusal(lambda: otp.ask(client_id="8")).code is TOO_MANY
    assert (otp.count("requested"), otp.open, len(otp.bench.texts)) == (2, 2, 2)
    assert otp.verify(otp.bench.texts[0].removeprefix("Kode ")).code is OK


def test_a_redelivered_request_makes_no_new_code(otp: OtpBench) -> None:
    first = otp.ask(origin=BROKER)
    assert otp.ask(origin=AGAIN) is first
    otp.bench.end(first)
    assert otp.ask(origin=AGAIN) is first
    assert len(otp.bench.texts) == 1
    assert otp.verify(otp.bench.texts[0].removeprefix("Kode "), origin=BROKER).code is OK
    assert otp.ask(origin=AGAIN) is first, "verified or not"
    assert otp.ask(origin=AGAIN, params=("x", None, None, None)) is not first


def test_a_redelivered_request_whose_message_failed_is_sent(otp: OtpBench) -> None:
    otp.modem.script.append(Rejected("refused"))
    first = otp.ask(origin=BROKER, client_id="7")
    assert otp.bench.end(first) == (State.FAILED,)
    again = otp.ask(origin=AGAIN, client_id="7")
    assert again is not first
    assert otp.bench.end(again) == (State.SENT,)


def test_two_same_requests_at_once_make_one_code(otp: OtpBench) -> None:
    otp.use(resend_interval=0, per_receiver_per_hour=0)
    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            asked = [pool.submit(otp.ask, client_id=str(number)) for _ in range(8)]
            assert len({one.result().message_id for one in asked}) == 1
    until(lambda: len(otp.bench.texts) == 20)
    assert otp.count("requested") == 20


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_open_codes_are_bounded(otp: OtpBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otp_book, "MOST_CODES", 3)
    codes = [otp.request(str(number)) for number in range(3)]
    full = refusal(lambda: otp.ask("one more"))
    assert (full.code, full.retry_after) == (ResponseCode.QUEUE_FULL, 60)
    assert otp.verify(codes[1], "1").code is OK
    otp.request("one more")  # in the place of the one that is over
    assert otp.verify(codes[0], "0").code is OK


def test_a_limit_of_requests_is_told_with_its_time(otp: OtpBench) -> None:
    otp.use(per_receiver_per_hour=2, resend_interval=0)
    otp.request()
    otp.request()
    refused = refusal(otp.ask)
    assert (refused.code, "this receiver" in refused.cause) == (TOO_MANY, True)
    assert otp.passwords.warnings() == []
    otp.use(per_receiver_per_hour=0, per_hour=2)
    refusal(otp.ask)
    assert otp.passwords.warnings() == [
        "requests for one-time passwords are refused: 2 one-time passwords an hour are the limit for all receivers"
        " together"
    ]


def test_what_is_over_is_dropped_from_heap_and_file(
    make_otp: Callable[..., OtpBench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otp_book, "MOST_CODES", 5)
    otp = make_otp(resend_interval=0, per_receiver_per_hour=0, per_prefix_per_hour=0, guard_requests=0)
    for number in range(40):
        assert otp.verify(otp.request(str(number)), str(number)).code is OK
    book = otp.passwords._book
    assert len(book._codes) <= 5
    assert len(book._due) <= 10
    assert book._file is not None
    assert len(book._file) == len(book._codes)
