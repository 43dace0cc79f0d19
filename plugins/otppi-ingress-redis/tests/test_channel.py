"""The channel: what is published is taken, answered, and kept by nobody."""

import json
import logging
import time
from typing import Any

import pytest

from otppi.testing.stand_in import StandInGateway


def subscribed(client: Any) -> bool:
    return bool(client.pubsub_numsub("sms")[0][1])


def test_commands_of_a_channel_are_taken_and_answered(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any
) -> None:
    served = serve(kind="channel")
    tools.eventually(lambda: subscribed(client))
    with client.pubsub() as answers:
        answers.subscribe("answers")
        assert tools.eventually(lambda: answers.get_message(timeout=1))
        for number in range(200):
            client.publish("sms", tools.command(str(number), callback_topic="answers"))
        got = [tools.eventually(lambda: answers.get_message(timeout=1)) for _ in range(200)]
    assert gateway.texts() == [str(number) for number in range(200)]
    assert [json.loads(one["data"])["data"]["id"] for one in got] == gateway.texts()
    assert not gateway.taken[0][1].kept_by_source
    assert served.says("done") == 200


def test_bad_commands_are_told_and_the_next_is_taken(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    serve(kind="channel")
    tools.eventually(lambda: subscribed(client))
    with caplog.at_level(logging.DEBUG):
        client.publish("sms", b'{"secret words')
        client.publish("sms", tools.command("good"))
        tools.eventually(lambda: gateway.texts() == ["good"])
    assert "malformed" in caplog.text
    assert "secret words" not in caplog.text


def test_a_quiet_channel_stays_connected_and_a_stop_is_quick(serve: Any, client: Any, tools: Any) -> None:
    served = serve(kind="channel").connected()
    tools.eventually(lambda: subscribed(client))
    since = time.monotonic()
    pings = client.info("commandstats").get("cmdstat_ping", {"calls": 0})["calls"]
    tools.eventually(lambda: client.info("commandstats").get("cmdstat_ping", {"calls": 0})["calls"] >= pings + 2)
    assert time.monotonic() - since > 0.9
    assert served.says("attempts") == 0
    assert served.stop() < 0.5
