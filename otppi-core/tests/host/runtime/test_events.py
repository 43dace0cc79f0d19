"""The event bus: who is told, on which thread, and what a subscriber that fails does to the others."""

import threading
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields

import pytest

from otppi.api.egress import Channel, EgressState
from otppi.api.events import (
    BalanceLow,
    EgressChanged,
    Event,
    MessageChanged,
    MessageEnded,
    MessageEvent,
    MessageReceived,
    MessageSending,
    MessageTaken,
    SettingsChanged,
)
from otppi.api.ingress import Callback, Origin, ReceivedMessage, Sender
from otppi.api.message import State
from otppi.host.messages.answers import of_record
from otppi.host.messages.record_events import event_of
from otppi.host.records.record import Record, Status
from otppi.host.runtime.events import EventBus
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import until

LOW = BalanceLow("m0", 1.0, 2.0)
CHANGED = SettingsChanged(("sms",))


def test_only_who_subscribed_to_a_kind_is_told_on_the_publishing_thread() -> None:
    bus = EventBus()
    told: list[tuple[str, Event, int]] = []

    def of(name: str) -> Callable[[Event], None]:
        return lambda event: told.append((name, event, threading.get_ident()))

    bus.subscribe(BalanceLow, of("low"))
    bus.subscribe(Event, of("all"))
    bus.publish(CHANGED)
    bus.publish(LOW)
    here = threading.get_ident()
    assert told == [("all", CHANGED, here), ("low", LOW, here), ("all", LOW, here)]


def test_wants_follows_subscriptions() -> None:
    bus = EventBus()
    assert not bus.wants(MessageEnded)
    with bus.subscribe(MessageEvent, print):
        assert bus.wants(MessageEnded)
        assert not bus.wants(BalanceLow)
    assert not bus.wants(MessageEnded)


def test_an_event_that_concerns_nobody_is_not_wanted() -> None:
    bus = EventBus()
    with bus.subscribe(MessageEnded, print, concerns=lambda subject: subject == "mine"):
        assert bus.wants(MessageEnded)
        assert bus.wants(MessageEnded, "mine")
        assert not bus.wants(MessageEnded, "another's")
        with bus.subscribe(MessageEvent, print):
            assert bus.wants(MessageEnded, "another's"), "this one is told everything"
    assert not bus.wants(MessageEnded, "mine")


def test_who_cannot_say_what_concerns_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def fails(subject: object) -> bool:
        raise ValueError(SECRET)

    bus = EventBus()
    bus.subscribe(MessageEnded, print, concerns=lambda subject: False)
    bus.subscribe(MessageEnded, print, concerns=fails)
    assert bus.wants(MessageEnded, "a subject")
    (line,) = caplog.messages
    assert line.startswith("a MessageEnded: ")
    assert line.endswith("fails could not say whether it is concerned")


def test_who_unsubscribes_is_told_no_more_and_the_same_function_may_be_there_twice() -> None:
    bus = EventBus()
    told: list[Event] = []
    first = bus.subscribe(BalanceLow, told.append)
    bus.subscribe(BalanceLow, told.append)
    bus.publish(LOW)
    first.end()
    first.end()
    bus.publish(LOW)
    assert len(told) == 3


def test_one_may_unsubscribe_subscribe_and_publish_while_it_is_told() -> None:
    bus = EventBus()
    told: list[str] = []

    def once(_: BalanceLow) -> None:
        told.append("once")
        subscription.end()
        bus.subscribe(SettingsChanged, lambda _: told.append("nested"))
        bus.publish(CHANGED)

    subscription = bus.subscribe(BalanceLow, once)
    bus.subscribe(BalanceLow, lambda _: told.append("other"))
    bus.publish(LOW)
    bus.publish(LOW)
    assert told == ["once", "nested", "other", "other"]


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), SystemExit(1), MemoryError()])
def test_a_subscriber_that_raises_stops_neither_the_others_nor_the_publisher(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    bus = EventBus()
    told: list[Event] = []

    def fails(_: Event) -> None:
        raise error

    bus.subscribe(BalanceLow, fails)
    bus.subscribe(BalanceLow, told.append)
    bus.publish(LOW)
    assert told == [LOW]
    (record,) = caplog.records
    assert "fails" in record.getMessage()
    assert "BalanceLow" in record.getMessage()
    assert record.exc_info
    assert record.exc_info[1] is error


def test_many_threads_publish_while_others_subscribe_and_unsubscribe() -> None:
    bus = EventBus()
    per_thread, threads = 2000, 8
    counted = threading.Lock()
    count = 0

    def steady(_: Event) -> None:
        nonlocal count
        with counted:
            count += 1

    bus.subscribe(BalanceLow, steady)
    done = threading.Event()
    brief_told: list[Event] = []

    def churn() -> None:
        while not done.is_set():
            with bus.subscribe(BalanceLow, brief_told.append):
                bus.publish(CHANGED)

    def publish() -> None:
        for _ in range(per_thread):
            bus.publish(LOW)

    churning = [threading.Thread(target=churn) for _ in range(2)]
    publishing = [threading.Thread(target=publish) for _ in range(threads)]
    for thread in churning + publishing:
        thread.start()
    for thread in publishing:
        thread.join(120)
    done.set()
    for thread in churning:
        thread.join(120)
    assert count == per_thread * threads
    before = len(brief_told)
    bus.publish(LOW)
    assert (count, len(brief_told)) == (per_thread * threads + 1, before)


# -- the events --------------------------------------------------------------------------------------------------------


SECRET = "Kode rahasia 918273"
NUMBER = "6281299998888"


def a_record() -> Record:
    record = Record.of(
        Origin("ingress-x", Sender("app"), callback=Callback("a topic", b"correlation")), "own id", NUMBER, SECRET, 1e12
    )
    record.amend(receiver_shown="62812****8888", reference="a reference")
    return record


def test_no_event_has_a_text_and_none_shows_what_a_log_should_not_have() -> None:
    record = a_record()
    for kind in (MessageTaken, MessageSending, MessageEnded, MessageChanged):
        event = event_of(kind, record)
        assert SECRET not in str([getattr(event, one.name) for one in fields(event)])
        assert NUMBER not in str([getattr(event, one.name) for one in fields(event)])
        for hidden in ("own id", "8888", "a reference", "a topic", "correlation"):
            assert hidden not in repr(event)
        assert record.message_id in repr(event)
    came = MessageReceived(ReceivedMessage("1", "m0", "+62811", SECRET, 0.0, 0.0))
    assert SECRET not in repr(came)
    assert "62811" not in repr(came)
    with pytest.raises(FrozenInstanceError):
        came.at = 0.0  # type: ignore[misc]


def test_an_event_tells_a_message_as_its_answer_does() -> None:
    record = a_record()
    assert event_of(MessageEnded, record).as_data() == of_record(record).data
    record.become(Status(State.DELIVERED, cause="why", egress="m0", segments=2, discharged=1.6))
    assert event_of(MessageEnded, record).as_data() == of_record(record).data


def test_a_message_is_told_from_its_taking_to_its_end(bench: DispatchBench) -> None:
    told: list[MessageEvent] = []
    bench.events.subscribe(MessageEvent, told.append)
    modem = bench.add("m0")
    modem.gate.clear()
    record = bench.enqueue(text=SECRET)
    until(lambda: len(told) == 2, "it is taken and being sent")
    modem.gate.set()
    assert bench.end(record) == (State.SENT,)
    until(lambda: len(told) == 3, "its end is told")
    assert {type(one) for one in told[:2]} == {MessageTaken, MessageSending}
    assert {(type(one), one.state, one.egress) for one in told} == {
        (MessageTaken, State.QUEUED, None),
        (MessageSending, State.SENDING, "m0"),
        (MessageEnded, State.SENT, "m0"),
    }
    assert {one.message_id for one in told} == {record.message_id}
    assert (told[-1].segments, told[-1].unanswered) == (1, False)


def test_a_subscriber_that_fails_does_not_fail_the_message(
    bench: DispatchBench, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(event: MessageEvent) -> None:
        raise ZeroDivisionError

    bench.events.subscribe(MessageEvent, fails)
    bench.add("m0")
    assert bench.end(bench.enqueue(text=SECRET)) == (State.SENT,)
    until(lambda: "MessageEnded" in caplog.text, "the last failure is logged")
    assert SECRET not in caplog.text


def test_a_modem_that_comes_and_goes_is_told(bench: DispatchBench) -> None:
    told: list[EgressChanged] = []
    bench.events.subscribe(EgressChanged, told.append)
    bench.add("m0")
    until(lambda: bool(told), "its state is told")
    assert [(one.channel, one.egress, one.state) for one in told] == [(Channel.SMS, "m0", EgressState.READY)]
