"""A served ingress on a real Redis, and a client beside it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from otppi.api.ingress import IngressContext, ReceivedMessage
from otppi.testing.brokers.redis import Redis
from otppi.testing.stand_in import StandInGateway
from otppi.testing.waiting import PATIENCE
from otppi.testing.waiting import until as eventually
from otppi_ingress_redis.ingress import RedisIngress
from otppi_ingress_redis.settings import SECTION


def command(text: str, **more: Any) -> bytes:
    """Write a command that sends a text."""
    data = {"id": text, "receiver": "08126666666", "message": text}
    return json.dumps({"command": "send-sms", "data": data, **more}).encode()


class Served:
    """A running ingress."""

    def __init__(self, server: Redis, gateway: StandInGateway, folder: Path, changes: dict[str, Any]) -> None:
        folder.mkdir(exist_ok=True)
        given = {"enable": True, "host": "127.0.0.1", "port": server.port, "timeout": 1.0, **changes}
        claim_after = given.pop("claim_after", 60.0)
        values, problems = SECTION.validate(given)
        assert not problems
        values["claim_after"] = claim_after  # shorter than a user may set it, to be quick
        self.gateway = gateway
        self.ingress = RedisIngress(IngressContext(values, gateway, folder))
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="ingress-redis")
        self.thread.start()

    def _run(self) -> None:
        try:
            self.ingress.run()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.failure = error

    def says(self, key: str) -> Any:
        return self.ingress.describe()[key]

    def connected(self) -> "Served":
        eventually(lambda: self.says("connected"), f"connected: {self.ingress.describe()}")
        return self

    def stop(self) -> float:
        begun = time.monotonic()
        self.ingress.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return time.monotonic() - begun


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """Return one server for tests that do it no harm; each starts with it empty."""
    with Redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def client(redis_server: Redis) -> Iterator[Any]:
    with redis.Redis(port=redis_server.port, protocol=2) as connection:
        connection.flushall()
        yield connection


@pytest.fixture
def gateway() -> StandInGateway:
    return StandInGateway()


@pytest.fixture
def serve(redis_server: Redis, gateway: StandInGateway, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Return a function that serves with changed settings; all ends with the test."""
    running: list[Served] = []

    def start(
        server: Redis | None = None, other: StandInGateway | None = None, name: str = "a", **changes: Any
    ) -> Served:
        served = Served(server or redis_server, other or gateway, tmp_path / name, changes)
        running.append(served)
        return served

    yield start
    for served in running:
        served.gateway.release()
        served.stop()


class Tools:
    """What tests call; a fixture, because test modules cannot import each other."""

    eventually = staticmethod(eventually)
    command = staticmethod(command)
    Served = Served


@pytest.fixture
def tools() -> type[Tools]:
    return Tools


@pytest.fixture
def a_received_message() -> ReceivedMessage:
    return ReceivedMessage("0123456789abcdef", "m0", "+62812666001", "Halo \u00e9", 1_700_000_000.0, 1_700_000_001.0)
