"""Delivery reports end to end: what `GET /api/messages/<id>` says long after the answer, also over a restart."""

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.waiting import until
from tests.system.conftest import Client, Gateway, modem

Start = Callable[..., Gateway]
LONG = "A message that does not fit into one part. " * 8


def until_state(client: Client, answer: dict[str, Any], state: str) -> dict[str, Any]:
    """Wait until a message has a state, and give what is known of it."""
    message_id = answer["data"]["message_id"]
    until(lambda: client.message(message_id)["state"] == state, what=f"it is {state}")
    return client.message(message_id)


@pytest.mark.parametrize("text", ["OTP Anda adalah 1234", LONG])
def test_sent_becomes_delivered(start: Start, text: str) -> None:
    with ModemRack(profile=ModemProfile(report_delay=0.3)) as rack:
        gateway = start([modem(rack.paths[0])]).until_ready()
        with gateway.client() as client:
            status, answer = client.send(1, "08126666666", text)
            assert (status, answer["data"]["state"]) == (200, "sent")
            known = until_state(client, answer, "delivered")
            assert abs(known["discharged"] - time.time()) < 60


def test_what_the_network_gives_up_is_undelivered(start: Start) -> None:
    with ModemRack() as rack:
        rack.modems[0].inject("report-failed")
        gateway = start([modem(rack.paths[0])]).until_ready()
        with gateway.client() as client:
            _, answer = client.send(1, "08126666666", "OTP Anda adalah 1234")
            assert "expired" in until_state(client, answer, "undelivered")["cause"]


@pytest.mark.parametrize("fault", ["reference-constant", "reference-wraps"])
def test_references_that_come_again_name_the_right_message(start: Start, fault: str) -> None:
    with ModemRack(profile=ModemProfile(report_delay=0.5)) as rack:
        rack.modems[0].inject(fault)
        rack.modems[0].inject("report-failed", at=2)
        gateway = start([modem(rack.paths[0])]).until_ready()
        with gateway.client() as client:
            answers = [client.send(number, f"0812666666{number}", "OTP Anda adalah 1234")[1] for number in range(4)]
            for number, answer in enumerate(answers):
                until_state(client, answer, "undelivered" if number == 1 else "delivered")


def test_a_message_whose_result_was_lost_is_resolved_by_its_report(start: Start) -> None:
    with ModemRack(profile=ModemProfile(report_delay=2.0)) as rack:
        rack.modems[0].inject("result-lost-sent", at=1)
        gateway = start([modem(rack.paths[0], result_timeout=0.5)]).until_ready()
        with gateway.client() as client:
            status, answer = client.send(1, "08126666666", "OTP Anda adalah 1234")
            assert (status, answer["data"]["state"]) == (504, "unconfirmed")
            until_state(client, answer, "delivered")
        assert len(rack.network.messages) == 1


def test_a_late_result_resolves_it_too(start: Start) -> None:
    with ModemRack(profile=ModemProfile(report_delay=None)) as rack:
        rack.modems[0].inject("result-late", at=1, seconds=1.5)
        gateway = start([modem(rack.paths[0], result_timeout=0.5)]).until_ready()
        with gateway.client() as client:
            status, answer = client.send(1, "08126666666", "OTP Anda adalah 1234")
            assert (status, answer["data"]["state"]) == (504, "unconfirmed")
            until_state(client, answer, "sent")


def test_a_report_after_a_restart_is_understood(start: Start) -> None:
    # Long enough for the restart, also on a busy machine: a report that is routed to nobody is lost.
    with ModemRack(profile=ModemProfile(report_delay=15.0)) as rack:
        gateway = start([modem(rack.paths[0])]).until_ready()
        with gateway.client() as client:
            _, answer = client.send(1, "08126666666", "OTP Anda adalah 1234")
            assert answer["data"]["state"] == "sent"
        gateway.kill()
        gateway.start().until_ready()
        with gateway.client() as client:
            until_state(client, answer, "delivered")


def test_reports_can_be_switched_off(start: Start) -> None:
    with ModemRack() as rack:
        gateway = start([modem(rack.paths[0], delivery_reports=False)]).until_ready()
        with gateway.client() as client:
            client.send(1, "08126666666", "OTP Anda adalah 1234")
        (part,) = rack.network.parts
        assert not part.submit.status_report_request


@pytest.fixture
def posted() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Run a web server, and give its URL and what is posted there."""
    events: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", events
        server.shutdown()
        thread.join()


def test_the_webhook_is_told_each_state(start: Start, posted: tuple[str, list[dict[str, Any]]]) -> None:
    url, events = posted
    with ModemRack() as rack:
        gateway = start([modem(rack.paths[0])], webhook={"url": url, "states": True}).until_ready()
        with gateway.client() as client:
            _, answer = client.send(1, "08126666666", "OTP Anda adalah 1234")
        until(lambda: len(events) == 2, what="both states are told")
    told = [(event["event"], event["data"]["state"], event["data"]["message_id"]) for event in events]
    message_id = answer["data"]["message_id"]
    assert told == [("message.state", "sent", message_id), ("message.state", "delivered", message_id)]
    assert "OTP Anda" not in json.dumps(events)
