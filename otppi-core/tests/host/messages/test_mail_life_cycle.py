"""A message by a mail account goes through the whole life that an SMS has: no second life cycle, no SMTP needed."""

import json
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from otppi.api.egress import Channel, EgressState
from otppi.api.errors import Blocked, Deferred, Lost, NotSent, Rejected, Unconfirmed, Unfit
from otppi.api.message import State
from otppi.host.gateway.health import Overview
from otppi.host.messages import deferred, worker
from otppi.host.messages.answers import of_record
from otppi.host.messages.refusal import NotAccepted
from otppi.host.meter.limits import Limits
from otppi.host.records.record import Record
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import ResponseCode

ANI, BUDI, CITRA = "ani@example.com", "budi@example.com", "citra@example.org"
MakeBench = Callable[..., DispatchBench]


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "_PAUSES", (0.01,))
    monkeypatch.setattr(deferred, "_LAST_TRY", 0.0)


def refusal(bench: DispatchBench, receiver: str = ANI, **options: Any) -> NotAccepted:
    with pytest.raises(NotAccepted) as caught:
        bench.enqueue(receiver, **options)
    return caught.value


def overview(bench: DispatchBench) -> Overview:
    return Overview(bench.dispatch, [bench.dispatch], lambda _: {}, dict)


# -- which egress ------------------------------------------------------------------------------------------------------


def test_each_goes_by_its_own_channel(bench: DispatchBench) -> None:
    modem, account = bench.add("m0"), bench.add_account("office")
    mail, sms = bench.enqueue(ANI, subject="Kode"), bench.enqueue()
    assert bench.end(mail, sms) == (State.SENT, State.SENT)
    assert [message.destination for message in account.attempts] == [ANI]
    assert [message.destination for message in modem.attempts] == ["6281200000001"]
    assert account.subjects == ["Kode"]
    told = of_record(mail).data
    assert (told["mail_account"], "modem_id" in told, told["segments"]) == ("office", False, 1)
    assert of_record(sms).data["modem_id"] == "m0"


def test_where_there_is_no_account_the_cause_names_one(bench: DispatchBench) -> None:
    bench.add("m0")
    told = refusal(bench)
    assert (told.code, told.cause) == (ResponseCode.NO_MODEM, "no mail account is connected that may send this")


def test_where_there_is_no_modem_no_account_takes_its_place(bench: DispatchBench) -> None:
    bench.add_account("office")
    assert refusal(bench, "6281200000001").cause == "no modem is connected that may send this"


def test_accounts_take_turns(bench: DispatchBench) -> None:
    accounts = [bench.add_account(name) for name in ("one", "two", "three")]
    for account in accounts:  # one that is done sooner than the others has the shorter queue, and gets the next one
        account.gate.clear()
    records = [bench.enqueue(f"somebody{number}@example.com") for number in range(3)]
    for account in accounts:
        assert account.sending.wait(PATIENCE)
    records += [bench.enqueue(f"somebody{number}@example.com") for number in range(3, 30)]
    for account in accounts:
        account.gate.set()
    assert set(bench.end(*records)) == {State.SENT}
    assert {len(account.attempts) for account in accounts} == {10}


def test_a_modem_and_an_account_of_one_name_are_counted_apart(bench: DispatchBench) -> None:
    bench.add("one")
    bench.add_account("one")
    bench.end(bench.enqueue(ANI), bench.enqueue(BUDI), bench.enqueue())
    assert bench.worker("one").account.describe()["today"]["messages"] == 1
    assert bench.egress("mail/one").account.describe()["today"]["messages"] == 2


def test_a_change_of_the_accounts_leaves_the_modems_alone(bench: DispatchBench) -> None:
    bench.add("m0")
    bench.add_account("office")
    bench.dispatch.replace_egresses([], Channel.MAIL)
    assert [one.name for one in bench.dispatch.workers()] == ["m0"]
    assert bench.end(bench.enqueue()) == (State.SENT,)


# -- limits ------------------------------------------------------------------------------------------------------------


def test_an_e_mail_of_any_length_counts_as_one(bench: DispatchBench) -> None:
    bench.add_account("office", limits=Limits(daily_quota=2))
    records = [bench.enqueue(receiver, text="x" * 4000) for receiver in (ANI, BUDI)]
    assert set(bench.end(*records)) == {State.SENT}
    told = refusal(bench, CITRA)
    assert (told.code, "office" in told.cause) == (ResponseCode.NO_MODEM, True)
    assert "mail account" in told.cause
    assert "mail/" not in told.cause


def test_a_full_quota_sends_the_rest_by_another_account(bench: DispatchBench) -> None:
    bench.add_account("small", limits=Limits(daily_quota=1))
    bench.add_account("large")
    records = [bench.enqueue(f"somebody{number}@example.com") for number in range(5)]
    assert set(bench.end(*records)) == {State.SENT}
    assert sorted(sent.modem for sent in bench.outbox) == ["large"] * 4 + ["small"]


# -- deferral ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("short_pauses")
def test_a_deferred_receiver_holds_up_nobody_and_costs_no_attempt(make_bench: MakeBench) -> None:
    bench = make_bench(attempts=1)
    account = bench.add_account("office")
    account.gate.clear()
    account.receivers[ANI] = deque([Deferred("450 4.2.0 greylisted")] * 5)
    slow, *others = [bench.enqueue(receiver) for receiver in (ANI, BUDI, CITRA)]
    account.gate.set()
    assert set(bench.end(*others)) == {State.SENT}
    assert len([message for message in account.attempts if message.destination == ANI]) <= 2, "others do not wait"
    assert bench.end(slow) == (State.SENT,)
    assert (slow.deferrals, slow.attempts) == (5, 1)
    assert account.opened == 1


def test_what_is_deferred_waits_as_long_as_the_server_says_and_says_why(bench: DispatchBench) -> None:
    account = bench.add_account("office")
    account.receivers[ANI] = deque([Deferred("greylisted", code="450 4.2.0", retry_after=1.5)])
    began, record = time.monotonic(), bench.enqueue(ANI)
    until(lambda: bench.dispatch.is_held(record), "it was put off")
    assert of_record(record).data["cause"] == "greylisted (450 4.2.0)"
    assert bench.end(record) == (State.SENT,)
    assert time.monotonic() - began >= 1.5
    assert record.cause is None
    assert not bench.dispatch.is_held(record)


@pytest.mark.usefixtures("short_pauses")
def test_the_same_account_goes_on_where_it_can(bench: DispatchBench) -> None:
    """Greylisting knows the sender's address: another account would begin anew."""
    first = bench.add_account("one")
    first.receivers[ANI] = deque([Deferred("greylisted")] * 3)
    record = bench.enqueue(ANI)
    until(lambda: record.deferrals)
    other = bench.add_account("two")
    assert bench.end(record) == (State.SENT,)
    assert (record.egress, other.attempts) == ("mail/one", [])


@pytest.mark.usefixtures("short_pauses")
def test_another_one_goes_on_where_the_account_is_gone(bench: DispatchBench) -> None:
    first = bench.add_account("one")
    first.receivers[ANI] = deque([Deferred("greylisted", retry_after=0.6)])
    record = bench.enqueue(ANI)
    until(lambda: bench.dispatch.is_held(record))
    bench.add_account("two")
    bench.dispatch.replace_egresses([bench.egress("mail/two")], Channel.MAIL)
    assert bench.end(record) == (State.SENT,)
    assert record.egress == "mail/two"


@pytest.mark.usefixtures("short_pauses")
def test_it_ends_by_expiry_with_the_last_answer(bench: DispatchBench) -> None:
    account = bench.add_account("office")
    account.receivers[ANI] = deque([Deferred("the mailbox is full")] * 1000)
    record = bench.enqueue(ANI, lifetime=1.0)
    assert bench.end(record) == (State.EXPIRED,)
    assert "the mailbox is full" in (record.cause or "")
    assert record.code is ResponseCode.QUEUE_FULL


def test_what_is_deferred_can_be_withdrawn(bench: DispatchBench) -> None:
    account = bench.add_account("office")
    account.receivers[ANI] = deque([Deferred("greylisted", retry_after=60)])
    record = bench.enqueue(ANI)
    until(lambda: bench.dispatch.is_held(record))
    bench.dispatch.withdraw(record)
    assert bench.end(record) == (State.FAILED,)


# -- outcomes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (Rejected("no such mailbox", code="550 5.1.1"), State.FAILED, ResponseCode.FAILED),
        (Unconfirmed("cut behind the final dot"), State.UNCONFIRMED, ResponseCode.UNCONFIRMED),
    ],
)
def test_ends_that_nothing_follows(bench: DispatchBench, error: Exception, state: State, code: ResponseCode) -> None:
    account = bench.add_account("office")
    account.script.append(error)
    record = bench.enqueue(ANI)
    assert bench.end(record) == (state,)
    assert (record.code, len(account.attempts), record.text) == (code, 1, None)


def test_no_status_report_is_waited_for(bench: DispatchBench) -> None:
    bench.add_account("office")
    record = bench.enqueue(ANI)
    assert bench.end(record) == (State.SENT,)
    assert not bench.dispatch._receipts._awaited


def test_an_unfit_account_rests_and_another_one_sends(bench: DispatchBench) -> None:
    tired, other = bench.add_account("tired"), bench.add_account("other", start=False)
    tired.script.append(Unfit("quota of the provider used up", code="550 5.4.5", retry_after=3600))
    tired.gate.clear()
    first, second = bench.enqueue(ANI), bench.enqueue(BUDI)
    until(tired.sending.is_set)
    if second.egress != first.egress:
        second = bench.enqueue(CITRA, only=first.egress)
    bench.start("mail/other")
    bench.until_state("mail/other", EgressState.READY)
    tired.gate.set()
    assert bench.end(first) == (State.SENT,)
    assert first.egress == "mail/other"
    assert 3590 < bench.egress("mail/tired").rest_left() <= 3600
    third = bench.enqueue("dewi@example.com")
    assert bench.end(third) == (State.SENT,)
    assert third.egress == "mail/other"
    assert len(tired.attempts) == 1
    assert len(other.attempts) >= 2
    assert overview(bench).capacity() > 0


def test_where_only_one_rests_its_senders_are_told_when_to_try_again(bench: DispatchBench) -> None:
    account = bench.add_account("office")
    account.script.append(Unfit("too many", retry_after=3600))
    assert bench.end(bench.enqueue(ANI)) == (State.FAILED,)
    until(lambda: overview(bench).capacity() == 0)
    told = refusal(bench, BUDI)
    assert (told.code, told.retry_after) == (ResponseCode.QUEUE_FULL, 60)


def test_a_lost_account_is_opened_again_when_it_said(bench: DispatchBench) -> None:
    account = bench.add_account("office")
    account.script.append(Lost("421 4.3.2 going down", retry_after=0.4))
    began, record = time.monotonic(), bench.enqueue(ANI)
    assert bench.end(record) == (State.SENT,)
    assert time.monotonic() - began >= 0.4
    assert account.opened == 2
    assert len(account.attempts) == 2


def test_a_blocked_account_is_not_tried_before_its_time(bench: DispatchBench, caplog: pytest.LogCaptureFixture) -> None:
    """13 logins with a wrong password in 20 s lock the account at many a provider."""
    account = bench.add_account("office", start=False)
    account.sickness = Blocked("535 5.7.8 wrong user name or password")
    bench.start("mail/office")
    bench.until_state("mail/office", EgressState.BLOCKED)
    logging.getLogger("otppi.host").info("waiting for what must not happen")
    assert not account._woken.wait(1.0)
    assert account.opened == 1
    assert "mail account office is blocked: 535 5.7.8" in caplog.text
    assert refusal(bench).code is ResponseCode.NO_MODEM


def test_a_blocked_account_is_tried_again_after_its_retry_after(bench: DispatchBench) -> None:
    account = bench.add_account("office", start=False)
    account.openings.extend([Blocked("wrong password", retry_after=0.3)] * 2)
    began = time.monotonic()
    bench.start("mail/office")
    bench.until_state("mail/office", EgressState.READY)
    assert time.monotonic() - began >= 0.6
    assert account.opened == 3


def test_a_lost_account_that_says_nothing_is_not_stormed(bench: DispatchBench, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(worker.Worker, "_pause", lambda _, seconds: pauses.append(seconds))
    account = bench.add_account("office", start=False)
    account.openings.extend([Lost("no connection")] * 6 + [Blocked("wrong password")])
    bench.start("mail/office")
    bench.until_state("mail/office", EgressState.READY)
    assert pauses[:7] == [5.0, 15.0, 60.0, 300.0, 300.0, 300.0, 3600.0]


def test_what_waits_for_a_lost_account_goes_by_another(bench: DispatchBench) -> None:
    account = bench.add_account("one")
    account.script.append(Lost("421", retry_after=3600))
    bench.add_account("two")
    records = [bench.enqueue(receiver) for receiver in (ANI, BUDI, CITRA)]
    assert set(bench.end(*records)) == {State.SENT}
    assert {sent.modem for sent in bench.outbox} == {"two"}


def test_a_wait_for_one_message_is_kept_and_jobs_are_done_meanwhile(bench: DispatchBench) -> None:
    account = bench.add_account("office")
    account.script.append(NotSent("busy", retry_after=0.5))
    began, record = time.monotonic(), bench.enqueue(ANI)
    until(lambda: record.attempts and record.state is State.QUEUED)
    assert bench.egress("mail/office").call(lambda one: one.name).result(PATIENCE) == "office"
    assert bench.end(record) == (State.SENT,)
    assert time.monotonic() - began >= 0.5


# -- what stays --------------------------------------------------------------------------------------------------------


def restarted(bench: DispatchBench, records: list[Record]) -> tuple[DispatchBench, list[Record]]:
    bench.close()
    again = DispatchBench(bench.folder)
    again.dispatch.restore()
    found = [again.dispatch.records.get(record.message_id) for record in records]
    return again, [record for record in found if record is not None]


def test_what_waits_survives_a_restart_with_its_subject_and_destination(tmp_path: Any) -> None:
    bench = DispatchBench(tmp_path)
    account = bench.add_account("office")
    account.receivers["Ani@example.com"] = deque([Deferred("greylisted", retry_after=600)])
    put_off = bench.enqueue(ANI, "Kode 1", subject="Kode", destination="Ani@example.com")
    until(lambda: bench.dispatch.is_held(put_off))
    account.gate.clear()
    bench.enqueue(CITRA, "Kode 0")
    until(account.sending.is_set)
    waiting = bench.enqueue(BUDI, "Kode 2")
    bench.threads["mail/office"].stop()
    account.gate.set()
    again, records = restarted(bench, [put_off, waiting])
    with again:
        assert [(one.channel, one.state, one.text) for one in records] == [
            (Channel.MAIL, State.QUEUED, "Kode 1"),
            (Channel.MAIL, State.QUEUED, "Kode 2"),
        ]
        again.dispatch.replace_egresses([])  # the modems come first, and take nothing away
        account = again.add_account("office")
        assert again.end(*records) == (State.SENT, State.SENT)
        assert [(one.destination, one.subject) for one in account.attempts] == [("Ani@example.com", "Kode"), (BUDI, "")]


def test_where_its_account_is_gone_after_a_restart_it_fails(tmp_path: Any) -> None:
    bench = DispatchBench(tmp_path)
    bench.add_account("office", start=False)
    again, (record,) = restarted(bench, [bench.enqueue(ANI)])
    with again:
        again.dispatch.replace_egresses([], Channel.MAIL)
        assert again.end(record) == (State.FAILED,)
        assert "no mail account" in (record.cause or "")


def test_the_report_has_its_line(bench: DispatchBench) -> None:
    bench.add_account("an account of a name")
    record = bench.enqueue(ANI, receiver_shown="a*****@example.com")
    bench.end(record)
    bench.dispatch.note_ended()
    bench.report.flush()
    (line,) = [json.loads(raw) for path in bench.folder.glob("report/*.jsonl") for raw in path.read_text().splitlines()]
    assert (line["by"], line["n"], line["r"], line["s"]) == (
        "mail/an account of a name",
        1,
        "a*****@example.com",
        "sent",
    )


def test_metrics_and_health_know_accounts(bench: DispatchBench) -> None:
    bench.add("m0")
    bench.add_account("office")
    bench.end(bench.enqueue(ANI), bench.enqueue())
    counters = overview(bench).counters()
    assert counters["egress_sent_total"] == {'channel="sms",name="m0"': 1, 'channel="mail",name="office"': 1}
    assert counters["egress_ready"] == {'channel="sms",name="m0"': 1.0, 'channel="mail",name="office"': 1.0}
    assert counters["modem_sent_total"] == {'modem="m0"': 1}
    health = overview(bench).health()
    assert [modem["modem_id"] for modem in health["modems"]] == ["m0"]
    assert [(one["mail_account"], one["state"], one["sent"]) for one in health["mail_accounts"]] == [
        ("office", "ready", 1)
    ]
    assert health["status"] == "ok"


def test_a_gateway_with_accounts_only_takes_messages_from_its_brokers(bench: DispatchBench) -> None:
    assert overview(bench).capacity() == 0
    bench.add_account("office")
    assert overview(bench).capacity() > 0
    assert overview(bench).health()["status"] == "ok"


def test_no_text_subject_or_receiver_is_on_disk_or_in_the_log(
    bench: DispatchBench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    account = bench.add_account("office")
    secrets = ("made-up text 918273", "made-up subject 918273", "somebody@example.com")
    account.script.extend([Deferred("greylisted", retry_after=0.01), Rejected("refused"), Unconfirmed("cut"), None])
    shown = {"subject": secrets[1], "receiver_shown": "s*****@example.com"}
    records = [bench.enqueue("somebody@example.com", f"{secrets[0]} {number}", **shown) for number in range(4)]
    bench.end(*records)
    bench.dispatch.note_ended()
    bench.report.flush()
    kept = b"".join(path.read_bytes() for path in bench.folder.rglob("*") if path.is_file())
    told = caplog.text + "".join(repr(record) + str(of_record(record).data) for record in records)
    told += "".join(map(repr, account.attempts))
    for secret in secrets[:2]:
        assert secret.encode() not in kept
        assert secret not in told
    assert secrets[2].encode() not in kept
    assert secrets[2] not in caplog.text
    assert {(record.text, record.subject) for record in records} == {(None, "")}
