"""What an envelope that is malformed still says: its command, and where its sender wants to be told."""

import json

import pytest

from otppi.wire.envelope import CALLBACK_DELAY, EnvelopeError, ResponseCode, malformed, parse


def error_of(body: bytes | dict[str, object]) -> EnvelopeError:
    with pytest.raises(EnvelopeError) as caught:
        parse(body if isinstance(body, bytes) else json.dumps(body).encode())
    return caught.value


def asked(body: bytes | dict[str, object]) -> tuple[str, str | None, int]:
    error = error_of(body)
    return error.command, error.callback_topic, error.callback_delay


@pytest.mark.parametrize(
    ("envelope", "command", "topic", "delay"),
    [
        ({"command": "send-sms"}, "send-sms", None, CALLBACK_DELAY),
        ({"command": "send-email", "callback_topic": "a"}, "send-email", "a", CALLBACK_DELAY),
        ({"command": "send-sms", "callback_topic": "a", "callback_delay": 600_000}, "send-sms", "a", 600_000),
        ({"command": "send-sms", "callback_topic": "a", "callback_delay": 0}, "send-sms", "a", 0),
        ({"command": "send-sms", "callback_topic": "a", "callback_delay": 600_001}, "send-sms", "a", CALLBACK_DELAY),
        ({"command": "send-sms", "callback_topic": "a", "callback_delay": "x"}, "send-sms", "a", CALLBACK_DELAY),
        ({"command": "send-sms", "callback_topic": "a\nb"}, "send-sms", None, CALLBACK_DELAY),
        ({"command": "send-sms", "callback_topic": ""}, "send-sms", None, CALLBACK_DELAY),
        ({"command": "send-sms", "callback_topic": ["a"]}, "send-sms", None, CALLBACK_DELAY),
        ({"command": "send-sms", "callback_topic": "x" * 257}, "send-sms", None, CALLBACK_DELAY),
        ({"command": "a text that somebody put here", "callback_topic": "a"}, "", "a", CALLBACK_DELAY),
        ({"command": 5, "callback_topic": "a"}, "", "a", CALLBACK_DELAY),
        ({"callback_topic": "a"}, "", "a", CALLBACK_DELAY),
    ],
)
def test_what_can_be_read_of_it_is_kept(
    envelope: dict[str, object], command: str, topic: str | None, delay: int
) -> None:
    assert asked(envelope) == (command, topic, delay)


@pytest.mark.parametrize("command", ["send-sms", "block-msisdn", "echo", "get-modem-list"])
def test_an_answer_is_no_command(command: str) -> None:
    """One that comes to where commands are taken from is not carried out, and not answered: that would be a loop."""
    data = {"receiver": "628126666666", "message": "text"}
    answer: dict[str, object] = {"command": command, "response_code": "0000", "response_text": "Done", "data": data}
    error = error_of(answer)
    assert [flaw.field for flaw in error.errors] == ["response_code"]
    assert error.callback_topic is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"command": "send-sms", "callback_topic": "a", "x": ['])
def test_nothing_is_known_of_what_is_no_json(body: bytes) -> None:
    assert asked(body) == ("", None, 0)


def test_a_wrapped_command_that_is_malformed_answers_by_the_outer_name() -> None:
    body: dict[str, object] = {
        "command": "send-message",
        "callback_topic": "a",
        "data": [{"command": "send-sms", "data": {"receiver": "0812"}}],
    }
    assert asked(body) == ("send-message", "a", CALLBACK_DELAY)


def test_the_answer_to_it_names_the_command_and_the_fields() -> None:
    answer = malformed(error_of({"command": "send-sms", "callback_topic": "a"}))
    assert (answer.command, answer.code) == ("send-sms", ResponseCode.MALFORMED)
    assert json.loads(answer.to_json())["data"] == {"errors": [{"field": "data", "reason": "is missing"}]}


def test_an_error_made_elsewhere_asks_for_no_answer() -> None:
    error = EnvelopeError([])
    assert (error.command, error.callback_topic, error.callback_delay) == ("", None, 0)
