"""Records, and how long they are remembered."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.api.message import State
from otppi.host.records import table as lifecycle
from otppi.host.records.record import Record, Status
from otppi.host.records.table import Records
from otppi.testing.bench import ORIGIN

KEY = bytes(32)


def record(digest: bytes = b"") -> Record:
    one = Record.of(ORIGIN, "1", "6281200000001", "a text", time.time() + 60)
    one.digest = digest
    return one


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_digests_name_the_whole_triple(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    records = Records(KEY)
    assert (records.digest(*one) == records.digest(*other)) is (one == other)
    assert Records(b"another key").digest(*one) != records.digest(*one)


def test_a_surrogate_that_came_in_has_a_digest_too() -> None:
    assert len(Records(KEY).digest("\ud800", "", "")) == 16


def test_the_oldest_final_records_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "_KEPT_FINAL", 10)
    records = Records(KEY)
    kept = [record(bytes([number])) for number in range(30)]
    for one in kept:
        one.become(Status(State.SENT))
        records.add(one)
    assert [records.get(one.message_id) for one in kept] == [None] * 20 + kept[20:]
    assert records.earlier(kept[0].digest, 600) is None
    assert records.earlier(kept[29].digest, 600) is kept[29]


def test_what_waits_long_is_kept_and_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "_KEPT_FINAL", 10)
    records = Records(KEY)
    waiting = [record(), record()]
    for one in waiting:
        records.add(one)
    final = [record() for _ in range(100)]
    for one in final:
        one.become(Status(State.SENT))
        records.add(one)
    assert records.open() == waiting or records.open() == waiting[::-1]
    assert sum(records.get(one.message_id) is one for one in final) <= 12
    assert set(waiting) <= set(records.latest())


def test_a_clock_that_jumps_neither_makes_duplicates_nor_forgets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    records = Records(KEY)
    one = record(b"digest")
    records.add(one)
    for jump in (10**9, -(10**9)):
        with monkeypatch.context() as patch:
            now = time.time()
            patch.setattr(time, "time", lambda now=now, jump=jump: now + jump)
            assert records.earlier(b"digest", 600) is one
    one.taken -= 601
    assert records.earlier(b"digest", 600) is one, "it is still on its way"
    one.become(Status(State.SENT))
    assert records.earlier(b"digest", 600) is None


def test_went_out_is_what_may_be_with_the_receiver() -> None:
    assert {state for state in State if not state.went_out} == {State.FAILED, State.EXPIRED, State.BLOCKED}
    assert {state for state in State if not state.final} == {State.QUEUED, State.SENDING}
