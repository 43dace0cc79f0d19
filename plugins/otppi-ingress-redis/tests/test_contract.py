"""The contract of an ingress on a broker, with a stream, a list and a channel of Redis."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import redis
from redis.client import PubSub

from otppi.testing.broker_ingress import SECRET, BrokerIngressContract, BrokerUnderTest
from otppi.testing.brokers.certificates import Authority
from otppi.testing.brokers.redis import Redis
from otppi.testing.waiting import until
from otppi_ingress_redis.plugin import otppi_ingress_types


def octets(value: object) -> bytes:
    """Return what a client that decodes nothing was given."""
    assert isinstance(value, bytes)
    return value


class RedisUnderTest(BrokerUnderTest):
    (kind,) = otppi_ingress_types()
    source = "sms"

    def __init__(self, port: int, tls_port: int, what: str) -> None:
        self.port, self.tls_port, self.what = port, tls_port, what
        self.client = redis.Redis(port=port, protocol=2)
        self.client.flushall()
        self.keeps = self.gives_back = self.leaves = self.buries = what != "channel"
        self.tells_given_back = what == "stream"
        self._listener = PubSub(self.client.connection_pool)
        self._heard: list[bytes] = []
        if what == "channel":
            self._listener.subscribe(self.answers)
            until(lambda: self._listener.get_message(timeout=1))

    def settings(self) -> Mapping[str, Any]:
        return {"kind": self.what, "key": self.source, "dead_letter": "dead"}

    def publish(self, body: bytes) -> None:
        if self.what == "stream":
            self.client.xadd(self.source, {"body": body})
        elif self.what == "list":
            self.client.lpush(self.source, body)
        else:
            until(lambda: self.client.pubsub_numsub(self.source)[0][1])
            self.client.publish(self.source, body)

    def answers_published(self) -> Sequence[bytes]:
        if self.what != "channel":
            return self._in(self.answers)
        while (message := self._listener.get_message(timeout=0)) is not None:
            self._heard.append(message["data"])
        return list(self._heard)

    def buried(self) -> Sequence[bytes]:
        return self._in("dead")

    def _in(self, key: str) -> list[bytes]:
        if self.what == "stream":
            return [octets((fields or {})[b"body"]) for _, fields in self.client.xrange(key) or []]
        return [octets(body) for body in self.client.lrange(key, 0, -1)[::-1]]

    def wrong_login(self) -> Mapping[str, Any]:
        return {"username": "nobody", "password": SECRET}

    def close(self) -> None:
        self._listener.close()
        self.client.close()


@pytest.fixture(scope="session")
def tls_port(tmp_path_factory: pytest.TempPathFactory, authority: Authority, redis_server: Redis) -> int:
    """Have the shared server speak TLS at a port beside its own."""
    from otppi.testing.ports import free_port

    port, pair = free_port(), authority.good()
    with redis.Redis(port=redis_server.port) as client:
        files = {"tls-cert-file": pair.certificate, "tls-key-file": pair.key, "tls-ca-cert-file": authority.ca_file}
        client.config_set("tls-auth-clients", "no", *[str(part) for pair in files.items() for part in pair])
        client.config_set("tls-port", port)
    return port


@pytest.fixture(params=["stream", "list", "channel"])
def broker(redis_server: Redis, tls_port: int, request: pytest.FixtureRequest) -> Iterator[RedisUnderTest]:
    one = RedisUnderTest(redis_server.port, tls_port, request.param)
    yield one
    one.close()


class TestContract(BrokerIngressContract):
    """The suite, as it is."""
