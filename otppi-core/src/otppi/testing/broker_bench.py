"""What the contract suite of ingresses on brokers works with: a broker as a test drives it, an ingress that runs."""
# ruff: noqa: S101, D102 - these are tests

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from otppi.api.ingress import IngressContext, IngressType
from otppi.kit.broker.ingress import BrokerIngress
from otppi.testing.brokers.proxy import TcpProxy
from otppi.testing.stand_in import StandInGateway
from otppi.testing.waiting import PATIENCE, until

ANSWERS = "contract-answers"
SECRET = "RAHASIA-4711-s3cret"  # noqa: S105 - it opens nothing
"""Stands in texts and passwords that no log may hold."""


def command(number: int | str, **more: Any) -> bytes:
    """Write a command that sends a text; `number` is its id, and its text holds the secret."""
    data = {"id": number, "receiver": "08126666666", "message": f"OTP Anda adalah {SECRET}"}
    return json.dumps({"command": "send-sms", "data": data, **more}).encode()


class BrokerUnderTest(ABC):
    """A real broker, with a place for commands and one for answers that are this test's own.

    Attributes:
        kind: What the plugin registers.
        port: The broker's.
        tls_port: Where it speaks TLS with a good certificate; 0 for nowhere.
        keeps: Whether it keeps a command until that is settled.
        gives_back: Whether what cannot be sent now goes to another gateway.
        tells_given_back: Whether it says of what was given back that it may have come before.
        parks: How many commands that cannot be sent now hold up no other.
        leaves: Whether an ingress takes nothing while no modem can send.
        buries: Whether it keeps what is rejected.
        refuses_own_topic: Whether an answer to where commands come from is not published.
        answers: The name by which a sender asks for answers.
    """

    kind: IngressType
    port: int
    tls_port = 0
    keeps = True
    gives_back = True
    tells_given_back = True
    parks = 60
    leaves = True
    buries = True
    refuses_own_topic = True
    answers = ANSWERS

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Return the settings, but for host and port, of an ingress that takes commands from the test's place."""

    @abstractmethod
    def publish(self, body: bytes) -> None:
        """Send a command as an application does."""

    @abstractmethod
    def answers_published(self) -> Sequence[bytes]:
        """Return all answers that were published on `answers` so far."""

    @abstractmethod
    def wrong_login(self) -> Mapping[str, Any]:
        """Return settings by which the broker lets nobody in; the password is `SECRET`."""

    @property
    @abstractmethod
    def source(self) -> str:
        """Return the name of where commands come from, as a sender would ask for answers there."""

    def buried(self) -> Sequence[bytes]:
        """Return what was rejected so far."""
        return ()

    # -- for the suite ----------------------------------------------------------------------------------------------

    def answer_to(self, number: int | str, state: str | None = None) -> dict[str, Any]:
        """Wait for the answer to one command, whatever others come before it."""

        def found() -> dict[str, Any] | None:
            for document in map(json.loads, self.answers_published()):
                data = document.get("data") or {}
                if isinstance(data, dict) and data.get("id") == str(number) and state in (None, data.get("state")):
                    return dict(document)
            return None

        return until(found, lambda: f"an answer to {number} in {self.answers_published()}")


class Served:
    """An ingress that runs."""

    def __init__(self, kind: IngressType, gateway: StandInGateway, folder: Path, settings: Mapping[str, Any]) -> None:
        folder.mkdir(exist_ok=True)
        values, problems = kind.section.validate({"enable": True, "host": "127.0.0.1", **settings})
        assert not problems, problems
        self.gateway = gateway
        ingress = kind.create(IngressContext(values, gateway, folder))
        assert isinstance(ingress, BrokerIngress)
        self.ingress = ingress
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name=kind.section.key)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.ingress.run()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.failure = error

    def says(self, key: str) -> Any:
        return self.ingress.describe()[key]

    def until(self, **expected: Any) -> "Served":
        """Wait until it describes itself so."""
        until(lambda: expected.items() <= self.ingress.describe().items(), self.ingress.describe)
        return self

    def problem(self) -> str:
        """Wait for what goes wrong with the connection."""
        return str(until(lambda: self.says("last_problem"), self.ingress.describe))

    def stop(self) -> None:
        self.ingress.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), self.ingress.describe()
        assert self.failure is None, self.failure

    def stop_at_once(self) -> None:
        """End it without waiting for what is on its way, as nearly as a kill as a thread can."""
        self.ingress.alarm.stop()
        self.stop()


Serve = Callable[..., Served]


class BrokerBench:
    """Fixtures of the suite, and what its parts share."""

    ALL: ClassVar[int] = 100
    """How many commands there are where it matters that there are many."""

    @pytest.fixture
    def gateway(self) -> StandInGateway:
        return StandInGateway()

    @pytest.fixture
    def proxy(self, broker: BrokerUnderTest) -> Iterator[TcpProxy]:
        with TcpProxy(broker.port) as one:
            yield one

    @pytest.fixture
    def serve(self, broker: BrokerUnderTest, gateway: StandInGateway, tmp_path: Path) -> Iterator[Serve]:
        """Yield a function that serves; `name` is the gateway's: what keeps its name over a restart does so by that."""
        running: list[Served] = []

        def start(other: StandInGateway | None = None, name: str = "a", **changes: Any) -> Served:
            settings = {"port": broker.port, **broker.settings(), **changes}
            running.append(Served(broker.kind, other or gateway, tmp_path / name, settings))
            return running[-1]

        yield start
        for served in running:
            served.gateway.hold = False
            served.gateway.release()
            served.stop()
        running.clear()  # a wake-up's descriptor lives as long as its owner

    @staticmethod
    def still_there(broker: BrokerUnderTest, serve: Serve) -> list[str]:
        """Return the ids of what the broker still has: all that another gateway gets before a last command."""
        after = StandInGateway()
        served = serve(after).until(connected=True)
        broker.publish(command("the last"))
        until(lambda: "the last" in after.ids(), served.ingress.describe)
        served.until(in_flight=0)
        served.stop()
        return [one for one in after.ids() if one != "the last"]
