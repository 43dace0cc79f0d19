"""`otppi inbox` with a gateway that runs: its simulated modem is full of messages of long ago."""

from collections.abc import Callable
from typing import Any

import pytest

from otppi.testing.scripted import until

Cli = Callable[..., Any]
FULL = {"name": "m0", "type": "simulated", "network_time": 0.0, "faults": ["storage-full"]}


@pytest.fixture
def messages(start: Callable[..., Any], otppi: Cli, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The messages that are in the inbox when the gateway has begun."""
    document = {"modems": [FULL], "ingress-rest": {"http_enable": False, "https_enable": False}}
    gateway = start(document=document)
    gateway.wait_for("modem m0 is ready")
    monkeypatch.setenv("OTPPI_DATA", str(gateway.data))
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/nowhere")
    until(lambda: otppi("inbox", "list", "--json").json)
    listed: list[dict[str, Any]] = otppi("inbox", "list", "--json").json
    return listed


def test_list_show_reply_and_delete(otppi: Cli, messages: list[dict[str, Any]]) -> None:
    first = messages[0]
    assert (first["originator"], first["modem_id"], first["text"], first["read"]) == ("1234", "m0", "OK", False)
    assert "m0     1234  unread  OK" in otppi("inbox", "list").out
    assert f"inbox: {len(messages)} unread of {len(messages)}, " in otppi("status").out
    shown = otppi("inbox", "show", first["message_id"])
    assert shown.out.startswith("1234 to m0, ")
    assert shown.out.endswith("\nOK\n")
    assert "m0     1234  read" in otppi("inbox", "list").out
    otppi("inbox", "show", first["message_id"], "--keep-unread")
    assert otppi("inbox", "list", "--unread", "--json").json[0] == first

    replied = otppi("inbox", "reply", first["message_id"], "REG", "--json")
    assert (replied.code, replied.json["state"], replied.json["modem_id"]) == (0, "sent", "m0")
    arrived = otppi("phone", "--json").json
    assert [(message["to"], message["text"]) for message in arrived] == [("1234", "REG")]

    assert otppi("inbox", "delete", first["message_id"]).out == "1 deleted\n"
    again = otppi("inbox", "delete", first["message_id"])
    assert (again.code, again.out) == (1, "0 deleted\n")
    assert otppi("inbox", "delete", "--read").code == 0
    nothing = otppi("inbox", "delete")
    assert (nothing.code, nothing.err) == (2, "otppi: message: is missing (or --read, for all that were read)\n")
    for words in (["show"], ["reply", "--wait", "0"]):
        gone = otppi("inbox", *words, first["message_id"], stdin="text")
        assert (gone.code, "no message of this id" in gone.err) == (2, True)
    for message in otppi("inbox", "list", "--json").json:
        otppi("inbox", "delete", message["message_id"])
    assert "no message has come in" in otppi("inbox", "list").err
