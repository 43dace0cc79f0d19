"""Commands and their fields: what is taken, and every way to get it wrong."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otppi.wire.envelope import (
    Answer,
    Command,
    Envelope,
    EnvelopeError,
    Item,
    ResponseCode,
    malformed,
    parse,
)

COMPLETE = {
    "send-sms": {"receiver": "+62 812-6666-666", "message": "Kode 1234"},
    "send-mail": {"receiver": "someone@domain.example", "message": "Kode 1234"},
    "send-email": {"receiver": "someone@domain.example", "message": "Kode 1234"},
    "send-message": {"receiver": "0812666666", "message": "Kode 1234"},
    "block-msisdn": {"msisdn": "0812666666"},
    "unblock-msisdn": {"recipient": "0812666666"},
    "request-otp": {"reference": "login-7", "receiver": "0812666666", "message": "Kode %s"},
    "verify-otp": {"reference": "login-7", "otp": "001234"},
    "request-ussd": {"modem_id": "m0", "ussd_code": "*123#"},
}
REQUIRED = [(command, name) for command, data in COMPLETE.items() for name in data]


def dump(command: object, data: object, **more: object) -> bytes:
    return json.dumps({"command": command, "data": data, **more}).encode()


def errors_of(body: bytes, max_items: int = 100) -> dict[str, str]:
    with pytest.raises(EnvelopeError) as caught:
        parse(body, max_items=max_items)
    return {error.field: error.reason for error in caught.value.errors}


# What must be accepted


def test_wrapped_commands_of_several_kinds() -> None:
    data = {"receiver": "a@domain.example", "message": "x"}
    plain = {"receiver": "0812666666", "message": "y"}
    mixed = [{"command": "send-mail", "data": data}, {"command": "send-sms", "data": plain}, plain]
    envelope = parse(dump("send-message", mixed))
    assert envelope.command is Command.SEND_MESSAGE
    assert [item.receiver for item in envelope.items] == ["a@domain.example", "0812666666", "0812666666"]
    block = {"command": "block-msisdn", "data": {"receiver": "0812666666"}}
    assert errors_of(dump("send-message", [*mixed, block])) == {"data": "must hold the same command in all entries"}
    wrong = [
        {"command": "send-sms", "data": {"message": "x"}},
        {"command": "no", "data": {}},
        {"command": "echo", "data": 1},
    ]
    assert set(errors_of(dump("send-message", wrong))) == {"data[0].data.receiver", "data[1].command", "data[2].data"}
    assert set(errors_of(dump("send-message", [{"command": "echo", "data": {}}]))) == {"data[0].data"}


@pytest.mark.parametrize("command", COMPLETE)
def test_every_command(command: str) -> None:
    data = COMPLETE[command]
    envelope = parse(dump(command, data))
    assert envelope.command is (Command.SEND_MAIL if command == "send-email" else Command(command))
    assert envelope.name == command
    (item,) = envelope.items
    for name, value in data.items():
        assert getattr(item, "receiver" if name in ("msisdn", "recipient") else name) == value
    listed = parse(dump(command, [data, data]))
    assert (listed.items, listed.is_list) == ((item, item), True)


@pytest.mark.parametrize(
    "body", [b'{"command":"get-modem-list"}', dump("get-modem-list", None), dump("get-modem-list", 1)]
)
def test_command_without_data(body: bytes) -> None:
    assert parse(body) == Envelope(Command.GET_MODEM_LIST, (Item(),), name="get-modem-list")


def test_echo() -> None:
    assert parse(dump("echo", {"id": None, "x": [1.5, "\ud800"]})).data == {"id": None, "x": [1.5, "\ud800"]}
    assert parse(b'{"command":"echo"}').data is None
    assert parse(dump("echo", [1])).is_list
    nested: object = 1
    for _ in range(33):
        nested = [nested]
    assert errors_of(dump("echo", nested)) == {"data": "is nested too deeply"}


def test_all_fields() -> None:
    data = {
        "id": "abc",
        "receiver": "0812666666",
        "message": "Baris 1\nBaris 2 \U0001f44d",
        "subject": "",
        "date_time": 1700000000,
        "expiration": "1700000060",
        "reference": 7,
        "modem_id": "m0",
        "priority": "bulk",
        "flash": True,
        "unknown": {"is": ["ignored"]},
        "otp": ["ignored", "here"],
        "param1": ["ignored", "here"],
    }
    envelope = parse(dump("send-sms", data, callback_topic="answers", callback_delay="250", other=1))
    assert (envelope.callback_topic, envelope.callback_delay) == ("answers", 250)
    assert envelope.items == (
        Item(
            id="abc",
            receiver="0812666666",
            message="Baris 1\nBaris 2 \U0001f44d",
            subject="",
            date_time=1700000000,
            expiration=1700000060,
            reference="7",
            modem_id="m0",
            priority="bulk",
            flash=True,
        ),
    )


def test_parameters_of_a_password() -> None:
    data = {**COMPLETE["verify-otp"], "param1": "a", "param3": 12, "param4": "", "param5": 1, "receiver": None}
    (item,) = parse(dump("verify-otp", data)).items
    assert item.params == ("a", None, "12", "")
    assert item.receiver is None


def test_aliases_of_the_receiver_may_agree() -> None:
    assert parse(dump("block-msisdn", {"receiver": "0812", "msisdn": "0812", "recipient": None})).items == (
        Item(receiver="0812"),
    )


# What must be refused


@pytest.mark.parametrize(("command", "name"), REQUIRED)
@pytest.mark.parametrize("listed", [False, True])
def test_missing_field(command: str, name: str, listed: bool) -> None:
    right = COMPLETE[command]
    data = {key: value for key, value in right.items() if key != name}
    field = "receiver" if name in ("msisdn", "recipient") else name
    path = "data[1]" if listed else "data"
    assert errors_of(dump(command, [right, data] if listed else data)) == {f"{path}.{field}": "is missing"}


@pytest.mark.parametrize(("command", "name"), REQUIRED)
@pytest.mark.parametrize("value", [True, 1.5, [], {}, "", "  ", "x" * 20_000, "a\0b", "\ud83d"])
def test_wrong_value_is_named_and_not_quoted(command: str, name: str, value: object) -> None:
    (path, reason), *others = errors_of(dump(command, {**COMPLETE[command], name: value})).items()
    assert path == f"data.{name}"
    assert reason.startswith("must ")
    assert not others
    assert not isinstance(value, str) or not value.strip() or value not in reason


@pytest.mark.parametrize("value", [None, True, False, 1.0, [], ["1"], {}, "", "x" * 129, "a\nb", "a\0"])
def test_wrong_id(value: object) -> None:
    assert list(errors_of(dump("send-sms", {**COMPLETE["send-sms"], "id": value}))) == ["data.id"]


NOT_IN_LINE = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0xD800, 0xE000)]


def test_no_character_that_ends_a_line_or_is_none_gets_in() -> None:
    for code in NOT_IN_LINE:
        for name, is_wrong in (("id", True), ("message", code == 0 or code >= 0xD800)):
            body = dump("send-sms", {**COMPLETE["send-sms"], name: f"a{chr(code)}b"})
            assert (list(errors_of(body)) == [f"data.{name}"]) if is_wrong else parse(body), hex(code)


@pytest.mark.parametrize(("value", "kept"), [(0, "0"), (-1, "-1"), (10**127, "1" + "0" * 127), ("a-1", "a-1")])
def test_id_is_kept_as_text(value: object, kept: str) -> None:
    assert parse(dump("send-sms", {**COMPLETE["send-sms"], "id": value})).items[0].id == kept


@pytest.mark.parametrize("name", ["date_time", "expiration"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (-1, "must not be negative"),
        ("-1", "must be a whole number"),
        (1.7e9, "must be a whole number"),
        (True, "must be a whole number"),
        ("", "must be a whole number"),
        ("\u0661", "must be a whole number"),
        ("9" * 5000, "must be a whole number"),
        (1_700_000_000_000, "must be Unix time in seconds; this looks like milliseconds"),
        ("1700000000000", "must be Unix time in seconds; this looks like milliseconds"),
        (1_700_000_000_000_000, "must be Unix time in seconds; this looks like another unit"),
    ],
)
def test_wrong_time(name: str, value: object, reason: str) -> None:
    assert errors_of(dump("send-sms", {**COMPLETE["send-sms"], name: value})) == {f"data.{name}": reason}


@pytest.mark.parametrize(
    ("name", "value"),
    [("flash", "true"), ("flash", 1), ("priority", "high"), ("priority", []), ("subject", "a\r\nBcc: b")],
)
def test_wrong_option(name: str, value: object) -> None:
    assert list(errors_of(dump("send-sms", {**COMPLETE["send-sms"], name: value}))) == [f"data.{name}"]


@pytest.mark.parametrize("message", ["Kode", "Kode %d", "%s dan %s"])
def test_template_of_a_password(message: str) -> None:
    data = {**COMPLETE["request-otp"], "message": message}
    assert errors_of(dump("request-otp", data)) == {"data.message": "must contain %s exactly once, where the code goes"}


def test_mail_needs_an_address() -> None:
    assert errors_of(dump("send-email", COMPLETE["send-sms"])) == {"data.receiver": "must be an e-mail address"}


def test_receivers_that_contradict_each_other() -> None:
    data = {"receiver": "0812666666", "msisdn": "0812666667", "message": "x"}
    assert errors_of(dump("send-sms", data)) == {"data.msisdn": "must not differ from the other receiver"}


@pytest.mark.parametrize("name", ["message", "receiver", "otp"])
@pytest.mark.parametrize(("value", "kept"), [(628126666666, "628126666666"), (0, "0")])
def test_numbers_are_taken_as_their_digits(name: str, value: int, kept: str) -> None:
    """The original reads any of them by `optString`, which gives a number as text."""
    command = "verify-otp" if name == "otp" else "send-sms"
    (item,) = parse(dump(command, {**COMPLETE[command], name: value})).items
    assert getattr(item, name) == kept


@pytest.mark.parametrize("name", ["message", "receiver"])
@pytest.mark.parametrize("value", [1.5, True, ["1"], {}])
def test_what_is_neither_text_nor_a_whole_number_is_refused(name: str, value: object) -> None:
    data = {**COMPLETE["send-sms"], name: value}
    assert errors_of(dump("send-sms", data)) == {f"data.{name}": "must be text or a whole number"}


def test_all_errors_at_once() -> None:
    data = [{"id": None, "receiver": 8.12}, 1, {"receiver": "0812666666", "message": "x", "date_time": -1}]
    assert errors_of(dump("send-sms", data, callback_topic="", callback_delay=-1)) == {
        "callback_topic": "must not be empty",
        "callback_delay": "must not be negative",
        "data[0].id": "must be text or a whole number",
        "data[0].receiver": "must be text or a whole number",
        "data[0].message": "is missing",
        "data[1]": "must be an object",
        "data[2].date_time": "must not be negative",
    }
    assert set(errors_of(b"{}")) == {"command", "data"}


@pytest.mark.parametrize("command", ["", "SEND-SMS", "no-such-thing", 1, None, [], {}, True])
def test_unknown_command(command: object) -> None:
    assert list(errors_of(dump(command, {}))) == ["command"]


@pytest.mark.parametrize("data", [None, 1, "x", [], True, [1], [None], [[{}]], [{}] * 4])
def test_wrong_data(data: object) -> None:
    errors = errors_of(dump("send-sms", data), max_items=3)
    assert set(errors) <= {"data", "data[0]"}


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null", b"true"])
def test_no_envelope(body: bytes) -> None:
    assert errors_of(body) == {"body": "must be a JSON object with command and data"}


def test_nothing_shows_a_message() -> None:
    secret = "Kode 987654"
    body = dump("request-otp", {**COMPLETE["request-otp"], "message": f"{secret} %s", "param1": secret, "otp": secret})
    assert secret not in repr(parse(body))
    assert secret not in repr(parse(dump("echo", secret)))
    with pytest.raises(EnvelopeError) as caught:
        parse(dump("send-sms", {"message": secret + "\0", "otp": secret}))
    assert secret not in f"{caught.value!r} {caught.value.__cause__!r}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


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
    st.sampled_from([*COMPLETE, "echo", "get-modem-list"]) | JSON,
    st.dictionaries(
        st.sampled_from(
            ["id", "receiver", "msisdn", "message", "date_time", "otp", "reference", "param1", "flash", "priority"]
        ),
        JSON,
    )
    | JSON,
)
def test_fuzz_values_of_every_kind(command: object, data: object) -> None:
    parses_or_refuses(dump(command, data))
    parses_or_refuses(dump("send-message", [{"command": command, "data": data}]))
