"""Answers: the table of response codes, and the JSON."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.wire.envelope import (
    Answer,
    EnvelopeError,
    FieldError,
    ResponseCode,
    malformed,
)

TABLE = {
    "0000": 200,
    "1100": 401,
    "1101": 503,
    "1102": 502,
    "1201": 200,
    "1202": 200,
    "1203": 410,
    "1204": 403,
    "1205": 503,
    "1206": 400,
    "1207": 504,
    "1208": 429,
}


def test_response_codes() -> None:
    assert {code.value: code.http_status for code in ResponseCode} == TABLE
    assert all(code.text for code in ResponseCode)
    assert ResponseCode("1206") is ResponseCode.MALFORMED


@pytest.mark.parametrize(
    ("data", "status"),
    [(None, 200), ([], 200), ({"state": "sent"}, 200), ({"state": "queued"}, 202), ({"state": "sending"}, 202)],
)
def test_status_of_a_message_on_its_way(data: Mapping[str, object] | list[object] | None, status: int) -> None:
    assert Answer("send-sms", ResponseCode.SUCCESS, data=data).http_status == status
    assert Answer("send-sms", ResponseCode.FAILED, data=data).http_status == 502


def test_answer_as_json() -> None:
    answer = Answer("send-sms", ResponseCode.SUCCESS, data={"id": "é\ud800", "segments": 1})
    assert answer.to_json() == (
        b'{"command":"send-sms","response_code":"0000","response_text":"Done",'
        b'"data":{"id":"\\u00e9\\ud800","segments":1}}'
    )
    assert json.loads(Answer("echo", ResponseCode.FAILED, "No luck").to_json()) == {
        "command": "echo",
        "response_code": "1102",
        "response_text": "No luck",
    }


VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.text(), st.text(min_size=1), st.dictionaries(st.text(), VALUES) | st.dictionaries(st.text(), st.text()))
def test_an_answer_is_written_as_the_encoder_of_json_writes_it(
    command: str, text: str, data: dict[str, object]
) -> None:
    document = {"command": command, "response_code": "0000", "response_text": text, "data": data}
    whole = json.dumps(document, separators=(",", ":")).encode("ascii")
    assert Answer(command, ResponseCode.SUCCESS, text, data).to_json() == whole


def test_answer_to_a_malformed_request() -> None:
    answer = malformed(EnvelopeError([FieldError("data.receiver", "is missing")]), "send-sms")
    assert answer.http_status == 400
    assert json.loads(answer.to_json())["data"] == {"errors": [{"field": "data.receiver", "reason": "is missing"}]}
