"""JSON as it should not be: every flaw gets a field and a reason, and nothing else is raised."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otppi.wire.envelope import (
    BODY_LIMIT,
    Answer,
    EnvelopeError,
    Item,
    ResponseCode,
    malformed,
    parse,
)

CUT = "ends in the middle: it was cut off, or its declared length is too short"


def errors_of(body: bytes) -> dict[str, str]:
    with pytest.raises(EnvelopeError) as caught:
        parse(body)
    return {error.field: error.reason for error in caught.value.errors}


@pytest.mark.parametrize(
    "body",
    [
        b'{"command":"block-msisdn";"data":{"receiver":"0812;,]}"}}',
        b'{"command":"block-msisdn","data":{"receiver":"0812;,]}",};}',
        b'{"command":"block-msisdn","data":[{"receiver":"0812;,]}"};]}',
        b'{"command":"block-msisdn","data":[{"receiver":"0812;,]}"} , \r\n\t]}',
        b'{"command":"block-msisdn";"data":{"receiver":"0812;,]}";"x":"\\";,}";},}',
    ],
)
def test_separators_of_the_original(body: bytes) -> None:
    assert parse(body).items == (Item(receiver="0812;,]}"),)


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (b'{"command":"echo","command":"echo"}', "command", "is given twice"),
        (b'{"command":"echo","data":[{},{"a":1,"a":1}]}', "data[1].a", "is given twice"),
        (b'{"command":"echo","data":{"a":1;"a":2,}}', "data.a", "is given twice"),
        (b'{"command":"echo","data":{"\\ud800\\n":NaN}}', "data.(no name)", "must be a finite number"),
        (b'{"command":"send-sms","data":{"Your code is 1234":NaN}}', "data.(no name)", "must be a finite number"),
        (b'{"command":"echo","data":{"id":-Infinity}}', "data.id", "must be a finite number"),
        (b'{"command":"echo","data":{"id":1e999}}', "data.id", "must be a finite number"),
        (b'{"command":"echo","data":{"id":' + b"9" * 5000 + b"}}", "data.id", "has more than 128 digits"),
        (b"NaN", "body", "must be a finite number"),
        (b"[" * 100_000, "body", "is nested too deeply"),
        (b'{"a":' * 100_000, "body", "is nested too deeply"),
        (b"[" * 100_000 + b"]" * 100_000, "body", "is nested too deeply"),
        (b" \r\n\t", "body", "is empty"),
        (b"\xef\xbb\xbf", "body", "is empty"),
        (b"\xff{}", "body", "is not valid UTF-8 at byte 0"),
        (b'{"a":"\xc3', "body", CUT),
        (b'{"a":"\xc3"}', "body", "is not valid UTF-8 at byte 6"),
        ('{"a":1}'.encode("utf-16"), "body", "is not valid UTF-8 at byte 0"),
        (b'{"command":"echo"}\0{}', "body", "has more behind its end, at line 1, column 19"),
        (b"\0\0", "body", "is empty"),
        (b'{"command":\n "echo" "data"}', "body", "is not valid JSON at line 2, column 9"),
        (b"{'command':'echo'}", "body", "is not valid JSON at line 1, column 2"),
        (b'{"a":"x\ny"}', "body", "is not valid JSON at line 1, column 8"),
        (b'{"a":"x\\', "body", CUT),
        (b'{"a":"x\\"', "body", CUT),
        (b'{"a":"\\u12"}', "body", "is not valid JSON at line 1, column 8"),
        (b" " * (BODY_LIMIT + 1), "body", f"must not be longer than {BODY_LIMIT:,} bytes"),
    ],
)
def test_what_cannot_be_read(body: bytes, field: str, reason: str) -> None:
    assert errors_of(body) == {field: reason}


@pytest.mark.parametrize(
    "body", [b'"' + b'\\"' * 400_000, b"{" + b" ,\n" * 300_000, b"[" + b"{}," * 300_000, b";" * 900_000]
)
def test_hostile_bodies_cost_linear_time(body: bytes) -> None:
    assert "body" in errors_of(body)


@pytest.mark.parametrize("body", [b'{"a":1,,}', b"[,,]", b"{;;}", b'{"a";1}', b"[1 2]", b"[1,2}", b'{"a"=1}'])
def test_other_dialects(body: bytes) -> None:
    assert errors_of(body)["body"].startswith("is not valid JSON at line 1, column ")


def parses_or_refuses(body: bytes) -> None:
    try:
        envelope = parse(body)
    except EnvelopeError as error:
        answer = malformed(error)
    else:
        answer = Answer(envelope.name, ResponseCode.SUCCESS, data={"data": envelope.data})
        assert envelope.items
    assert answer.to_json().isascii()
    assert answer.code is ResponseCode.SUCCESS or b'"reason":' in answer.to_json()


@settings(max_examples=500)
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_fuzz_anything(body: bytes) -> None:
    parses_or_refuses(body)


@pytest.mark.parametrize("end", [b"\0", b"\n\0", b"\0\0\0"])
@pytest.mark.parametrize("body", [b'{"command": "echo"}', b'{"command": "echo",}', b'\xef\xbb\xbf{"command": "echo"}'])
def test_a_nul_behind_the_end_is_taken(body: bytes, end: bytes) -> None:
    """homebridge-mqtt#75: a client in C publishes its string with the octet that ends it."""
    assert parse(body + end) == parse(b'{"command": "echo"}')
