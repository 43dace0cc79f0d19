"""The examples of the OpenAPI document are what the gateway answers."""

import time
from collections.abc import Callable
from typing import Any

from otppi.simulator import ModemProfile, ModemRack
from tests.system.conftest import Gateway, modem

RECEIVER = "08126666666"


def shown(document: Any, status: int) -> Any:
    """Return the example of the answer with this HTTP status."""
    return document["components"]["responses"][str(status)]["content"]["application/json"]["example"]


def shape(answer: Any) -> Any:
    """Return what an example and an answer have in common: members, types, code, text and state."""
    types = {name: type(value) for name, value in answer["data"].items()}
    return {**answer, "data": types, "state": answer["data"]["state"]}


def test_examples_have_what_answers_have(start: Callable[..., Gateway]) -> None:
    with ModemRack(profile=ModemProfile(network_time=0.5)) as rack:
        first = modem(rack.paths[0])
        with start([first]).until_ready().client() as client:
            document = client.request("GET", "/api/openapi.json")[1]
            assert client.command("block-msisdn", {"receiver": "081200000002"})[0] == 200
            answers = [
                client.send(123456, RECEIVER, "text"),
                client.send(123457, RECEIVER, "text", "?wait=0"),
                client.send(123458, "081200000002", "text"),
                client.command(
                    "send-sms", {"id": 1, "receiver": RECEIVER, "message": "a", "expiration": int(time.time()) - 9}
                ),
            ]
    assert [status for status, _ in answers] == [200, 202, 403, 410]
    for status, answer in answers:
        assert shape(shown(document, status)) == shape(answer)
