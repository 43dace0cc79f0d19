"""What waits for the connection's thread: order, bounds, and what is dropped."""

import itertools
import logging
import time

import pytest

from otppi.api.ingress import Callback
from otppi.kit.broker.outbox import Action, Delivery, Outbox, soonest

TOPIC = Callback("answers")


def publication(number: int, callback: Callback = TOPIC) -> Action:
    return Action(callback=callback, payload=b"%d" % number)


def settlement(session: int = 0) -> Action:
    return Action(delivery=Delivery(body=b"", session=session))


def payloads(actions: list[Action]) -> list[bytes]:
    return [action.payload for action in actions]


def make(limit: int = 10_000, **options: int) -> Outbox:
    return Outbox(lambda: None, limit, **options)  # type: ignore[arg-type]


def test_what_settles_goes_before_what_is_only_told() -> None:
    outbox = make()
    outbox.put(publication(1))
    outbox.put(settlement())
    assert outbox.settling == 1
    assert len(outbox) == 2
    assert [action.delivery is None for action in outbox.due()] == [False, True]
    assert (len(outbox), outbox.settling, outbox.pause()) == (0, 0, None)


def test_each_action_wakes_the_connection_but_not_one_that_is_dropped() -> None:
    woken = []
    outbox = Outbox(lambda: woken.append(1), 1)
    for number in range(3):
        outbox.put(publication(number))
    assert len(woken) == 1
    outbox.put(settlement(), 30)
    assert len(woken) == 2


def test_what_no_delivery_depends_on_is_bounded_and_what_settles_is_not(caplog: pytest.LogCaptureFixture) -> None:
    outbox = make(10)
    for number in range(100):
        outbox.put(publication(number))
        outbox.put(settlement())
    assert outbox.dropped == 90
    assert payloads(outbox.due()) == [b""] * 100 + [b"%d" % number for number in range(10)]
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "dropped" in warnings[0]
    outbox.put(publication(1))
    assert payloads(outbox.due()) == [b"1"]


def test_the_octets_of_what_waits_are_bounded_too() -> None:
    outbox = make(limit_bytes=1_000)
    for _ in range(20):
        outbox.put(Action(callback=TOPIC, payload=bytes(100)))
    assert outbox.dropped == 10
    outbox.due()
    outbox.put(Action(callback=TOPIC, payload=bytes(1_000)))
    assert outbox.dropped == 10


def test_answers_that_were_put_off_for_long_do_not_push_out_the_others() -> None:
    """A sender may ask for a delay of ten minutes as often as it likes."""
    outbox = make(10)
    for number in range(15):
        outbox.put(publication(number, Callback("hostile", b"%d" % number)), 600)
    assert payloads(outbox.due()) == [b"%d" % number for number in range(10, 15)], "told before their time"
    outbox.put(publication(99))
    assert payloads(outbox.due()) == [b"99"]
    assert outbox.dropped == 0
    assert len(outbox.due(all_of_them=True)) == 10


def test_a_later_state_does_not_overtake_the_answer_that_waits() -> None:
    outbox = make()
    outbox.put(publication(1), 600)
    outbox.put(publication(2))
    outbox.put(publication(3, Callback("answers", b"of another")))
    assert payloads(outbox.due()) == [b"3"]
    assert payloads(outbox.due(all_of_them=True)) == [b"1", b"2"]
    outbox.put(publication(4))
    assert payloads(outbox.due()) == [b"4"], "nothing is before it any more"


def test_what_settles_does_not_wait_for_other_answers_on_the_same_topic() -> None:
    outbox = make()
    outbox.put(publication(1), 600)
    outbox.put(Action(callback=TOPIC, payload=b"2", delivery=Delivery(body=b"")))
    assert payloads(outbox.due()) == [b"2"]


def test_the_memory_of_what_is_put_off_is_bounded() -> None:
    outbox = make(10)
    for number in range(5_000):
        outbox.put(publication(number, Callback("answers", b"%d" % number)), 0.000_1)
        outbox.due()
    assert len(outbox._last) <= 2_000


def test_settlements_of_a_connection_that_is_gone_are_forgotten() -> None:
    outbox = make()
    for session in (1, 1, 2):
        outbox.put(settlement(session))
    outbox.put(publication(1))
    outbox.forget(2)
    actions = outbox.due()
    assert [action.delivery and action.delivery.session for action in actions] == [2, None]


def test_a_delivery_shows_no_text() -> None:
    assert "secret" not in repr(Action(payload=b"secret", delivery=Delivery(body=b"secret")))


@pytest.mark.parametrize(("pauses", "shortest"), [((), None), ((None, None), None), ((None, 2.0, 0.0), 0.0)])
def test_the_soonest(pauses: tuple[float | None, ...], shortest: float | None) -> None:
    assert soonest(*pauses) == shortest


def test_a_thread_that_has_to_wait_while_it_puts_answers_in_keeps_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever time passes between two looks at the clock, such as where another thread has the interpreter."""
    outbox, pauses, passed = Outbox(lambda: None), itertools.cycle((0.0, 0.005, 0.0)), [1_000.0]

    def monotonic() -> float:
        passed[0] += next(pauses)
        return passed[0]

    monkeypatch.setattr(time, "monotonic", monotonic)
    payloads = [str(number).encode() for number in range(50)]
    for payload in payloads:
        outbox.put(Action(callback=Callback("answers"), payload=payload), 0.01)
    passed[0] += 0.015 + 0.005 * 50
    assert [action.payload for action in outbox.due()] == payloads
