"""Every field of every command: it works, or is refused by name, by each kind of ingress (issue 9 A4)."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from otppi.api.errors import NotPermitted
from otppi.api.ingress import Callback, Origin, Sender
from otppi.api.modem import ModemState
from otppi.host.host import Host
from otppi.testing.scripted import until
from otppi.wire.envelope import Answer, ResponseCode, parse
from otppi.wire.envelope_fields import COMMAND_NAMES, SHAPES, Command

REST = Origin("ingress-test", Sender("app"), direct=True)
BROKER = Origin("ingress-test", Sender("ingress-test"), callback=Callback("answers"), kept_by_source=True)
WAYS = {"rest": REST, "broker": BROKER}
RECEIVER = "081234567890"
MAIL = "someone@example.org"
SMS: dict[str, Any] = {"receiver": RECEIVER, "message": "a text"}
OTP: dict[str, Any] = {"reference": "login", "receiver": RECEIVER, "message": "Kode %s"}


class Bench:
    """The gateway with two modems, of which senders may use one, and one ingress."""

    def __init__(self, host: Host, doubles: Any, origin: Origin) -> None:
        self.host = host
        self.modems = {modem.name: modem for modem in doubles.modems}
        self.origin = origin

    def ask(self, command: str, data: object, **more: Any) -> Answer:
        body = json.dumps({"command": command, "data": data, **more}).encode()
        return self.host.gateway.submit(parse(body), self.origin).answer(10.0)

    def data(self, command: str, data: object) -> dict[str, Any]:
        answer = self.ask(command, data)
        assert isinstance(answer.data, dict)
        return answer.data

    def errors(self, command: str, data: object, **more: Any) -> dict[str, str]:
        answer = self.ask(command, data, **more)
        assert answer.code is ResponseCode.MALFORMED
        assert isinstance(answer.data, dict)
        return {flaw["field"]: flaw["reason"] for flaw in answer.data["errors"]}

    def sent(self, command: str, data: object) -> Any:
        """Return what a modem got of the message."""
        before = {name: len(modem.attempts) for name, modem in self.modems.items()}
        assert self.ask(command, data).code is ResponseCode.SUCCESS
        new = [modem.attempts[-1] for name, modem in self.modems.items() if len(modem.attempts) > before[name]]
        return new[0]


@pytest.fixture(params=WAYS)
def bench(request: pytest.FixtureRequest, host: Host, doubles: Any) -> Bench:
    modems = [
        {"name": "m0", "type": "scripted", "default_modem": True},
        {"name": "m1", "type": "scripted", "recipient_prefixes": ["0899"]},
        {"name": "by hand", "type": "scripted", "send_from_api": False},
    ]
    host.apply(host.data.config.update({"modems": modems, "otp": {"resend_interval": 0}}))
    doubles.modems[:] = doubles.modems[-3:]
    until(lambda: all(one.status.state is ModemState.READY for one in host.dispatch.workers()))
    return Bench(host, doubles, WAYS[request.param])


def given_back(bench: Bench, command: str, data: dict[str, Any], field: str, value: object) -> None:
    assert bench.data(command, {**data, field: value})[field] == value


def id_(bench: Bench, command: str, data: dict[str, Any]) -> None:
    given_back(bench, command, data, "id", "A-1")


def reference(bench: Bench, command: str, data: dict[str, Any]) -> None:
    given_back(bench, command, data, "reference", "R-1")


def receiver(bench: Bench, command: str, data: dict[str, Any]) -> None:
    assert bench.sent(command, {**data, "receiver": "0899 1234 5678"}).destination == "6289912345678"


def message(bench: Bench, command: str, data: dict[str, Any]) -> None:
    assert "other" in bench.sent(command, {**data, "message": "other %s" if command == "request-otp" else "other"}).text


def subject(bench: Bench, command: str, data: dict[str, Any]) -> None:
    """E-mails have one; no mail account can be set yet, so that their receivers get 1101."""
    reason = "is for e-mails, and the receiver is a number"
    assert bench.errors(command, {**data, "subject": "OTP"}) == {"data.subject": reason}
    assert bench.ask(command, {**data, "subject": ""}).code is ResponseCode.SUCCESS
    assert bench.ask(command, {**data, "receiver": MAIL, "subject": "OTP"}).code is ResponseCode.NO_MODEM


def date_time(bench: Bench, command: str, data: dict[str, Any]) -> None:
    answer = bench.ask(command, {**data, "date_time": int(time.time()) - 900})
    if bench.origin.direct:  # E28: a clock that was 10 minutes fast refused every request with it
        assert answer.code is ResponseCode.SUCCESS
        assert any("ahead of a sender's date_time" in one for one in bench.host.gateway.health()["warnings"])
    else:
        assert answer.code is ResponseCode.EXPIRED


def test_no_command_is_taken_of_who_only_reads_metrics(host: Host, doubles: Any) -> None:
    origin = replace(REST, sender=Sender("prometheus", metrics_only=True))
    for command, data in (("send-sms", SMS), ("get-modem-list", {}), ("block-msisdn", {"receiver": RECEIVER})):
        answer = host.gateway.submit(parse(json.dumps({"command": command, "data": data}).encode()), origin).answer()
        assert answer.code is ResponseCode.UNAUTHORIZED
        assert "metrics_only" in str(answer.data)
    with pytest.raises(NotPermitted):
        host.gateway.rotate_keys(Sender("prometheus", manage_keys=True, metrics_only=True))
    assert not any(modem.attempts for modem in doubles.modems)


def test_the_date_of_a_sealed_command_is_not_forgiven(host: Host) -> None:
    """What somebody has captured and brings again over REST is not made just now."""
    body = json.dumps({"command": "send-sms", "data": {**SMS, "date_time": int(time.time()) - 900}}).encode()
    ticket = host.gateway.submit(replace(parse(body), sealed=True), REST)
    assert ticket.answer(10.0).code is ResponseCode.EXPIRED


def expiration(bench: Bench, command: str, data: dict[str, Any]) -> None:
    assert bench.ask(command, {**data, "expiration": int(time.time()) - 5}).code is ResponseCode.EXPIRED
    assert bench.sent(command, {**data, "expiration": int(time.time()) + 60}).validity <= 61


def priority(bench: Bench, command: str, data: dict[str, Any]) -> None:
    if command == "request-otp":
        with pytest.raises(Exception, match="must be"):
            bench.ask(command, {**data, "priority": "bulk"})
        return
    message_id = bench.data(command, {**data, "priority": "bulk"})["message_id"]
    record = bench.host.dispatch.records.get(message_id)
    assert record is not None
    assert record.bulk


def flash(bench: Bench, command: str, data: dict[str, Any]) -> None:
    assert bench.sent(command, {**data, "flash": True}).flash
    assert bench.errors(command, {**data, "receiver": MAIL, "flash": True}).keys() == {"data.flash"}


def modem_id(bench: Bench, command: str, data: dict[str, Any]) -> None:
    for name in ("m0", "m1"):
        assert bench.data(command, {**data, "modem_id": name})["modem_id"] == name
        assert bench.modems[name].attempts
    for name in ("nosuchmodem", "by hand"):
        reason = "there is no active modem of this name that senders may use; there are m0, m1"
        assert bench.errors(command, {**data, "modem_id": name}) == {"data.modem_id": reason}
    assert bench.errors(command, {**data, "receiver": MAIL, "modem_id": "m0"}).keys() == {"data.modem_id"}


def otp_parameter(bench: Bench, command: str, field: str) -> None:
    asked = bench.sent("request-otp", {**OTP, field: "x"}) if command == "verify-otp" else None
    if asked is None:
        asked = bench.sent(command, {**OTP, field: "x"})
    code = asked.text.removeprefix("Kode ")
    wrong = bench.ask("verify-otp", {"reference": "login", "receiver": RECEIVER, "otp": code})
    assert wrong.code is ResponseCode.WRONG_OTP
    right = {"reference": "login", "receiver": RECEIVER, "otp": code, field: "x"}
    assert bench.ask("verify-otp", right).code is ResponseCode.SUCCESS


def verified(bench: Bench, field: str) -> None:
    """Each field of `verify-otp` counts: with another one the right code is wrong; the rest is given back."""
    code = bench.sent("request-otp", OTP).text.removeprefix("Kode ")
    right = {"reference": "login", "receiver": RECEIVER, "otp": code}
    if field in ("id", "date_time"):
        value: object = "A-1" if field == "id" else 1_700_000_000
        assert bench.data("verify-otp", {**right, field: value})[field] == value
        return
    other = {"reference": "other", "receiver": "081234567891", "otp": "x"}[field]
    assert bench.ask("verify-otp", {**right, field: other}).code is ResponseCode.WRONG_OTP
    assert bench.ask("verify-otp", right).code is ResponseCode.SUCCESS


SENDING: dict[str, Callable[[Bench, str, dict[str, Any]], None]] = {
    "id": id_,
    "receiver": receiver,
    "message": message,
    "subject": subject,
    "date_time": date_time,
    "expiration": expiration,
    "reference": reference,
    "priority": priority,
    "flash": flash,
    "modem_id": modem_id,
}
PARAMETERS = ("param1", "param2", "param3", "param4")
ALIASES = ("msisdn", "recipient")


def test_the_table_has_every_field() -> None:
    fields = {name: shape.fields.keys() - set(ALIASES) for name, shape in SHAPES.items()}
    assert fields == {
        Command.SEND_SMS: SENDING.keys(),
        Command.SEND_MESSAGE: SENDING.keys(),
        Command.SEND_MAIL: SENDING.keys(),
        Command.REQUEST_OTP: {*SENDING, *PARAMETERS},
        Command.VERIFY_OTP: {"id", "reference", "receiver", "otp", "date_time", *PARAMETERS},
        Command.BLOCK_MSISDN: {"id", "receiver"},
        Command.UNBLOCK_MSISDN: {"id", "receiver"},
        Command.REQUEST_USSD: {"id", "modem_id", "ussd_code", "session"},  # test_ussd.py has them
    }
    assert {*SHAPES, Command.GET_MODEM_LIST, Command.ECHO} == set(COMMAND_NAMES.values())


@pytest.mark.parametrize("field", SENDING)
@pytest.mark.parametrize("command", ["send-sms", "send-message", "request-otp"])
def test_a_field_of_a_message(bench: Bench, command: str, field: str) -> None:
    SENDING[field](bench, command, OTP if command == "request-otp" else SMS)


@pytest.mark.parametrize("field", ["flash", "modem_id"])
def test_a_field_that_no_email_has(bench: Bench, field: str) -> None:
    data = {"receiver": MAIL, "message": "a text", field: True if field == "flash" else "m0"}
    assert bench.errors("send-mail", data).keys() == {f"data.{field}"}


@pytest.mark.parametrize("field", PARAMETERS)
@pytest.mark.parametrize("command", ["request-otp", "verify-otp"])
def test_a_parameter_of_a_password(bench: Bench, command: str, field: str) -> None:
    otp_parameter(bench, command, field)


@pytest.mark.parametrize("field", ["id", "date_time", "reference", "receiver", "otp"])
def test_a_field_of_a_verification(bench: Bench, field: str) -> None:
    verified(bench, field)


@pytest.mark.parametrize("command", ["block-msisdn", "unblock-msisdn"])
@pytest.mark.parametrize("name", ["receiver", *ALIASES])
def test_a_field_of_blocking(bench: Bench, command: str, name: str) -> None:
    data = bench.data(command, {name: "+62 0812 3456 7890", "id": 7})
    assert (data["id"], data["receiver"]) == ("7", "6281234567890")
    assert ("6281234567890" in bench.host.data.blocklist) == (command == "block-msisdn")


@pytest.mark.parametrize("command", ["send-sms", "block-msisdn", "verify-otp", "get-modem-list", "echo"])
@pytest.mark.parametrize("field", ["callback_topic", "callback_delay"])
def test_an_answer_elsewhere_is_given_by_brokers_and_refused_by_rest(bench: Bench, command: str, field: str) -> None:
    data = {"send-sms": SMS, "verify-otp": {"reference": "a", "otp": "1"}}.get(command, {"receiver": RECEIVER})
    more = {field: "answers" if field == "callback_topic" else 50}
    if bench.origin.callback is None:
        reason = "answers are not published by this ingress: they come as the response"
        assert bench.errors(command, data, **more) == {field: reason}
    else:
        assert bench.ask(command, data, **more).code is not ResponseCode.MALFORMED


def test_one_that_is_blocked_while_it_waits_is_not_sent(bench: Bench) -> None:
    modem = bench.modems["m0"]
    modem.gate.clear()
    first = parse(json.dumps({"command": "send-sms", "data": SMS}).encode())
    busy = bench.host.gateway.submit(first, bench.origin)
    until(modem.sending.is_set)
    waiting = bench.host.gateway.submit(
        parse(json.dumps({"command": "send-sms", "data": {**SMS, "receiver": "081234567891"}}).encode()), bench.origin
    )
    assert bench.data("block-msisdn", {"receiver": "+62 81234567891"})["blocked"]
    modem.gate.set()
    assert busy.answer(10).code is ResponseCode.SUCCESS
    answer = waiting.answer(10)
    assert answer.code is ResponseCode.BLOCKED
    assert answer.data["state"] == "blocked"  # type: ignore[index,call-overload]
    assert [one.destination for one in modem.attempts] == ["6281234567890"]
