"""The connection: TLS, passwords, servers that are killed, paused, restarted, full, read-only, or no Redis at all."""

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from otppi.testing.brokers.certificates import Authority
from otppi.testing.brokers.redis import Redis
from otppi.testing.stand_in import StandInGateway
from otppi.testing.waiting import PATIENCE
from otppi_ingress_redis.settings import SECTION

SECRET = "a secret of the test"
KINDS = ["stream", "list", "channel"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Redis]:
    with Redis(tmp_path / "server") as server:
        yield server


def add(client: Any, kind: str, body: bytes) -> None:
    client.xadd("sms", {"body": body}) if kind == "stream" else client.lpush("sms", body)


@pytest.mark.parametrize("kind", ["stream", "list"])
@pytest.mark.parametrize("fault", ["kill", "pause", "hang up"])
def test_nothing_is_lost_or_taken_twice_when_the_server_fails(
    serve: Any, server: Redis, gateway: StandInGateway, tools: Any, fault: str, kind: str
) -> None:
    gateway.room = 20
    served = serve(server, kind=kind).connected()
    with redis.Redis(port=server.port) as client:
        for number in range(300):
            add(client, kind, tools.command(str(number)))
        if fault == "hang up":
            client.client_kill_filter(skipme=True, _type="normal")
        elif fault == "kill":
            server.kill()
            tools.eventually(lambda: not served.says("connected"))
            server.start()
        else:
            server.pause()
            tools.eventually(lambda: not served.says("connected"))
            assert "did not answer within 1 s" in served.says("last_problem")
            server.resume()
        tools.eventually(lambda: served.says("connected"))
        tools.eventually(lambda: len(set(gateway.texts())) == 300)
        tools.eventually(lambda: served.says("done") >= 300)
    taken_twice = [number for number in gateway.texts() if gateway.texts().count(number) > 1]
    again = [envelope.items[0].message for envelope, origin in gateway.taken if origin.redelivered]
    assert set(taken_twice) <= set(again)
    served.stop()


def test_a_channel_is_subscribed_again(serve: Any, server: Redis, gateway: StandInGateway, tools: Any) -> None:
    served = serve(server, kind="channel").connected()
    server.kill()
    tools.eventually(lambda: not served.says("connected"))
    server.start()
    with redis.Redis(port=server.port) as client:
        tools.eventually(lambda: client.pubsub_numsub("sms")[0][1])
        client.publish("sms", tools.command("one"))
        tools.eventually(lambda: gateway.texts() == ["one"])
    served.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_stop_ends_in_time_while_the_server_stands_still(
    serve: Any, server: Redis, tools: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otppi_ingress_redis.ingress._PATIENCE", 1.0)
    served = serve(server, kind=kind, timeout=60.0, claim_after=3600.0).connected()
    server.pause()
    assert served.stop() < 5
    waiting = serve(server, kind=kind, timeout=60.0, name="waiting")
    tools.eventually(lambda: waiting.ingress._lines)
    assert waiting.stop() < 5
    server.resume()


def test_passwords_users_and_their_rights(
    serve: Any, tmp_path: Path, gateway: StandInGateway, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    options = [
        f"user otp on >{SECRET.replace(' ', '-')} ~sms ~answers resetchannels +@all -@admin -@dangerous",
        "user poor on >poor ~sms resetchannels +xgroup +xinfo",
    ]
    secret = SECRET.replace(" ", "-")
    with Redis(tmp_path / "own", password=secret, options=options) as server:
        refused = serve(server, password="wrong " + SECRET)
        assert "password is wrong" in tools.eventually(lambda: refused.says("last_problem"))
        nobody = serve(server)
        assert "is required" in tools.eventually(lambda: nobody.says("last_problem"))
        poor = serve(server, username="poor", password="poor", name="poor")
        assert "NOPERM" in tools.eventually(lambda: poor.says("last_problem"))
        serve(server, username="otp", password=secret, name="otp").connected()
        with redis.Redis(port=server.port, password=secret) as client:
            client.xadd("sms", {"body": tools.command("one", callback_topic="forbidden")})
            client.xadd("sms", {"body": tools.command("two", callback_topic="answers")})
            tools.eventually(lambda: client.xlen("answers") == 1 and not client.xlen("sms"))
        assert "cannot be published on forbidden" in caplog.text
        assert SECRET not in caplog.text
        assert secret not in caplog.text


def test_a_database_of_another_number(
    serve: Any, redis_server: Redis, client: Any, gateway: StandInGateway, tools: Any
) -> None:
    serve(db=3)
    with redis.Redis(port=redis_server.port, db=3) as third:
        third.xadd("sms", {"body": tools.command("one")})
        tools.eventually(lambda: gateway.texts() == ["one"])
    far = serve(db=999, name="far")
    assert "range" in tools.eventually(lambda: far.says("last_problem"))


@pytest.mark.parametrize(("kind", "wrong"), [("stream", "list"), ("list", "stream")])
def test_a_key_of_another_kind_is_told(serve: Any, client: Any, tools: Any, kind: str, wrong: str) -> None:
    add(client, wrong, b"x")
    served = serve(kind=kind)
    assert "WRONGTYPE" in tools.eventually(lambda: served.says("last_problem"))


def test_a_replica_and_a_full_server_hold_answers_up_and_lose_none(
    serve: Any, server: Redis, gateway: StandInGateway, tools: Any
) -> None:
    with redis.Redis(port=server.port) as client:
        served = serve(server).connected()
        gateway.hold = True
        client.xadd("sms", {"body": tools.command("one", callback_topic="answers")})
        tools.eventually(lambda: gateway.taken)
        client.config_set("maxmemory", "1")
        gateway.release()
        assert "OOM" in tools.eventually(lambda: served.says("last_problem"))
        assert client.xpending("sms", "otp-pi")["pending"] == 1
        client.config_set("maxmemory", "0")
        client.replicaof("127.0.0.1", "1")
        tools.eventually(lambda: "READONLY" in (served.says("last_problem") or ""))
        client.replicaof("NO", "ONE")
        tools.eventually(lambda: client.xlen("answers") == 1 and not client.xlen("sms"))
        assert gateway.texts() == ["one"]
        served.stop()


def test_what_is_no_redis_is_told(serve: Any, server: Redis, tools: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(PATIENCE)
        served = serve(server, port=other.getsockname()[1])
        peer, _ = other.accept()
        with peer:
            peer.recv(100)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            assert "Redis" in tools.eventually(lambda: served.says("last_problem"))
        served.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_tls_with_a_certificate_of_our_own(
    serve: Any, tmp_path: Path, authority: Authority, gateway: StandInGateway, tools: Any, kind: str
) -> None:
    mine = authority.client("gateway")
    ca_file = str(authority.ca_file)
    with Redis(tmp_path / "own", tls=authority.good(), client_ca=authority.ca_file) as server:
        files = {"certificate_file": str(mine.certificate), "private_key_file": str(mine.key)}
        served = serve(server, kind=kind, ssl=True, ca_file=ca_file, **files).connected()
        tls: dict[str, Any] = {"ssl": True, "ssl_ca_certs": ca_file, "ssl_certfile": files["certificate_file"]}
        with redis.Redis(port=server.port, ssl_keyfile=files["private_key_file"], **tls) as client:
            tools.eventually(lambda: kind != "channel" or client.pubsub_numsub("sms")[0][1])
            for number in range(100):
                body = tools.command(str(number), callback_topic="answers", padding="-" * 300)
                client.publish("sms", body) if kind == "channel" else add(client, kind, body)
            tools.eventually(lambda: served.says("done") == 100)
        without = serve(server, kind=kind, ssl=True, ca_file=ca_file, name="without")
        tools.eventually(lambda: without.says("last_problem"))
        served.stop()


@pytest.mark.parametrize(("which", "why"), [("wrong_name", "127.0.0.1"), ("expired", "expired"), ("good", "")])
def test_certificates_are_verified(
    serve: Any, tmp_path: Path, authority: Authority, tools: Any, which: str, why: str
) -> None:
    with Redis(tmp_path / "own", tls=getattr(authority, which)()) as server:
        good = which == "good"
        served = serve(server, ssl=True, ca_file="" if good else str(authority.ca_file))
        problem = tools.eventually(lambda: served.says("last_problem"))
        assert "certificate is not valid for 127.0.0.1" in problem
        assert why in problem
        serve(server, ssl=True, verify_certificate=False, name="careless").connected()
        plain = serve(server, name="plain")
        tools.eventually(lambda: plain.says("last_problem"))


def test_it_comes_back_at_once_when_the_server_was_away_for_a_moment(
    serve: Any, server: Redis, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    served = serve(server).connected()
    server.kill()
    pauses = tools.eventually(lambda: re.findall(r"tried again in ([0-9.]+) s", "\n".join(caplog.messages)))
    assert 0 < float(pauses[0]) <= 0.6, "half a second at first, and the jitter of a fifth"
    server.start()
    served.connected()
    served.stop()


@pytest.mark.parametrize("key", ["dead_letter", "inbox_topic"])
def test_what_is_published_may_not_go_to_where_commands_come_from(key: str) -> None:
    """A command that is rejected would come again for ever."""
    _, [problem] = SECTION.validate({"enable": True, key: "sms"})
    assert str(problem) == f"ingress-redis.{key}: must not be the same as key"


def test_a_stop_needs_no_thread(
    serve: Any, server: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def cannot_start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    served = serve(server).connected()
    monkeypatch.setattr(threading.Timer, "start", cannot_start)
    assert served.stop() < 10
    assert "no thread can be started" in caplog.text
