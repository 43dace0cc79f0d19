"""The list: moved into a processing list until the end, taken again from there."""

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from otppi.testing.brokers.redis import Redis
from otppi.testing.stand_in import StandInGateway
from otppi.wire.envelope import ResponseCode


def processing(client: Any) -> int:
    return sum(client.llen(key) for key in client.keys("sms:processing:*"))


@pytest.mark.parametrize(("push", "end"), [("lpush", "right"), ("rpush", "left")])
def test_commands_are_taken_in_order_and_stay_in_the_processing_list_until_the_end(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any, push: str, end: str
) -> None:
    gateway.hold, gateway.room = True, 3
    served = serve(kind="list", take_from=end)
    for number in range(6):
        getattr(client, push)("sms", tools.command(str(number), callback_topic="answers"))
    tools.eventually(lambda: len(gateway.taken) == 3 and processing(client) == 3)
    assert client.llen("sms") == 3
    gateway.hold = False
    gateway.release()
    tools.eventually(lambda: served.says("done") == 6 and processing(client) == 0 and not client.llen("sms"))
    assert gateway.texts() == list("012345")
    answers = [json.loads(client.lpop("answers") if end == "left" else client.rpop("answers")) for _ in range(6)]
    assert [answer["data"]["id"] for answer in answers] == list("012345")


def test_what_was_moved_before_a_kill_is_taken_again(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any
) -> None:
    client.lpush("sms:processing:mine", tools.command("before"), tools.command("before"))
    client.lpush("sms", tools.command("after"))
    serve(kind="list", consumer="mine")
    tools.eventually(lambda: sorted(gateway.texts()) == ["after", "before", "before"])
    assert [origin.redelivered for _, origin in gateway.taken] == [True, True, False]
    tools.eventually(lambda: processing(client) == 0)


def test_what_may_be_sent_later_goes_back_and_what_never_can_becomes_a_dead_letter(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any
) -> None:
    gateway.judge = lambda item: (ResponseCode.NO_MODEM, {"id": item.id, "state": "failed"})
    served = serve(kind="list", dead_letter="dead")
    client.lpush("sms", tools.command("again"), b"{")
    tools.eventually(lambda: gateway.taken)
    gateway.room = 0
    tools.eventually(lambda: client.lrange("sms", 0, -1) == [tools.command("again")])
    assert client.lrange("dead", 0, -1) == [b"{"]
    assert processing(client) == 0
    assert served.says("again") >= 1
    assert served.says("malformed") == 1


def test_lists_that_nobody_reads_stay_bounded(serve: Any, client: Any, tools: Any) -> None:
    serve(kind="list", max_length=2)
    for number in range(5):
        client.lpush("sms", tools.command(str(number), callback_topic="answers"))
    tools.eventually(lambda: client.llen("answers") == 2 and b'"4"' in client.lindex("answers", 0))


def test_what_is_in_hand_is_settled_after_the_server_comes_back(
    serve: Any, gateway: StandInGateway, tools: Any, tmp_path: Path
) -> None:
    with Redis(tmp_path / "own") as server, redis.Redis(port=server.port) as client:
        gateway.hold = True
        served = serve(server, kind="list").connected()
        client.lpush("sms", tools.command("one"))
        tools.eventually(lambda: gateway.taken)
        server.kill()
        tools.eventually(lambda: not served.says("connected"))
        gateway.release()
        server.start()
        tools.eventually(lambda: served.says("connected") and not processing(client))
        client.lpush("sms", tools.command("two"))
        tools.eventually(lambda: gateway.texts() == ["one", "two"])
        gateway.release()
        served.stop()
