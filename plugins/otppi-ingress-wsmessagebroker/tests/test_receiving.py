"""Commands come in: the document's examples byte for byte, through the server as it is and as it is documented."""

import json
import logging
from typing import Any

import pytest

from otppi.wire.envelope import Command, ResponseCode

SEND_SMS = """{
	"command":"send-sms",
	"data": {\t
		"id": 123456,
		"receiver": "08126666666",
		"message": "OTP Anda adalah 1234"
	}
}"""
SEND_EMAIL = """{
	"command": "send-sms",
	"data": {
		"id": 123456,
		"receiver": "someone@domain.tld",
		"message": "OTP Anda adalah 1234"
	}
}"""
BLOCK = """{
	"command": "block-msisdn",
	"data": {
		"receiver": "08126666666",
	}
}"""
UNBLOCK = """{

	"command":"unblock-msisdn",
	"data":{
		"receiver": "08126666666",
	}
}"""
EXAMPLES = [
    (SEND_SMS, Command.SEND_SMS, "08126666666", "OTP Anda adalah 1234"),
    (SEND_EMAIL, Command.SEND_SMS, "someone@domain.tld", "OTP Anda adalah 1234"),
    (BLOCK, Command.BLOCK_MSISDN, "08126666666", None),
    (UNBLOCK, Command.UNBLOCK_MSISDN, "08126666666", None),
]


def wrapped(*items: dict[str, Any]) -> str:
    """As OTP-Broker's README wraps commands."""
    return json.dumps({"command": "send-message", "channel": "sms", "data": list(items)})


@pytest.mark.parametrize(("example", "command", "receiver", "message"), EXAMPLES)
def test_example_as_printed(
    run: Any, messenger: Any, application: Any, tools: Any, example: str, command: Any, receiver: str, message: Any
) -> None:
    running = run(messenger.port).connected()
    application(messenger).send(example)
    tools.eventually(lambda: running.gateway.taken)
    [(envelope, origin)] = running.gateway.taken
    assert (envelope.command, envelope.items[0].receiver, envelope.items[0].message) == (command, receiver, message)
    assert (origin.ingress, origin.sender.name, origin.callback) == ("ingress-wsmessagebroker",) * 2 + (None,)
    assert not origin.kept_by_source  # the gateway's spool has to keep it
    assert not origin.redelivered


def test_how_it_connects(run: Any, messenger: Any) -> None:
    run(messenger.port, topic="kode otp").connected()
    [client] = messenger.clients
    assert (client.channel, client.username) == ("kode otp", "username")
    assert client.target == "/ws?channel=kode%20otp&topic=kode%20otp"


def test_the_bytes_of_the_handshake(run: Any, raw: Any, tools: Any) -> None:
    server = raw(lambda connection: connection.accept().answer_pings())
    run(server.port).connected()
    lines = server.connections[0].head.decode().split("\r\n")
    key = lines.pop(5)
    assert key.startswith("Sec-WebSocket-Key: ")
    assert len(key) == len("Sec-WebSocket-Key: ") + 24
    assert lines == [
        "GET /ws?channel=sms&topic=sms HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Authorization: Basic dXNlcm5hbWU6cGFzc3dvcmQ=",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "",
        "",
    ]


def test_commands_as_otp_broker_wraps_them(run: Any, messenger: Any, application: Any, tools: Any) -> None:
    running = run(messenger.port).connected()
    one = {"command": "send-sms", "data": {"id": 1, "receiver": "08126666666", "message": "OTP Anda adalah 1"}}
    other = {"command": "send-email", "data": {"id": 2, "receiver": "someone@domain.tld", "message": "OTP 2"}}
    application(messenger).send(wrapped(one, other))
    tools.eventually(lambda: running.gateway.ids() == ["1", "2"])
    assert running.gateway.taken[0][0].is_list


@pytest.mark.parametrize("binary", [False, True])
def test_text_and_binary_long_and_short(run: Any, raw: Any, tools: Any, binary: bool) -> None:
    def script(connection: Any) -> None:
        connection.accept()
        for number, size in enumerate((10, 200, 70_000)):
            body = json.dumps(tools.sms(number, padding="x" * size)).encode()
            connection.sock.sendall(tools.frame(body, 2 if binary else 1))
        connection.answer_pings()

    running = run(raw(script).port)
    tools.eventually(lambda: running.gateway.ids() == ["0", "1", "2"])


def test_what_is_no_command_is_counted_and_does_not_flood_the_log(
    run: Any, messenger: Any, application: Any, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    running = run(messenger.port).connected()
    sender = application(messenger)
    strangers = ["RAHASIA", "[]", "{", "null", "5", '{"command": "RAHASIA"}', '{"text": "RAHASIA"}', "\x00", ""]
    for text in strangers * 20:
        sender.send(text)
    for number in range(20):
        sender.send({"command": "echo", "response_code": "0000", "data": {"echo": number}})
    sender.send(tools.sms(7))
    tools.eventually(lambda: running.gateway.ids() == ["7"])
    described = running.ingress.describe()
    assert (described["ignored"], described["answers"], described["malformed"]) == (len(strangers) * 20, 20, 0)
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings == ["ingress-wsmessagebroker: a message is ignored, it is no command"]
    assert "RAHASIA" not in caplog.text


def test_a_command_that_is_malformed_is_told_without_its_text(
    run: Any, messenger: Any, application: Any, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    running = run(messenger.port).connected()
    application(messenger).send({"command": "send-sms", "data": {"id": 1, "message": "RAHASIA", "receiver": []}})
    tools.eventually(lambda: running.says("malformed") == 1)
    [warning] = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    reason = "data.receiver: must be text or a whole number"
    assert warning == f"ingress-wsmessagebroker: a message is rejected, it is malformed ({reason})"
    assert "RAHASIA" not in caplog.text


def test_what_may_be_sent_later_is_tried_again_from_here(
    run: Any, messenger: Any, application: Any, tools: Any
) -> None:
    running = run(messenger.port).connected()
    running.gateway.judged.append((ResponseCode.NO_MODEM, {"id": "1", "state": "failed", "retry_after": 1}))
    sender = application(messenger)
    sender.send(tools.sms(1, callback_topic="answers"))
    tools.eventually(lambda: running.gateway.ids() == ["1", "1"])
    assert running.says("done") == 1
    assert running.says("again") == 0


def test_what_it_says_of_itself(run: Any, messenger: Any, tools: Any) -> None:
    running = run(messenger.port).connected()
    described = running.ingress.describe()
    assert described["server"] == f"127.0.0.1:{messenger.port}"
    assert (described["topic"], described["detail"], described["attempts"]) == ("sms", "connected", 0)
    counted = ("taken", "done", "in_flight", "callbacks_waiting", "callbacks_published", "echoes", "answers", "ignored")
    assert [described[key] for key in counted] == [0] * 8
    assert "password" not in json.dumps(described)
