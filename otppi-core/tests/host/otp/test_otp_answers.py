"""`request-otp` and `verify-otp` as senders see them, through the gateway."""

import json
import time
from typing import Any

import pytest

from otppi.api.ingress import Origin, Sender
from otppi.host.host import Host
from otppi.host.modems.worker import modem_workers
from otppi.testing.bench import ORIGIN
from otppi.testing.scripted import until
from otppi.wire.envelope import Answer, ResponseCode, parse

RECEIVER = "081234567890"
REQUEST = {"reference": "login-1", "receiver": RECEIVER, "message": "Kode %s, jangan diberikan", "param1": "a"}
VERIFY = {"reference": "login-1", "receiver": "+62 812-3456-7890", "param1": "a"}


def command(host: Host, name: str, data: object, *, origin: Origin = ORIGIN, wait: float = 10.0) -> Answer:
    return host.gateway.submit(parse(json.dumps({"command": name, "data": data}).encode()), origin).answer(wait)


def data_of(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer.data, dict)
    return answer.data


def list_of(answer: Answer) -> list[dict[str, Any]]:
    assert isinstance(answer.data, list)
    return answer.data


def texts(host: Host) -> list[str]:
    (worker,) = host.dispatch.workers()
    return [sent.text for sent in worker.modem.outbox]  # type: ignore[attr-defined]


def code(host: Host) -> str:
    return texts(host)[-1][5:11]


def change(host: Host, **values: Any) -> None:
    host.apply(host.data.config.update({"otp": values}))


def errors(answer: Answer) -> dict[str, str]:
    assert answer.code is ResponseCode.MALFORMED
    return {one["field"]: one["reason"] for one in data_of(answer)["errors"]}


def test_request_and_verify(host: Host) -> None:
    before = int(time.time())
    answer = command(host, "request-otp", {**REQUEST, "id": 7})
    data = data_of(answer)
    assert (answer.command, answer.code) == ("request-otp", ResponseCode.SUCCESS)
    assert {key: data[key] for key in ("id", "state", "modem_id", "segments", "reference", "receiver")} == {
        "id": "7",
        "state": "sent",
        "modem_id": "scripted",
        "segments": 1,
        "reference": "login-1",
        "receiver": "081234567890",
    }
    assert data["modemID"] == data["modem_id"], "the original's name for it"
    assert before <= data["date_time"] <= time.time()
    assert 299 <= data["expiration"] - data["date_time"] <= 302
    assert texts(host) == [f"Kode {code(host)}, jangan diberikan"]
    shown = host.gateway.message(data["message_id"], Sender("app"))
    assert shown is not None
    assert data_of(shown)["state"] == "sent"

    wrong = command(host, "verify-otp", {**VERIFY, "otp": "x", "id": 8})
    assert wrong.code is ResponseCode.WRONG_OTP
    expected = {"id": "8", "reference": "login-1", "receiver": VERIFY["receiver"], "attempts_left": 4}
    assert data_of(wrong).items() >= expected.items()
    right = command(host, "verify-otp", {**VERIFY, "otp": code(host)})
    assert right.code is ResponseCode.SUCCESS
    assert set(data_of(right)) == {"id", "reference", "receiver", "date_time"}
    again = command(host, "verify-otp", {**VERIFY, "otp": code(host)})
    assert (again.code, "no one-time password waits" in data_of(again)["cause"]) == (ResponseCode.WRONG_OTP, True)


def test_the_receiver_is_told_as_it_was_sent(host: Host) -> None:
    """It is masked in logs and reports, but not to its own sender: clients of the original compare it."""
    assert data_of(command(host, "request-otp", REQUEST))["receiver"] == REQUEST["receiver"]
    data = data_of(command(host, "verify-otp", {"reference": "login-1", "otp": code(host), "param1": "a"}))
    assert "receiver" not in data, "what the request does not say the answer does not tell"


def test_an_otp_goes_before_bulk_messages_also_in_a_list(host: Host) -> None:
    (worker,) = modem_workers(host.dispatch.workers())
    modem: Any = worker.modem
    until(lambda: modem.is_open)
    modem.gate.clear()
    bulk = [{"id": number, "receiver": f"08120000000{number}", "message": f"bulk {number}"} for number in range(3)]
    command(host, "send-sms", bulk, wait=0)
    until(modem.sending.is_set)
    items = [{**REQUEST, "reference": str(number), "receiver": f"08131111111{number}"} for number in range(2)]
    queued = command(host, "request-otp", items, wait=0)
    assert [one["state"] for one in list_of(queued)] == ["queued", "queued"]
    modem.gate.set()
    until(lambda: len(texts(host)) == 5)
    assert [text[:4] for text in texts(host)] == ["bulk", "Kode", "Kode", "bulk", "bulk"]


def test_lists(host: Host) -> None:
    items = [{**REQUEST, "reference": str(number), "receiver": f"08131111111{number}"} for number in range(3)]
    answer = command(host, "request-otp", [*items, items[0]])
    assert answer.code is ResponseCode.TOO_MANY
    assert [one["response_code"] for one in list_of(answer)] == ["0000", "0000", "0000", "1208"]
    assert [one["reference"] for one in list_of(answer)] == ["0", "1", "2", "0"]
    assert "date_time" not in list_of(answer)[3]
    assert 0 < list_of(answer)[3]["retry_after"] <= 60
    codes = [text[5:11] for text in texts(host)]
    tries = [{"reference": str(number), "otp": one, "param1": "a"} for number, one in enumerate(codes)]
    answer = command(host, "verify-otp", [*tries, tries[0]])
    assert answer.code is ResponseCode.WRONG_OTP
    assert [one["response_code"] for one in list_of(answer)] == ["0000", "0000", "0000", "1202"]


def test_the_same_id_is_told_as_a_duplicate(host: Host) -> None:
    first = data_of(command(host, "request-otp", {**REQUEST, "id": "A"}))
    again = command(host, "request-otp", {**REQUEST, "id": "A"})
    assert again.code is ResponseCode.DUPLICATE
    assert data_of(again) == first
    assert len(texts(host)) == 1
    plain = {"id": "A", "receiver": RECEIVER, "message": REQUEST["message"]}
    assert command(host, "send-sms", plain).code is ResponseCode.SUCCESS, "a message is not like a request"


def test_bad_requests_name_the_field_and_send_nothing(host: Host) -> None:
    assert errors(command(host, "request-otp", {**REQUEST, "receiver": "0812"})).keys() == {"data.receiver"}
    assert errors(command(host, "request-otp", {**REQUEST, "message": "%s" + "x" * 2000})).keys() == {"data.message"}
    problems = errors(command(host, "request-otp", [REQUEST, {**REQUEST, "receiver": "letters"}]))
    assert problems == {"data[1].receiver": "the number has letters"}
    assert errors(command(host, "verify-otp", {**VERIFY, "otp": "1", "receiver": "08"})).keys() == {"data.receiver"}
    assert errors(command(host, "verify-otp", [{**VERIFY, "otp": "1", "receiver": "08"}])).keys() == {
        "data[0].receiver"
    }
    assert texts(host) == []
    for number in range(2):
        command(host, "request-otp", {**REQUEST, "receiver": f"08131111111{number}"})
    unclear = command(host, "verify-otp", {"reference": "login-1", "otp": "1", "param1": "a"})
    assert "several receivers" in errors(unclear)["data.receiver"]


def test_what_holds_for_messages_holds_for_codes(host: Host) -> None:
    command(host, "block-msisdn", {"receiver": RECEIVER})
    blocked = command(host, "request-otp", REQUEST)
    assert (blocked.code, data_of(blocked)["state"]) == (ResponseCode.BLOCKED, "blocked")
    command(host, "unblock-msisdn", {"receiver": RECEIVER})
    late = command(host, "request-otp", {**REQUEST, "expiration": 1})
    assert (late.code, data_of(late)["state"]) == (ResponseCode.EXPIRED, "expired")
    assert command(host, "request-otp", {**REQUEST, "receiver": "a@example.com"}).code is ResponseCode.NO_MODEM
    assert data_of(command(host, "request-otp", REQUEST))["state"] == "sent"


def test_settings_are_used_at_once(host: Host) -> None:
    change(host, alphabet="letters", code_length=10, allowed_prefixes=["0812"], lifetime=20, attempts=2)
    host.apply(host.data.config.update({"sms": {"countries": ["any"]}}))
    answer = command(host, "request-otp", REQUEST)
    assert 19 <= data_of(answer)["expiration"] - data_of(answer)["date_time"] <= 22
    letters = texts(host)[-1].split()[1].rstrip(",")
    assert (len(letters), letters.isalpha()) == (10, True)
    foreign = command(host, "request-otp", {**REQUEST, "receiver": "+18005550100"})
    assert (foreign.code, data_of(foreign)["retry_after"]) == (ResponseCode.TOO_MANY, 3600)
    assert data_of(command(host, "verify-otp", {**VERIFY, "otp": "x"}))["attempts_left"] == 1
    host.apply(host.data.config.update({"sms": {"country_code": "65", "countries": ["ID"]}}))
    assert command(host, "request-otp", {**REQUEST, "receiver": "+6591234567"}).code is ResponseCode.TOO_MANY
    assert command(host, "request-otp", {**REQUEST, "receiver": "+62812345678"}).code is ResponseCode.SUCCESS


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"code_length": 3}, "code_length"),
        ({"alphabet": "emoji"}, "alphabet"),
        ({"attempts": 0}, "attempts"),
        ({"prefix_length": 8}, "prefix_length"),
        ({"allowed_prefixes": ["x"]}, "allowed_prefixes"),
        ({"per_hour": -1}, "per_hour"),
        ({"guard_percent": 101}, "guard_percent"),
        ({"verifier": "nobody"}, "verifier"),
    ],
)
def test_bad_settings_are_named(host: Host, values: dict[str, Any], field: str) -> None:
    from otppi.api.errors import InvalidSettings

    with pytest.raises(InvalidSettings) as caught:
        change(host, **values)
    assert [problem.field for problem in caught.value.problems] == [f"otp.{field}"]


def test_health_and_counters_tell_of_limits(host: Host) -> None:
    change(host, per_hour=1)
    command(host, "request-otp", REQUEST)
    command(host, "request-otp", {**REQUEST, "reference": "2"})
    assert any("one-time passwords are refused" in warning for warning in host.gateway.health()["warnings"])
    counters = host.gateway.counters()
    assert counters["otp_total"] == {
        'result="requested"': 1,
        'result="verified"': 0,
        'result="wrong"': 0,
        'result="expired"': 0,
        'result="limited"': 1,
    }
    assert counters["otp_open"] == {"": 1}


def test_the_callback_of_a_broker_gets_the_whole_answer(host: Host) -> None:
    answers: list[Answer] = []
    envelope = parse(json.dumps({"command": "request-otp", "data": REQUEST}).encode())
    host.gateway.submit(envelope, ORIGIN).when_final(answers.append)
    until(lambda: answers)
    assert data_of(answers[0]).items() >= {"state": "sent", "reference": "login-1"}.items()
