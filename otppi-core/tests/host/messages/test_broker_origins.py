"""Messages whose source keeps them: which count as the same, what is taken back, and who hears of later states."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import NotSent
from otppi.api.events import DeliveryOutcome, DeliveryReport
from otppi.api.ingress import Callback, Origin, Sender
from otppi.api.message import State
from otppi.api.modem import ModemState
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.kit.broker.consumer import Consumer
from otppi.kit.broker.outbox import Action, Delivery
from otppi.kit.broker.verdict import Verdict
from otppi.testing.scripted import ScriptedModem, until
from otppi.wire.envelope import Answer, ResponseCode, parse

BROKER = Origin("ingress-test", Sender("broker"), kept_by_source=True)
AGAIN = Origin("ingress-test", Sender("broker"), kept_by_source=True, redelivered=True)
REST = Origin("ingress-rest", Sender("app"))


def submit(host: Host, origin: Origin = BROKER, **data: Any) -> Any:
    body = {"receiver": "081234567890", "message": "a text", **data}
    return host.gateway.submit(parse(json.dumps({"command": "send-sms", "data": body}).encode()), origin)


def send(host: Host, origin: Origin = BROKER, **data: Any) -> Answer:
    answer: Answer = submit(host, origin, **data).answer(10.0)
    return answer


def of(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer.data, dict)
    return answer.data


def change(host: Host, document: object) -> None:
    host.apply(host.data.config.update(document))


def until_ready(host: Host) -> None:
    until(lambda: all(one.status.state is ModemState.READY for one in host.dispatch.workers()))


@pytest.fixture
def modem(host: Host, doubles: Any) -> Iterator[ScriptedModem]:
    change(host, {"modems": [{"name": "m0", "type": "scripted"}]})
    until_ready(host)
    modem: ScriptedModem = doubles.modems[-1]
    yield modem
    modem.gate.set()


# -- which count as the same -------------------------------------------------------------------------------------------


def test_without_an_id_only_what_is_delivered_again_is_a_duplicate(host: Host, modem: ScriptedModem) -> None:
    assert send(host).code is ResponseCode.SUCCESS
    assert send(host).code is ResponseCode.SUCCESS, "the same words twice are two messages"
    answer = send(host, AGAIN)
    assert (answer.code, of(answer)["state"]) == (ResponseCode.DUPLICATE, "sent")
    assert send(host, AGAIN, message="another text").code is ResponseCode.SUCCESS
    assert send(host, AGAIN, receiver="081234567891").code is ResponseCode.SUCCESS
    assert len(modem.outbox) == 4


def test_without_an_id_what_rest_sent_is_another_message(host: Host, modem: ScriptedModem) -> None:
    assert send(host, REST).code is ResponseCode.SUCCESS
    assert send(host, AGAIN).code is ResponseCode.SUCCESS, "REST has no redelivery: it was not this one"
    assert send(host, REST).code is ResponseCode.SUCCESS
    assert len(modem.outbox) == 3


def test_with_an_id_every_way_in_counts(host: Host, modem: ScriptedModem) -> None:
    assert send(host, REST, id=5).code is ResponseCode.SUCCESS
    assert send(host, BROKER, id="5").code is ResponseCode.SUCCESS, "nobody learns that another sent the same"
    assert send(host, BROKER, id=5).code is ResponseCode.DUPLICATE
    assert send(host, AGAIN).code is ResponseCode.SUCCESS, "one without an id is none that has one"
    assert len(modem.outbox) == 2


def test_one_that_failed_may_be_delivered_again(host: Host, modem: ScriptedModem) -> None:
    change(host, {"sms": {"attempts": 1}})
    modem.script.append(NotSent("no", retry_after=0))
    assert send(host).code is ResponseCode.FAILED
    until_ready(host)
    assert of(send(host, AGAIN))["state"] in ("sent", "failed")


def test_without_a_window_there_are_no_duplicates(host: Host, modem: ScriptedModem) -> None:
    change(host, {"sms": {"duplicate_window": 0}})
    until_ready(host)
    assert [send(host, AGAIN, id=1).code for _ in range(2)] == [ResponseCode.SUCCESS] * 2


# -- what is taken back ------------------------------------------------------------------------------------------------


def test_what_waits_is_taken_back_and_what_a_modem_has_is_not(host: Host, modem: ScriptedModem) -> None:
    modem.gate.clear()
    begun = submit(host, id=1)
    until(modem.sending.is_set)
    waiting = submit(host, id=2)
    begun.withdraw()
    waiting.withdraw()
    assert waiting.answer(10).data["state"] == "failed"
    assert waiting.answer().code is ResponseCode.NO_MODEM, "to be tried again"
    modem.gate.set()
    assert begun.answer(10).data["state"] == "sent"
    assert send(host, AGAIN, id=2).code is ResponseCode.SUCCESS
    assert [one.text for one in modem.outbox] == ["a text"] * 2


def test_what_another_waits_for_is_not_taken_back(host: Host, modem: ScriptedModem) -> None:
    modem.gate.clear()
    submit(host, message="before")
    until(modem.sending.is_set)
    broker, rest, told = submit(host, id=1), submit(host, REST, id=1), list[Answer]()
    broker.when_final(told.append)
    rest.when_final(told.append)
    rest.withdraw()
    broker.withdraw()
    modem.gate.set()
    until(lambda: len(told) == 2)
    assert [of(one)["state"] for one in told] == ["sent"] * 2


def test_every_kind_of_ticket_can_be_taken_back(host: Host, modem: ScriptedModem) -> None:
    def ask(command: str, data: object) -> Any:
        return host.gateway.submit(parse(json.dumps({"command": command, "data": data}).encode()), BROKER)

    for ticket in (
        ask("echo", 1),
        ask("get-modem-list", None),
        ask("send-sms", [{"receiver": "x", "message": "y"}]),
        ask("request-ussd", {"modem_id": "m0", "ussd_code": "*123#"}),
        ask("request-ussd", {"modem_id": "none", "ussd_code": "*123#"}),
    ):
        ticket.withdraw()
        assert ticket.answer(10).code


# -- who hears of later states -----------------------------------------------------------------------------------------


class Told:
    """What the ingress was told."""

    def __init__(self, ingress: Any) -> None:
        self.states: list[tuple[Callback, Answer]] = []
        ingress.state_changed = lambda callback, answer: self.states.append((callback, answer))


@pytest.fixture
def told(host: Host, doubles: Any) -> Told:
    until(lambda: doubles.ingresses and doubles.ingresses[-1].running.is_set())
    return Told(doubles.ingresses[-1])


def report(outcome: DeliveryOutcome, reference: int = 0) -> DeliveryReport:
    return DeliveryReport("6281234567890", reference, outcome, 0, discharged=5.0)


def with_callback(number: bytes) -> Origin:
    callback = Callback("answers", number, "send-sms")
    return Origin("ingress-test", Sender("broker"), callback=callback, kept_by_source=True)


def test_a_later_state_reaches_the_way_in_that_asked_for_it(host: Host, modem: ScriptedModem, told: Told) -> None:
    answer = send(host, with_callback(b"7"), id=1)
    host.dispatch.reported("m0", report(DeliveryOutcome.DELIVERED))
    ((callback, later),) = told.states
    assert callback == Callback("answers", b"7", "send-sms")
    assert (later.command, later.code) == ("send-sms", ResponseCode.SUCCESS)
    assert of(later) == {**of(answer), "state": "delivered", "discharged": 5}


def test_nobody_is_told_who_did_not_ask(host: Host, modem: ScriptedModem, told: Told) -> None:
    send(host, BROKER, id=1)
    host.dispatch.reported("m0", report(DeliveryOutcome.DELIVERED))
    assert told.states == []


def test_of_one_sender_the_first_that_asks_is_told(host: Host, modem: ScriptedModem, told: Told) -> None:
    send(host, id=1)
    assert send(host, with_callback(b"2"), id=1).code is ResponseCode.DUPLICATE
    assert send(host, with_callback(b"3"), id=1).code is ResponseCode.DUPLICATE
    host.dispatch.reported("m0", report(DeliveryOutcome.DELIVERED))
    assert [callback.correlation for callback, _ in told.states] == [b"2"]


def test_each_of_two_senders_of_the_same_is_told(host: Host, modem: ScriptedModem, told: Told) -> None:
    send(host, REST, id=1)
    assert of(send(host, with_callback(b"2"), id=1))["state"] == "sent"
    host.dispatch.reported("m0", report(DeliveryOutcome.DELIVERED))
    assert [callback.correlation for callback, _ in told.states] == [b"2"]
    assert len(modem.outbox) == 1


def test_a_way_in_that_is_switched_off_is_not_told_and_nothing_breaks(
    host: Host, modem: ScriptedModem, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    send(host, with_callback(b"1"), id=1)
    change(host, {"ingress-test": {"enable": False}})
    host.dispatch.reported("m0", report(DeliveryOutcome.DELIVERED))
    assert told.states == []
    assert [one for one in caplog.records if one.exc_info] == []


def test_an_undelivered_one_is_told_with_its_cause(host: Host, modem: ScriptedModem, told: Told) -> None:
    send(host, with_callback(b"1"), id=1)
    host.dispatch.reported("m0", report(DeliveryOutcome.FAILED))
    ((_, answer),) = told.states
    assert answer.code is ResponseCode.FAILED
    assert of(answer)["state"] == "undelivered"
    assert "could not deliver" in of(answer)["cause"]


# -- capacity ----------------------------------------------------------------------------------------------------------


def test_the_capacity_is_that_of_the_modems_that_may_send_now(host: Host, doubles: Any) -> None:
    change(host, {"modems": [{"name": f"m{number}", "type": "scripted"} for number in range(3)]})
    until_ready(host)
    workers = host.dispatch.workers()
    each = host.gateway.capacity() // 3
    assert each >= 8, "enough to begin with"
    workers[0].seconds_per_message = 3600.0
    slow = host.gateway.capacity() - 2 * each
    assert 1 <= slow < each, "a slow one has one message at hand and waits for none"
    workers[0].seconds_per_message = 0.000_001
    assert host.gateway.capacity() - 2 * each <= 256, "a fast one leaves something to others"
    change(
        host,
        {
            "modems": [
                {"name": "m0", "type": "scripted", "active": False},
                {"name": "m1", "type": "scripted", "send_from_api": False},
                {"name": "m2", "type": "scripted"},
            ]
        },
    )
    until_ready(host)
    assert host.gateway.capacity() == each


def test_without_a_modem_there_is_no_capacity(host: Host, modem: ScriptedModem) -> None:
    assert host.gateway.capacity() > 0
    modem.openings.append(NotSent("it does not come back"))
    modem.lose()
    until(lambda: host.gateway.capacity() == 0)
    change(host, {"modems": [{"name": "m0", "type": "scripted", "active": False}]})
    assert host.gateway.capacity() == 0


def test_a_modem_whose_quota_is_used_up_has_none(host: Host, modem: ScriptedModem) -> None:
    change(host, {"modems": [{"name": "m0", "type": "scripted", "daily_quota": 1}]})
    until_ready(host)
    assert host.gateway.capacity() > 0
    assert send(host).code is ResponseCode.SUCCESS
    assert host.gateway.capacity() == 0
    assert send(host).code is ResponseCode.NO_MODEM


# -- a consumer on a real gateway --------------------------------------------------------------------------------------


class Broker:
    """What a connection's thread does with a consumer."""

    def __init__(self, host: Host, *, requeue: bool = True) -> None:
        self.consumer = Consumer(host.gateway, "ingress-test", Sender("broker"), lambda: None, requeue=requeue)

    def deliver(self, data: object, **options: Any) -> None:
        body = {"command": "send-sms", "callback_topic": "answers", "callback_delay": 0, "data": data}
        self.consumer.consume(Delivery(body=json.dumps(body).encode(), **options))

    def actions(self, count: int) -> list[Action]:
        actions = list[Action]()

        def enough() -> bool:
            actions.extend(self.consumer.due())
            return len(actions) >= count

        until(enough)
        return actions


def data_of(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "receiver": "081234567890", "message": "a text", **more}


def test_the_same_message_in_two_deliveries_is_sent_once_and_both_are_told(host: Host, modem: ScriptedModem) -> None:
    broker = Broker(host)
    modem.gate.clear()
    broker.deliver(data_of(1), tag=1)
    broker.deliver(data_of(1), tag=2)
    modem.gate.set()
    answers = [json.loads(action.payload) for action in broker.actions(2)]
    assert sorted(one["response_code"] for one in answers) == ["0000", "1201"]
    assert len({one["data"]["message_id"] for one in answers}) == 1
    assert len(modem.outbox) == 1


def test_what_a_lost_connection_brought_is_sent_once(host: Host, modem: ScriptedModem) -> None:
    broker = Broker(host)
    modem.gate.clear()
    for number in range(5):
        broker.deliver(data_of(number), tag=number)
    until(modem.sending.is_set)
    broker.consumer.lost()
    for number in range(5):
        broker.deliver(data_of(number), tag=number, redelivered=True)
    modem.gate.set()
    answers = [json.loads(action.payload) for action in broker.actions(5)]
    assert [one["data"]["state"] for one in answers] == ["sent"] * 5
    assert len(modem.outbox) == 5


def test_a_message_of_which_nothing_comes_ends_by_its_lifetime(
    host: Host, modem: ScriptedModem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E-mail, while no account is set: given back again and again, but not for ever."""
    broker, wall, clock = Broker(host), time.time, time.monotonic
    broker.deliver(data_of(1, receiver="someone@example.com"))
    broker.consumer.stop()
    (action,) = broker.actions(1)
    assert action.verdict is Verdict.AGAIN
    broker.consumer._stopping = False
    monkeypatch.setattr(time, "time", lambda: wall() + 601)
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 601)
    broker.deliver(data_of(1, receiver="someone@example.com"), redelivered=True)
    (action,) = broker.actions(1)
    assert (action.verdict, json.loads(action.payload)["response_code"]) == (Verdict.NEVER, "1203")


def test_a_stop_gives_back_what_waits_and_settles_what_was_being_sent(
    data: DataFolder, doubles: Any, tmp_path: Path
) -> None:
    (tmp_path / "boot").mkdir(mode=0o700)
    host = Host(data, tmp_path / "boot")
    host.start()
    until_ready(host)
    modem, broker = doubles.modems[-1], Broker(host)
    modem.gate.clear()
    for number in range(3):
        broker.deliver(data_of(number), tag=number)
    until(modem.sending.is_set)
    broker.consumer.stop()
    assert broker.consumer.due() == []
    modem.gate.set()
    host.stop()
    actions = broker.actions(3)
    assert broker.consumer.in_flight == 0
    verdicts = {action.delivery.tag: action.verdict for action in actions if action.delivery}
    assert verdicts[0] is Verdict.DONE
    sent = sum(verdict is Verdict.DONE for verdict in verdicts.values())
    assert sent == len(modem.outbox)
    assert set(verdicts.values()) <= {Verdict.DONE, Verdict.AGAIN}
    states = [record.state for record in host.dispatch.records.open()]
    assert State.QUEUED not in states
