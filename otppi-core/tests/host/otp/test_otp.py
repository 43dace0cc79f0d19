"""Verifying one-time passwords: once, in time, by the right one, with few attempts; nothing of them is readable."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from otppi.host.otp.one_time import Verification
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import Item, ResponseCode

from .conftest import APP, BROKER, EXPIRED, NUMBER, OK, OTHER, TOO_MANY, WRONG, OtpBench, refusal, wrong_of

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
