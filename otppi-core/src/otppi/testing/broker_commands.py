"""The contract of an ingress on a broker: what becomes of commands."""
# ruff: noqa: S101, D102 - these are tests

import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from otppi.api.ingress import Callback, ReceivedMessage
from otppi.testing.broker_bench import SECRET, BrokerBench, BrokerUnderTest, Serve, command
from otppi.testing.stand_in import StandInGateway, sent
from otppi.testing.waiting import until
from otppi.wire.envelope import Answer, ResponseCode

EXAMPLES = (
    '{\n\t"command": "send-sms",\n\t"data": {\n\t\t"id": 123456,\n\t\t"receiver": "08126666666",\n'
    '\t\t"message": "OTP Anda adalah 1234"\n\t}\n}',
    '{\n\t"command":"send-sms",\n\t"data": {\n\t\t"id": 123456,\n\t\t"receiver": "someone@domain.tld",\n'
    '\t\t"message": "OTP Anda adalah 1234"\n\t}\n}',
    '{\n\t"command": "block-msisdn",\n\t"data": {\n\t\t"receiver": "08126666666",\n\t}\n}',
    '{\n\t"command": "unblock-msisdn",\n\t"data":{\n\t\t"receiver": "08126666666",\n\t}\n}',
)
"""As the document of the original program prints them, with their trailing commas."""
MALFORMED = (
    b'{"command": "send-sms"}',
    b'{"command": "send-sms", "data": {}}',
    b'{"command": "send-sms", "data": "%b"}' % SECRET.encode(),
    b'{"command": "send-sms", "data": {"message": "%b"}}' % SECRET.encode(),
    b'{"command": "send-sms", "data": {"receiver": 1.5, "message": {"a": "%b"}}}' % SECRET.encode(),
    b'{"command": "send-sms", "data": []}',
    b'{"command": "echo", "callback_delay": "soon"}',
)
"""They name a command, so that every protocol takes them for one."""


class CommandsContract(BrokerBench):
    """Commands come in, come to their ends, and are answered."""

    # -- commands and answers ---------------------------------------------------------------------------------------

    def test_a_command_is_taken_and_answered(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        served = serve().until(connected=True)
        broker.publish(command(7, callback_topic=broker.answers))
        answer = broker.answer_to(7)
        assert (answer["command"], answer["response_code"], answer["data"]["state"]) == ("send-sms", "0000", "sent")
        served.until(taken=1, done=1, in_flight=0)
        ((envelope, origin),) = gateway.taken
        key = broker.kind.section.key
        assert (origin.ingress, origin.sender.name) == (key, key)
        assert (origin.kept_by_source, origin.redelivered) == (broker.keeps, False)
        assert origin.callback == Callback(broker.answers, b"", "send-sms")
        assert envelope.items[0].message == f"OTP Anda adalah {SECRET}"
        served.stop()
        assert self.still_there(broker, serve) == []
        assert SECRET not in caplog.text
        assert "08126666666" not in caplog.text + str(served.ingress.describe())

    def test_the_examples_of_the_document_byte_for_byte(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway
    ) -> None:
        served = serve().until(connected=True)
        bodies = [body.replace("\n", end).encode() for body in EXAMPLES for end in ("\n", "\r\n")]
        for body in bodies:
            broker.publish(body)
        served.until(done=len(bodies), malformed=0)
        receivers = [envelope.items[0].receiver for envelope, _ in gateway.taken]
        assert receivers.count("someone@domain.tld") == 2
        assert receivers.count("08126666666") == 6

    def test_every_command_is_answered(self, broker: BrokerUnderTest, serve: Serve) -> None:
        serve().until(connected=True)
        sms = {"receiver": "081266660001", "message": "x"}
        data: dict[str, Any] = {
            "send-sms": sms,
            "send-email": {"receiver": "a@b.example", "message": "x", "subject": "y"},
            "send-message": sms,
            "block-msisdn": {"receiver": "081266660001"},
            "unblock-msisdn": {"msisdn": "081266660001"},
            "request-otp": {"receiver": "081266660001", "reference": "r", "message": "Kode %s"},
            "verify-otp": {"receiver": "081266660001", "reference": "r", "otp": "123456"},
            "request-ussd": {"modem_id": "m0", "ussd_code": "*123#"},
            "get-modem-list": {},
            "echo": {"a": 1},
        }
        for name, value in data.items():
            broker.publish(json.dumps({"command": name, "data": value, "callback_topic": broker.answers}).encode())
        until(
            lambda: {json.loads(one)["command"] for one in broker.answers_published()} == set(data),
            broker.answers_published,
        )

    def test_later_states_and_the_inbox_are_published(self, broker: BrokerUnderTest, serve: Serve) -> None:
        served = serve(inbox_topic=broker.answers).until(connected=True)
        later = Answer("send-sms", ResponseCode.SUCCESS, data={"id": "1", "state": "delivered"})
        served.ingress.state_changed(Callback(broker.answers, b"", "send-sms"), later)
        assert broker.answer_to(1, "delivered")["command"] == "send-sms"
        message = ReceivedMessage("r1", "m0", "+62812666", "Halo é", 1.0, 2.0, 2, (2,))
        served.ingress.received(message)
        until(lambda: message.as_data() in map(json.loads, broker.answers_published()), broker.answers_published)

    def test_an_answer_that_is_wanted_later_comes_later_or_at_the_stop(
        self, broker: BrokerUnderTest, serve: Serve
    ) -> None:
        served = serve().until(connected=True)
        broker.publish(command(1, callback_topic=broker.answers, callback_delay=600_000))
        # Of another command: an answer does not overtake an earlier one of the same to the same topic.
        later = command(2, callback_topic=broker.answers, callback_delay=10).replace(b"send-sms", b"send-message")
        broker.publish(later)
        broker.answer_to(2)
        served.until(done=2, callbacks_waiting=1)
        served.stop()
        broker.answer_to(1)  # better early than never

    def test_no_answer_goes_to_where_commands_come_from(self, broker: BrokerUnderTest, serve: Serve) -> None:
        if not broker.refuses_own_topic:
            pytest.skip("this protocol knows its own echo")
        served = serve().until(connected=True)
        broker.publish(command(1, callback_topic=broker.source))
        broker.publish(command(2, callback_topic=broker.answers))
        broker.answer_to(2)
        served.until(done=2, in_flight=0)
        served.stop()
        assert self.still_there(broker, serve) == []

    # -- its end ----------------------------------------------------------------------------------------------------

    def test_a_command_is_settled_after_its_end_and_not_before(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway
    ) -> None:
        if not broker.keeps:
            pytest.skip("this broker keeps nothing")
        gateway.hold = True
        served = serve().until(connected=True)
        for number in range(3):
            broker.publish(command(number))
        until(lambda: len(gateway.taken) == 3, served.ingress.describe)
        gateway.tickets[gateway.ids().index("1")].release()
        served.until(done=1, in_flight=2)
        served.stop_at_once()
        gateway.hold = False
        again = serve()
        until(lambda: len(gateway.taken) == 5, again.ingress.describe)
        assert sorted(gateway.ids()[3:]) == ["0", "2"]
        assert [origin.redelivered for _, origin in gateway.taken] == [False] * 3 + [True] * 2
        again.until(done=2, in_flight=0)
        again.stop()
        assert self.still_there(broker, serve) == []

    def test_what_can_never_be_sent_is_rejected(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway
    ) -> None:
        gateway.judge = lambda item: (ResponseCode.FAILED, {"id": item.id, "state": "failed"})
        served = serve().until(connected=True)
        body = command(1, callback_topic=broker.answers)
        broker.publish(body)
        assert broker.answer_to(1)["response_code"] == "1102"
        served.until(never=1, in_flight=0)
        if broker.buries:
            assert until(broker.buried) == [body]
        served.stop()
        assert self.still_there(broker, serve) == []

    def test_what_cannot_be_sent_now_is_sent_later(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway
    ) -> None:
        first = True

        def judge(item: Any) -> tuple[ResponseCode, Mapping[str, Any]]:
            nonlocal first
            first, was = False, first
            return (ResponseCode.NO_MODEM, {"id": item.id, "state": "failed"}) if was else sent(item)

        gateway.judge = judge
        served = serve().until(connected=True)
        broker.publish(command(1, callback_topic=broker.answers))
        assert broker.answer_to(1)["data"]["state"] == "sent"
        served.until(done=1, never=0, in_flight=0)
        assert gateway.ids() == ["1", "1"]
        assert len(broker.answers_published()) == 1  # of what is given back nothing is told

    def test_what_cannot_be_sent_here_goes_to_another_gateway(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway
    ) -> None:
        if not broker.gives_back:
            pytest.skip("this broker takes nothing back for others")
        busy = StandInGateway()
        busy.judge = lambda item: (ResponseCode.NO_MODEM, {"id": item.id, "state": "failed"})
        serve(busy, name="busy").until(connected=True)
        broker.publish(command(1))
        until(lambda: busy.taken)
        busy.room = 0
        served = serve(name="another")
        until(lambda: gateway.taken, served.ingress.describe)
        assert gateway.taken[0][1].redelivered == broker.tells_given_back
        served.until(done=1)

    def test_many_that_cannot_be_sent_now_hold_up_no_other(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway
    ) -> None:
        gateway.room = 2
        gateway.judge = lambda item: (
            sent(item) if item.id == "urgent" else (ResponseCode.NO_MODEM, {"id": item.id, "state": "failed"})
        )
        served = serve().until(connected=True)
        for number in range(broker.parks):
            broker.publish(command(number))
        broker.publish(command("urgent", callback_topic=broker.answers))
        broker.answer_to("urgent")
        gateway.judge = sent
        served.until(done=broker.parks + 1, in_flight=0)

    def test_what_is_malformed_is_rejected_told_and_not_quoted(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        served = serve().until(connected=True)
        wanted = (
            b'{"callback_topic": %b, "command": "send-sms", "data": {"id": 5}}' % json.dumps(broker.answers).encode()
        )
        bodies = [*MALFORMED, wanted]
        for body in bodies:
            broker.publish(body)
        broker.publish(command("good", callback_topic=broker.answers))
        broker.answer_to("good")
        served.until(malformed=len(bodies), done=1, in_flight=0)
        assert gateway.ids() == ["good"]
        told = until(
            lambda: [one for one in map(json.loads, broker.answers_published()) if one["response_code"] == "1206"]
        )
        assert {flaw["field"] for flaw in told[0]["data"]["errors"]} == {"data.receiver", "data.message"}
        if broker.buries:
            until(lambda: len(broker.buried()) == len(bodies))
            assert sorted(broker.buried()) == sorted(bodies)
        assert "malformed" in caplog.text
        assert SECRET not in caplog.text + json.dumps(told)

    def test_a_fault_of_the_gateway_ends_one_command_only(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        served = serve().until(connected=True)
        with monkeypatch.context() as patch:
            patch.setattr(gateway, "submit", lambda *_: 1 / 0)
            broker.publish(command(1))
            served.until(never=1, in_flight=0)
        broker.publish(command(2, callback_topic=broker.answers))
        broker.answer_to(2)

    def test_nothing_is_taken_while_no_modem_can_send(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway
    ) -> None:
        if not broker.leaves:
            pytest.skip("this broker has nobody else to leave it to")
        gateway.room, other = 0, StandInGateway()
        idle = serve(name="idle").until(connected=True)
        until(lambda: "no modem" in idle.says("detail"), idle.ingress.describe)
        busy = serve(other, name="busy").until(connected=True)
        for number in range(20):
            broker.publish(command(number))
        busy.until(done=20)
        assert (len(gateway.taken), idle.says("taken")) == (0, 0)
