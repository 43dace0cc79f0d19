"""Lists of messages: of what their deliveries are settled by, and what of them is tried again."""

import pytest

from otppi.kit.broker.verdict import Verdict
from otppi.wire.envelope import Answer, ResponseCode

from .conftest import BLOCKED, EXPIRED, FULL, NO_MODEM, REJECTED, SENT, UNCONFIRMED, Bench, Ticket, messages, told

# -- lists -------------------------------------------------------------------------------------------------------------


def ids(ticket: Ticket) -> list[str | None]:
    return [item.id for item in ticket.envelope.items]


@pytest.mark.parametrize("requeue", [True, False])
def test_of_a_list_only_what_was_not_sent_is_tried_again(requeue: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(requeue=requeue)
    ticket = bench.take(messages(5, callback_topic="answers", callback_delay=0))
    ticket.end(SENT, NO_MODEM, UNCONFIRMED, FULL, REJECTED)
    assert bench.consumer.due() == []
    bench.skip(monkeypatch, 8)
    assert bench.consumer.due() == []
    again = bench.gateway.tickets[-1]
    assert ids(again) == ["1", "3"]
    assert again.envelope.is_list
    assert {item.priority for item in again.envelope.items} == {"bulk"}
    again.end(SENT, NO_MODEM)
    bench.skip(monkeypatch, 8)
    bench.consumer.due()
    last = bench.gateway.tickets[-1]
    assert ids(last) == ["3"]
    assert last.envelope.items[0].priority == "bulk"
    last.end(SENT)
    action = bench.one()
    assert action.verdict is Verdict.DONE
    codes = [entry["response_code"] for entry in told(action)["data"]]
    assert codes == ["0000", "0000", "1207", "0000", "1102"]
    assert told(action)["response_code"] == "1207"
    assert len(bench.gateway.tickets) == 3


def test_a_list_of_which_nothing_was_sent_is_given_back_whole(bench: Bench) -> None:
    bench.take(messages(3)).end(NO_MODEM, FULL, NO_MODEM)
    bench.consumer.stop()
    assert bench.one().verdict is Verdict.AGAIN


def test_a_list_of_which_nothing_can_ever_be_sent_is_rejected(bench: Bench) -> None:
    bench.take(messages(2)).end(BLOCKED, EXPIRED)
    assert bench.one().verdict is Verdict.NEVER


def test_a_list_with_something_sent_is_done(bench: Bench) -> None:
    bench.take(messages(2)).end(BLOCKED, SENT)
    assert bench.one().verdict is Verdict.DONE


@pytest.mark.parametrize("requeue", [True, False])
def test_the_rest_of_a_list_is_not_held_beyond_the_time_in_which_duplicates_are_known(
    requeue: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(requeue=requeue)
    bench.take(messages(2, callback_topic="answers", callback_delay=0)).end(SENT, NO_MODEM)
    for _ in range(100):
        bench.skip(monkeypatch, 31)
        if actions := bench.consumer.due():
            break
        bench.gateway.tickets[-1].end(NO_MODEM)
    (action,) = actions
    assert len(bench.gateway.tickets) in (18, 19), "540 s"
    assert action.verdict is Verdict.DONE
    assert [entry["response_code"] for entry in told(action)["data"]] == ["0000", "1101"]
    assert "1 of 2 messages of a delivery were not sent, and will not be" in caplog.text
    assert bench.consumer.in_flight == 0


def test_a_list_that_is_malformed_as_a_whole_is_answered_as_such(bench: Bench) -> None:
    ticket = bench.take(messages(2, callback_topic="answers", callback_delay=0))
    answer = Answer("send-sms", ResponseCode.MALFORMED, data={"errors": [{"field": "data[0].receiver", "reason": "x"}]})
    for callback in ticket.callbacks:
        callback(answer)
    action = bench.one()
    assert (action.verdict, told(action)["data"]) == (Verdict.NEVER, answer.data)


def test_a_list_with_one_modem_in_the_answer_is_not_taken_for_outcomes(bench: Bench) -> None:
    ticket = bench.take({"command": "get-modem-list", "callback_topic": "answers", "callback_delay": 0})
    for callback in ticket.callbacks:
        callback(Answer("get-modem-list", ResponseCode.SUCCESS, data=["not even an object"]))
    assert told(bench.one())["data"] == ["not even an object"]
