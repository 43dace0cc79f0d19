"""The otp of one-time passwords: once, in time, by the right one, with few attempts, and over a restart."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import NotSent, Rejected, Unconfirmed
from otppi.api.events import DeliveryOutcome, DeliveryReport
from otppi.api.ingress import Origin, Sender
from otppi.api.message import State
from otppi.host.messages.refusal import NotAccepted
from otppi.host.otp import book as otp_book
from otppi.host.otp.book import CodeBook
from otppi.host.otp.one_time import OneTimePasswords, Verification, open_passwords
from otppi.host.otp.settings import OTP
from otppi.host.records.record import Record
from otppi.host.storage.sealed import SealedFile
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import ScriptedModem, until
from otppi.testing.values import values_of
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import Item, ResponseCode

APP = Origin("ingress-rest", Sender("app"))
OTHER = Origin("ingress-rest", Sender("other"))
BROKER = Origin("ingress-broker", Sender("app"), kept_by_source=True)
AGAIN = Origin("ingress-broker", Sender("app"), kept_by_source=True, redelivered=True)
NUMBER = "6281200000001"
KEY = b"k" * 32
OK, WRONG, EXPIRED, TOO_MANY = (
    ResponseCode.SUCCESS,
    ResponseCode.WRONG_OTP,
    ResponseCode.EXPIRED,
    ResponseCode.TOO_MANY,
)


class OtpBench:
    """A bench with a modem and one-time passwords whose clock a test moves."""

    def __init__(self, bench: DispatchBench, file: Path, **values: Any) -> None:
        self.bench = bench
        self.file = file
        self.values = values_of(OTP, **values)
        self.ahead = 0.0
        self.modem: ScriptedModem = bench.modems.get("m0") or bench.add("m0")
        self.passwords = self._open()

    def _open(self) -> OneTimePasswords:
        sealed = SealedFile(self.file, KEY)
        otp = OneTimePasswords(self.values, self.bench.dispatch, KEY, CodeBook(sealed), self.now)
        otp.restore()
        self.told = otp.subscribe_to(self.bench.events)
        return otp

    def restart(self) -> None:
        """Go on as after a kill: what is known is what is in the file."""
        self.passwords.close()
        self.hear_nothing()
        self.passwords = self._open()

    def hear_nothing(self) -> None:
        for one in self.told:
            one.end()

    def now(self) -> float:
        return time.monotonic() + self.ahead

    def use(self, **values: Any) -> None:
        self.values = values_of(OTP, **{**self.values, **values})
        self.passwords.configure(self.values)

    def ask(
        self,
        reference: str = "login",
        receiver: str = NUMBER,
        *,
        origin: Origin = APP,
        client_id: str | None = None,
        **more: Any,
    ) -> Record:
        item = Item(id=client_id, receiver=receiver, reference=reference, message="Kode %s", **more)
        draft = self.passwords.draft(item)
        assert draft.item.expiration is not None
        record = Record.of(origin, client_id, receiver, draft.item.message, float(draft.item.expiration))
        if client_id is not None or origin.kept_by_source:
            record.digest = b"of the text"
        return self.passwords.submit(draft, record)

    def request(self, reference: str = "login", receiver: str = NUMBER, **more: Any) -> str:
        """Request a code, and give it as the receiver reads it."""
        record = self.ask(reference, receiver, **more)
        assert self.bench.end(record) == (State.SENT,)
        (text,) = [sent.text for sent in self.bench.outbox[-1:] if sent.destination == receiver]
        return text.removeprefix("Kode ")

    def verify(
        self, otp: str, reference: str = "login", receiver: str | None = NUMBER, *, origin: Origin = APP, **more: Any
    ) -> Verification:
        return self.passwords.verify(Item(reference=reference, otp=otp, **more), receiver, origin)

    def count(self, name: str) -> float:
        return self.passwords.counters()["otp_total"][f'result="{name}"']

    @property
    def open(self) -> float:
        return self.passwords.counters()["otp_open"][""]


@pytest.fixture
def make_otp(make_bench: Callable[..., DispatchBench], tmp_path: Path) -> Iterator[Callable[..., OtpBench]]:
    made: list[OtpBench] = []

    def make(**values: Any) -> OtpBench:
        made.append(OtpBench(make_bench(), tmp_path / f"otp-{len(made)}", **values))
        return made[-1]

    yield make
    for one in made:
        one.passwords.close()
        one.hear_nothing()


@pytest.fixture
def otp(make_otp: Callable[..., OtpBench]) -> OtpBench:
    return make_otp(resend_interval=60)


def wrong_of(code: str) -> str:
    return str((int(code) + 1) % 1_000_000).zfill(6)


def refusal(call: Callable[[], object]) -> NotAccepted:
    with pytest.raises(NotAccepted) as caught:
        call()
    return caught.value


# -- verifying ---------------------------------------------------------------------------------------------------------


def test_a_code_is_right_once(otp: OtpBench) -> None:
    code = otp.request()
    assert (len(code), code.isdigit()) == (6, True)
    assert otp.verify(code).code is OK
    again = otp.verify(code)
    assert (again.code, again.cause) == (WRONG, "no one-time password waits for this reference and receiver")
    assert [otp.count(name) for name in ("requested", "verified", "wrong")] == [1, 1, 1]


def test_of_two_that_verify_at_once_one_is_right(otp: OtpBench) -> None:
    otp.use(resend_interval=0, per_receiver_per_hour=0)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            code = otp.request()
            ready = threading.Barrier(8)

            def one(code: str = code, ready: threading.Barrier = ready) -> Verification:
                ready.wait(PATIENCE)
                return otp.verify(code)

            codes = [done.result().code for done in [pool.submit(one) for _ in range(8)]]
            assert sorted(codes) == [OK] + 7 * [WRONG]


@pytest.mark.parametrize(
    "typed", ["{} ", "{0[0]}{0[1]}{0[2]}-{0[3]}{0[4]}{0[5]}", "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}"]
)
def test_as_people_type_it(otp: OtpBench, typed: str) -> None:
    assert otp.verify(typed.format(otp.request())).code is OK


def test_letters_in_small_are_right(make_otp: Callable[..., OtpBench]) -> None:
    otp = make_otp(alphabet="letters", code_length=8)
    code = otp.request()
    assert len(code) == 8
    assert otp.verify(code.lower()).code is OK


def test_a_code_is_bound_to_sender_reference_receiver_and_parameters(otp: OtpBench) -> None:
    code = otp.request(params=("a", "b", None, "d"))
    right = {"params": ("a", "b", None, "d")}
    for wrong in (
        {"origin": OTHER},
        {"origin": BROKER},
        {"reference": "other"},
        {"receiver": "6281200000002"},
    ):
        assert otp.verify(code, **{**right, **wrong}).cause.startswith("no one-time password waits")  # type: ignore[arg-type]
    for params in (("a", "b", None, None), ("b", "a", None, "d"), ("a", "b", "d", None)):
        assert otp.verify(code, params=params).code is WRONG
    assert otp.verify(code, params=("a", "b", "", "d")).code is OK  # one left out is like an empty one


def test_anyone_may_verify_where_that_is_set(otp: OtpBench) -> None:
    otp.use(verifier="anyone")
    assert otp.verify(otp.request(origin=BROKER), origin=APP).code is OK


def test_the_receiver_may_be_left_out_where_it_is_clear(otp: OtpBench) -> None:
    code = otp.request()
    assert otp.verify(code, receiver=None).code is OK
    assert otp.verify(code, receiver=None).code is WRONG
    other = otp.request(receiver="6281200000002")
    third = otp.request(receiver="6281200000003")
    unclear = otp.verify(other, receiver=None)
    assert (unclear.code, unclear.ambiguous) == (ResponseCode.MALFORMED, True)
    assert otp.verify(third, receiver="6281200000003").code is OK
    assert otp.verify(other, receiver=None).code is OK


def test_wrong_ones_say_how_many_are_left_and_end_the_code(otp: OtpBench) -> None:
    otp.use(attempts=3)
    code = otp.request()
    assert [otp.verify(wrong_of(code)).attempts_left for _ in range(2)] == [2, 1]
    void = otp.verify(wrong_of(code))
    assert (void.code, void.attempts_left) == (TOO_MANY, None)
    assert 50 < (void.retry_after or 0) <= 60  # when a new one may be requested
    assert otp.verify(code).code is TOO_MANY, "the right one too"
    assert otp.open == 0
    otp.ahead += 61
    assert otp.verify(code).retry_after == 1
    assert otp.verify(otp.request()).code is OK
    assert [otp.count(name) for name in ("wrong", "limited", "verified")] == [2, 3, 1]


def test_wrong_ones_are_limited_over_all_codes(otp: OtpBench) -> None:
    otp.use(attempts=3, wrong_per_hour=4, resend_interval=0)
    code = otp.request()
    for _ in range(3):
        otp.verify(wrong_of(code))
    code = otp.request()
    otp.verify(wrong_of(code))
    late = otp.verify(code)
    assert late.code is TOO_MANY
    assert 3590 < (late.retry_after or 0) <= 3600
    assert "too many wrong" in refusal(otp.ask).cause, "no SMS for a code that cannot be verified"
    assert otp.verify(otp.request("another"), "another").code is OK
    otp.ahead += 3601
    assert otp.verify(otp.request()).code is OK


def test_an_expired_code_is_told_as_such_and_its_hash_is_wiped(otp: OtpBench) -> None:
    code = otp.request()
    otp.ahead += 299
    assert otp.verify(wrong_of(code)).code is WRONG
    otp.ahead += 2
    assert otp.verify(code).code is EXPIRED
    assert otp.count("expired") == 1
    assert all(one.hash == b"" for one in otp.passwords._book._codes.values())
    otp.ahead += 3600
    assert otp.verify(code).code is WRONG, "nothing is known of it any more"
    assert (otp.open, otp.passwords._book._codes, otp.passwords._book._at) == (0, {}, {})


def test_code_and_message_end_together(otp: OtpBench) -> None:
    end = int(time.time()) + 40
    record = otp.ask(expiration=end)
    assert record.expires == end
    otp.ahead += 41
    assert otp.verify("000000").code is EXPIRED
    assert otp.ask("b", expiration=end + 10**6).expires <= time.time() + 86_401, "a day at most"
    late = otp.ask("c", date_time=int(time.time()) - 200)
    assert 95 <= late.expires - time.time() <= 101, "the lifetime counts from when the request was made"


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


# -- over a restart ----------------------------------------------------------------------------------------------------


def test_codes_attempts_and_limits_survive_a_restart(otp: OtpBench) -> None:
    otp.use(attempts=3, per_receiver_per_hour=2)
    code = otp.request()
    assert otp.verify(wrong_of(code)).attempts_left == 2
    otp.restart()
    assert refusal(otp.ask).cause.startswith("a one-time password was sent a moment ago")
    assert otp.verify(wrong_of(code)).attempts_left == 1
    otp.restart()
    assert otp.verify(code).code is OK
    otp.restart()
    assert otp.verify(code).code is WRONG
    otp.request()
    otp.restart()
    otp.ahead += 61
    assert "this receiver" in refusal(otp.ask).cause


def test_a_kill_amid_a_change_leaves_the_newer_truth(otp: OtpBench, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = [otp.request(str(number)) for number in range(2)]
    with monkeypatch.context() as killed:
        killed.setattr(SealedFile, "erase", lambda *_: None)  # the new is written, the old is not erased
        assert otp.verify(wrong_of(codes[0]), "0").attempts_left == 4
        assert otp.verify(codes[1], "1").code is OK
    for _ in range(2):
        otp.restart()
        assert otp.verify(codes[1], "1").code is WRONG
        assert otp.passwords._book._file is not None
        assert len(otp.passwords._book._file) == 2
    assert otp.verify(wrong_of(codes[0]), "0").attempts_left == 3


def test_limits_go_on_over_a_restart(otp: OtpBench) -> None:
    otp.use(wrong_per_hour=2, guard_requests=4, guard_percent=50, per_receiver_per_hour=0)
    codes = [otp.request(str(number)) for number in range(4)]
    for _ in range(2):
        otp.verify(wrong_of(codes[0]), "0")
    for number in (1, 2):
        assert otp.verify(codes[number], str(number)).code is OK
    otp.ahead += 130
    otp.restart()
    assert otp.verify(codes[0], "0").code is TOO_MANY
    otp.ask("the guard knows that two of four were verified")
    otp.use(guard_percent=60)
    otp.ahead += 130
    assert "too few" in refusal(lambda: otp.ask("two of five")).cause


def test_a_void_code_stays_void_over_a_restart(otp: OtpBench) -> None:
    otp.use(attempts=2)
    code = otp.request()
    for _ in range(2):
        otp.verify(wrong_of(code))
    otp.restart()
    assert otp.verify(code).code is TOO_MANY
    otp.ahead += 400
    assert otp.verify(code).code is EXPIRED
    otp.restart()
    assert otp.verify(code).code is EXPIRED


def test_a_replaced_code_stays_dead_over_a_restart(otp: OtpBench) -> None:
    old = otp.request()
    otp.ahead += 61
    new = otp.request()
    otp.restart()
    assert otp.verify(new if old == new else old).code is (OK if old == new else WRONG)
    assert old == new or otp.verify(new).code is OK
    otp.restart()
    assert otp.verify(old).cause.startswith("no one-time password waits")


def test_a_code_whose_message_failed_meanwhile_is_void_after_a_restart(otp: OtpBench) -> None:
    otp.hear_nothing()  # the kill comes before the otp is told
    otp.modem.script.append(Rejected("refused"))
    assert otp.bench.end(otp.ask()) == (State.FAILED,)
    otp.restart()
    assert otp.open == 0
    otp.request()


def test_a_kill_before_the_message_was_taken_holds_nobody_up(otp: OtpBench) -> None:
    code = otp.request()
    otp.ahead += 61
    take, otp.bench.dispatch.enqueue = otp.bench.dispatch.enqueue, _killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        otp.ask()
    otp.bench.dispatch.enqueue = take  # type: ignore[method-assign]
    otp.restart()
    assert otp.open == 1, "the one before was not replaced"
    assert otp.verify(code).code is OK


def _killed(record: Record) -> Record:
    raise KeyboardInterrupt


def test_a_file_of_another_life_or_program_is_forgotten(otp: OtpBench, caplog: pytest.LogCaptureFixture) -> None:
    otp.ahead += 5000
    code = otp.request()
    otp.ahead -= 5000  # the device was switched on anew
    otp.restart()
    assert otp.verify(code).code is WRONG
    otp.passwords.close()
    emptied = SealedFile(otp.file, KEY)
    assert emptied.entries() == []
    emptied.close()
    with_strange = SealedFile(otp.file, KEY)
    with_strange.entries()
    for payload in (b"", b"[]", b"{}", b'["a"]', b"\xff", b'["m","zz","62",1,1,1,1,"open",false]'):
        with_strange.put(payload)
    with_strange.close()
    otp.passwords = otp._open()
    assert otp.open == 0
    assert "another version" in caplog.text
    assert otp.verify(otp.request()).code is OK


def test_a_full_disk_costs_the_restart_only(otp: OtpBench, caplog: pytest.LogCaptureFixture) -> None:
    book = otp.passwords._book
    assert book._file is not None

    def full(payload: bytes) -> int:
        raise OSError(28, "No space left on device")

    put, book._file.put = book._file.put, full  # type: ignore[method-assign]
    code = otp.request()
    assert "would not survive a crash" in caplog.text
    assert otp.verify(wrong_of(code)).attempts_left == 4
    assert otp.verify(code).code is OK
    book._file.put = put  # type: ignore[method-assign]


def test_without_a_ram_disk_codes_are_in_memory_only(
    bench: DispatchBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("otppi.host.otp.one_time.on_ram_disk", lambda folder: False)
    open_passwords(values_of(OTP), bench.dispatch, tmp_path).close()
    assert not (tmp_path / "otp").exists()
    assert "do not survive a restart" in caplog.text
    monkeypatch.setattr("otppi.host.otp.one_time.on_ram_disk", lambda folder: True)
    open_passwords(values_of(OTP), bench.dispatch, tmp_path).close()
    assert (tmp_path / "otp").stat().st_mode & 0o777 == 0o600


# -- secrecy -----------------------------------------------------------------------------------------------------------


def test_codes_and_hashes_are_in_no_repr_log_or_file(otp: OtpBench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    code = otp.request()
    item = Item(reference="login", otp=code)
    draft = otp.passwords.draft(Item(reference="a", receiver=NUMBER, message="Kode %s"))
    (known,) = otp.passwords._book._codes.values()
    shown = f"{known!r} {draft!r} {item!r} {otp.passwords.verify(item, NUMBER, APP)!r} {otp.passwords.counters()!r}"
    for secret in (code, draft.code, known.hash.hex() or "-", NUMBER):
        assert secret not in shown
        assert secret not in caplog.text
    for path in otp.bench.folder.parent.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert code.encode() not in content, path
