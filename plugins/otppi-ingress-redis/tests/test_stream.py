"""The stream: acknowledged after the end only, kept over restarts, shared with others, taken over from the dead."""

import logging
import time
from pathlib import Path
from typing import Any

import pytest
import redis

from otppi.testing.brokers.redis import Redis
from otppi.testing.stand_in import StandInGateway


def pending(client: Any, key: str = "sms") -> int:
    return int(client.xpending(key, "otp-pi")["pending"])


def test_an_entry_is_acknowledged_as_soon_as_it_ends(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when the thread would look anyway, which is later than anybody waits here."""
    monkeypatch.setattr("otppi_ingress_redis.ingress._LOOK", 600.0)
    monkeypatch.setattr("otppi_ingress_redis.stream.BLOCK", 600.0)
    gateway.hold = True
    served = serve().connected()
    client.xadd("sms", {"body": tools.command("one")})
    tools.eventually(lambda: gateway.taken)
    assert pending(client) == 1
    gateway.release()
    tools.eventually(lambda: pending(client) == 0)
    assert client.xlen("sms") == 0
    assert served.says("done") == 1


def test_entries_may_stay_where_other_groups_read_the_stream(serve: Any, client: Any, tools: Any) -> None:
    served = serve(delete_done=False)
    client.xadd("sms", {"body": tools.command("one")})
    tools.eventually(lambda: served.says("done") == 1 and pending(client) == 0)
    assert client.xlen("sms") == 1


def test_capacity_bounds_what_is_taken_and_none_is_taken_without_modems(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any
) -> None:
    gateway.hold, gateway.room = True, 3
    served = serve().connected()
    for number in range(10):
        client.xadd("sms", {"body": tools.command(str(number))})
    tools.eventually(lambda: len(gateway.taken) == 3)
    assert pending(client) == 3
    gateway.room = 0
    gateway.release()
    tools.eventually(lambda: pending(client) == 0)
    assert "no modem" in tools.eventually(lambda: "no modem" in served.says("detail") and served.says("detail"))
    assert len(gateway.taken) == 3
    gateway.room, gateway.hold = 100, False
    tools.eventually(lambda: len(gateway.taken) == 10)
    assert gateway.texts() == [str(number) for number in range(10)]


def test_a_gateway_takes_over_from_one_that_is_gone_but_not_from_a_slow_one(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any
) -> None:
    client.xgroup_create("sms", "otp-pi", "0", mkstream=True)
    client.xadd("sms", {"body": tools.command("dead")})
    client.xreadgroup("otp-pi", "a-dead-one", {"sms": ">"})
    slow = StandInGateway()
    slow.hold = True
    serve(other=slow, name="slow", claim_after=2.0)
    client.xadd("sms", {"body": tools.command("slow")})
    tools.eventually(lambda: slow.taken)
    quick = serve(claim_after=2.0)
    tools.eventually(lambda: "dead" in slow.texts() + gateway.texts())
    begun = time.monotonic()
    tools.eventually(lambda: time.monotonic() - begun > 2.5)  # longer than `claim_after`: it was renewed meanwhile
    assert "slow" not in gateway.texts()
    assert quick.says("taken_over") + (len(slow.taken) - 1) == 1
    ((_, origin),) = [one for one in slow.taken + gateway.taken if one[0].items[0].message == "dead"]
    assert origin.redelivered


def test_two_gateways_share_a_stream_and_nothing_is_taken_twice(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any
) -> None:
    other = StandInGateway()
    gateway.room = other.room = 5
    serve()
    serve(other=other, name="b")
    for number in range(500):
        client.xadd("sms", {"body": tools.command(str(number))})
    tools.eventually(lambda: len(gateway.taken) + len(other.taken) >= 500)
    tools.eventually(lambda: client.xlen("sms") == 0)
    assert sorted(map(int, gateway.texts() + other.texts())) == list(range(500))
    assert gateway.taken
    assert other.taken


BAD = [b"", b"{", b"\xff\xfe\x00", b"[]", b'{"command": "fly"}', b'{"command": "send-sms", "data": {}}', b"7" * 9999]


def test_bad_commands_become_dead_letters_and_are_logged_without_their_text(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    served = serve(dead_letter="dead")
    with caplog.at_level(logging.DEBUG):
        for body in BAD:
            client.xadd("sms", {"body": body})
        client.xadd("sms", {"another-field": "secret words"})
        client.xadd("sms", {"body": tools.command("good")})
        tools.eventually(lambda: client.xlen("sms") == 0)
    assert served.says("malformed") == len(BAD) + 1
    assert gateway.texts() == ["good"]
    letters = [fields for _, fields in client.xrange("dead")]
    assert [fields[b"body"] for fields in letters] == [*BAD, b""]
    assert all(b"entry" in fields for fields in letters)
    assert "malformed" in caplog.text
    assert "secret words" not in caplog.text
    assert "7" * 99 not in caplog.text


def test_a_delayed_answer_comes_later(serve: Any, client: Any, tools: Any) -> None:
    serve()
    begun = time.monotonic()
    client.xadd("sms", {"body": tools.command("one", callback_topic="answers", callback_delay=400)})
    tools.eventually(lambda: client.xlen("answers") == 1)
    assert time.monotonic() - begun >= 0.4
    tools.eventually(lambda: client.xlen("sms") == 0)


def test_an_answer_that_cannot_be_published_is_told_and_holds_nothing_up(
    serve: Any, client: Any, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client.set("a-text", "x")
    serve()
    for topic in ("a-text", "sms"):
        client.xadd("sms", {"body": tools.command(topic, callback_topic=topic)})
    tools.eventually(lambda: client.xlen("sms") == 0)
    assert "cannot be published on a-text: WRONGTYPE" in caplog.text
    assert "where commands come from" in caplog.text
    assert client.get("a-text") == b"x"


def test_a_stream_that_is_flushed_is_made_anew(serve: Any, client: Any, gateway: StandInGateway, tools: Any) -> None:
    gateway.hold = True
    served = serve(claim_after=2.0).connected()
    client.xadd("sms", {"body": tools.command("one")})
    tools.eventually(lambda: gateway.taken)
    client.flushall()
    client.xadd("sms", {"body": tools.command("two")})
    tools.eventually(lambda: len(gateway.taken) == 2)
    gateway.release()
    tools.eventually(lambda: served.says("done") == 2 and not client.xlen("sms"))


def test_entries_that_were_trimmed_are_left_out(serve: Any, client: Any, gateway: StandInGateway, tools: Any) -> None:
    gateway.room = 0
    served = serve(consumer="mine").connected()
    for text in ("one", "two"):
        client.xadd("sms", {"body": tools.command(text)})
    client.xreadgroup("otp-pi", "mine", {"sms": ">"}, count=2)
    served.stop()
    client.xtrim("sms", maxlen=1, approximate=False)
    gateway.room = 10
    again = serve(consumer="mine")
    tools.eventually(lambda: gateway.texts() == ["two"])
    tools.eventually(lambda: pending(client) == 0)
    assert again.says("entries_vanished") == 1


def test_the_lifetime_counts_from_when_an_entry_was_added(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any
) -> None:
    client.xadd("sms", {"body": tools.command("strange")}, id="5-1")
    client.xadd("sms", {"body": tools.command("old")}, id="1500000000000-0")
    serve()
    tools.eventually(lambda: len(gateway.taken) == 2)
    strange, old = (envelope.items[0].date_time for envelope, _ in gateway.taken)
    assert old == 1_500_000_000
    assert strange is not None
    assert abs(strange - time.time()) < 30


def test_a_command_without_an_id_has_that_of_its_entry(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any
) -> None:
    """So one that comes again is known, and its sender knows its answer by what XADD gave."""
    entry = client.xadd("sms", {"body": '{"command": "send-sms", "data": {"receiver": "08126666666", "message": "x"}}'})
    serve()
    tools.eventually(lambda: gateway.taken)
    assert gateway.taken[0][0].items[0].id == entry.decode()


def test_the_name_is_kept_and_each_gateway_has_its_own(serve: Any, client: Any, tmp_path: Path, tools: Any) -> None:
    names = {serve(name=folder).says("consumer") for folder in ("a", "b", "a")}
    assert len(names) == 2
    assert serve(consumer="chosen").says("consumer") == "chosen"


@pytest.mark.parametrize("hold", [False, True])
def test_a_stop_ends_the_question_that_waits_at_the_server(
    serve: Any, client: Any, gateway: StandInGateway, tools: Any, hold: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otppi_ingress_redis.stream.BLOCK", 600.0)
    monkeypatch.setattr("otppi_ingress_redis.ingress._PATIENCE", 600.0)
    served = serve().connected()
    gateway.hold = hold
    client.xadd("sms", {"body": tools.command("one")})
    tools.eventually(lambda: gateway.taken)
    served.ingress.stop()
    gateway.release()
    served.stop()  # within 20 s
    assert pending(client) == 0


def test_what_was_out_of_reach_for_too_long_is_left_to_others(
    serve: Any, gateway: StandInGateway, tools: Any, tmp_path: Path
) -> None:
    """A short time without the server changes nothing; before others may claim, what waits is withdrawn."""
    with Redis(tmp_path / "own") as server, redis.Redis(port=server.port) as client:
        gateway.hold = True
        served = serve(server, claim_after=12.0).connected()
        client.xadd("sms", {"body": tools.command("one")})
        tools.eventually(lambda: gateway.taken)
        server.pause()
        begun = time.monotonic()
        tools.eventually(lambda: gateway.tickets[0].withdrawn)
        assert 3 < time.monotonic() - begun < 12
        server.resume()
        gateway.hold = False
        tools.eventually(lambda: len(gateway.taken) == 2)
        assert gateway.taken[1][1].redelivered
        tools.eventually(lambda: client.xlen("sms") == 0)
        served.stop()
