"""Envelopes as the project's first document and its forerunner print them, byte for byte, cut, extended and mutated."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otppi.wire.envelope import (
    Answer,
    Command,
    EnvelopeError,
    Item,
    ResponseCode,
    malformed,
    parse,
)

SEED_SAMPLES = {
    "rest-api-send-sms": """{
	"command": "send-sms",
	"data": {
		"id": 123456,
		"receiver": "08126666666",
		"message": "OTP Anda adalah 1234"
	}
}""",
    "rest-api-send-email": """{
	"command": "send-email",
	"data": {
		"id": 123456,
		"receiver": "someone@domain.tld",
		"message": "OTP Anda adalah 1234"
	}
}""",
    "rest-api-block-number": """{
	"command": "block-msisdn",
	"data": {
		"receiver": "08126666666",
	}
}""",
    "rest-api-unblock-number": """{
	"command": "unblock-msisdn",
	"data": {
		"receiver": "08126666666",
	}
}""",
    "rabbitmq-send-sms": """{
	"command": "send-sms",
	"data": {
		"id": 123456,
		"receiver": "08126666666",
		"message": "OTP Anda adalah 1234"
	}
}""",
    "rabbitmq-send-email": """{
	"command":"send-sms",
	"data": {
		"id": 123456,
		"receiver": "someone@domain.tld",
		"message": "OTP Anda adalah 1234"
	}
}""",
    "rabbitmq-block-number": """{
	"command": "block-msisdn",
	"data": {
		"receiver": "08126666666",
	}
}""",
    "rabbitmq-unblock-number": """{
	"command": "unblock-msisdn",
	"data":{
		"receiver": "08126666666",
	}
}""",
    "mqtt-send-sms": """{
	"command":"send-sms",
	"data": {
		"id": 123456,
		"receiver": "08126666666",
		"message": "OTP Anda adalah 1234"
	}
}""",
    "mqtt-send-email": """{
	"command": "send-sms",
	"data": {
		"id": 123456,
		"receiver": "someone@domain.tld",
		"message": "OTP Anda adalah 1234"
	}
}""",
    "mqtt-block-number": """{
	"command": "block-msisdn",
	"data": {
		"receiver": "08126666666",
	}
}""",
    "mqtt-unblock-number": """{
	"command": "unblock-msisdn",
	"data": {
		"receiver": "08126666666",
	}
}""",
    "wsmessagebroker-send-sms": """{
	"command":"send-sms",
	"data": {\t
		"id": 123456,
		"receiver": "08126666666",
		"message": "OTP Anda adalah 1234"
	}
}""",
    "wsmessagebroker-send-email": """{
	"command": "send-sms",
	"data": {
		"id": 123456,
		"receiver": "someone@domain.tld",
		"message": "OTP Anda adalah 1234"
	}
}""",
    "wsmessagebroker-block-number": """{
	"command": "block-msisdn",
	"data": {
		"receiver": "08126666666",
	}
}""",
    "wsmessagebroker-unblock-number": """{

	"command":"unblock-msisdn",
	"data":{
		"receiver": "08126666666",
	}
}""",
}

CUT = "ends in the middle: it was cut off, or its declared length is too short"
SMS = Item(id="123456", receiver="08126666666", message="OTP Anda adalah 1234")
MAIL = Item(id="123456", receiver="someone@domain.tld", message="OTP Anda adalah 1234")
BLOCK = Item(receiver="08126666666")
EXPECTED = {
    "rest-api-send-sms": (Command.SEND_SMS, SMS),
    "rest-api-send-email": (Command.SEND_MAIL, MAIL),
    "send-sms": (Command.SEND_SMS, SMS),
    "send-email": (Command.SEND_SMS, MAIL),  # brokers: a receiver with an @ makes it an e-mail
    "unblock-number": (Command.UNBLOCK_MSISDN, BLOCK),
    "block-number": (Command.BLOCK_MSISDN, BLOCK),
}

WRAPPED = b"""{
	"command": "send-message",
	"channel": "sms",
	"data": [
		{
			"command": "send-sms",
			"data": {
				"id": 123456,
				"receiver": "08126666666",
				"message": "OTP Anda adalah 1234",
			}
		},
	]
}"""


def expected_of(name: str) -> tuple[Command, Item]:
    return next(value for key, value in EXPECTED.items() if name.endswith(key))


def errors_of(body: bytes) -> dict[str, str]:
    with pytest.raises(EnvelopeError) as caught:
        parse(body)
    return {error.field: error.reason for error in caught.value.errors}


@pytest.mark.parametrize("name", SEED_SAMPLES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("before", "behind"), [("", ""), ("\ufeff", ""), ("", "\n"), ("\r\n ", " \r\n")])
def test_examples_of_the_document(name: str, end: str, before: str, behind: str) -> None:
    body = before + SEED_SAMPLES[name].replace("\n", end) + behind
    envelope = parse(body.encode())
    assert (envelope.command, *envelope.items) == expected_of(name)
    assert not envelope.is_list
    assert envelope.callback_topic is None
    assert envelope.callback_delay == 10


def test_lengths_that_the_document_declares() -> None:
    """The bodies were counted with CR LF, all but one: see the next test."""
    declared = {"send-sms": 129, "send-email": 138, "unblock-number": 81}
    for name, length in declared.items():
        assert len(SEED_SAMPLES[f"rest-api-{name}"].replace("\n", "\r\n")) == length


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_example_cut_at_the_length_that_the_document_declares(end: str) -> None:
    body = SEED_SAMPLES["rest-api-block-number"].replace("\n", end).encode()
    assert errors_of(body[:70]) == {"body": CUT}


@pytest.mark.parametrize("name", SEED_SAMPLES)
def test_examples_cut_anywhere(name: str) -> None:
    body = SEED_SAMPLES[name].encode()
    assert errors_of(b"") == {"body": "is empty"}
    for end in range(1, len(body)):
        assert errors_of(body[:end]) == {"body": CUT}


@pytest.mark.parametrize("name", SEED_SAMPLES)
def test_examples_with_bytes_behind_them(name: str) -> None:
    for more in (b"x", b"{}", b'"', b"]", b"}"):
        assert errors_of(SEED_SAMPLES[name].encode() + more)["body"].startswith("has more behind its end, at line")


def test_wrapped_commands() -> None:
    envelope = parse(WRAPPED)
    assert (envelope.command, envelope.items, envelope.is_list) == (Command.SEND_SMS, (SMS,), True)
    assert envelope.name == "send-message"
    single = parse(b'{"command":"send-message","data":{"command":"block-msisdn","data":{"receiver":"0812666666"}}}')
    assert (single.command, single.items) == (Command.BLOCK_MSISDN, (Item(receiver="0812666666"),))


SEEDS = [*(sample.encode() for sample in SEED_SAMPLES.values()), WRAPPED]
TOKENS = [
    b",",
    b";",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"\\",
    b"\\ud800",
    b"\0",
    b"\xff",
    b"NaN",
    b"1e999",
    b"null",
    b"-",
    b"9" * 200,
]


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
@given(
    st.sampled_from(SEEDS),
    st.lists(
        st.tuples(st.integers(0, 250), st.integers(0, 20), st.sampled_from(TOKENS) | st.binary(max_size=4)), max_size=5
    ),
)
def test_fuzz_mutated_examples(body: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    for start, length, piece in edits:
        body = body[:start] + piece + body[start + length :]
    parses_or_refuses(body)
