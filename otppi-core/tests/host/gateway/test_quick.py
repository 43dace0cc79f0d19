"""What the gateway takes without waiting for anything: an ingress may submit it on a thread that others need."""

import json
import threading
from typing import Any

import pytest

from otppi.host.durable.spool import Spool
from otppi.host.host import Host
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import until
from otppi.wire.envelope import Command, parse

SMS: dict[str, Any] = {"receiver": "081234567890", "message": "a text"}
COMMANDS: dict[str, Any] = {
    "send-sms": SMS,
    "send-mail": {"receiver": "someone@example.org", "subject": "A", "message": "a text"},
    "send-message": SMS,
    "echo": {},
    "block-msisdn": {"receiver": "081234567890"},
    "unblock-msisdn": {"receiver": "081234567890"},
    "request-otp": {"reference": "login", "receiver": "081234567890", "message": "Kode %s"},
    "verify-otp": {"reference": "login", "receiver": "081234567890", "otp": "123456"},
    "request-ussd": {"modem_id": "m0", "ussd_code": "*123#"},
    "get-modem-list": {},
}
QUICK = {"send-sms", "send-mail", "send-message", "echo"}


def test_single_messages_are_quick_and_what_reaches_card_hash_or_modem_is_not(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host.dispatch, "is_quick", lambda: True)
    asked = {command: json.dumps({"command": command, "data": data}).encode() for command, data in COMMANDS.items()}
    assert asked.keys() == {command.value for command in Command}
    assert {command for command, body in asked.items() if host.gateway.is_quick(parse(body))} == QUICK
    several = json.dumps({"command": "send-sms", "data": [SMS, {**SMS, "receiver": "081234567891"}]}).encode()
    assert not host.gateway.is_quick(parse(several))
    monkeypatch.setattr(host.dispatch, "is_quick", lambda: False)
    assert not host.gateway.is_quick(parse(asked["send-sms"]))


def test_no_message_is_quick_while_somebody_holds_the_lock(
    bench: DispatchBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal is written anew, say."""
    bench.add("m0")
    bench.end(bench.enqueue())
    until(bench.dispatch.is_quick)
    held, go_on = threading.Event(), threading.Event()

    def compact(_records: object) -> None:
        held.set()
        go_on.wait()

    monkeypatch.setattr(bench.journal, "compact", compact)
    monkeypatch.setattr(type(bench.journal), "wants_compaction", property(lambda _self: not held.is_set()))
    try:
        assert held.wait(60)
        assert not bench.dispatch.is_quick()
    finally:
        go_on.set()
    until(bench.dispatch.is_quick)


def test_no_message_is_quick_without_a_ram_disk_for_the_journal_may_be_on_a_card() -> None:
    spool = Spool(None, "there is none")
    assert not spool.is_ready
