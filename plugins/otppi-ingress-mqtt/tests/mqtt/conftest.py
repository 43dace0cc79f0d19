import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from otppi.api.ingress import IngressContext, Origin
from otppi.testing.brokers.certificates import Authority
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.mqtt_peer import MqttPeer
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import Answer, Envelope, ResponseCode, parse
from otppi_ingress_mqtt.ingress import MqttIngress, Pace
from otppi_ingress_mqtt.settings import SECTION

PACE = Pace(first=0.02, patience=0.3, renew=0.1)


class StandInTicket:
    """A command's ticket; `end` makes it final."""

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope
        self.withdrawn = False
        self._lock = threading.Lock()
        self._final: Answer | None = None
        self._waiting: list[Callable[[Answer], None]] = []

    def answer(self, wait: float = 0.0) -> Answer:
        return self._final or Answer(self.envelope.name, ResponseCode.SUCCESS, data={"state": "queued"})

    def when_final(self, callback: Callable[[Answer], None]) -> None:
        with self._lock:
            if self._final is None:
                self._waiting.append(callback)
                return
        callback(self._final)

    def withdraw(self) -> None:
        self.withdrawn = True

    def is_held(self) -> bool:
        return False

    def end(self, code: ResponseCode = ResponseCode.SUCCESS, **data: Any) -> None:
        item = self.envelope.items[0]
        answer = Answer(self.envelope.name, code, data={"id": item.id, **(data or {"state": "sent"})})
        with self._lock:
            self._final = answer
            waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback(answer)


class StandInGateway:
    """Reads commands as the host does, and sends nothing: the test says what becomes of each."""

    def __init__(self) -> None:
        self.hold = False
        self.refuses = False
        self.room = 8
        self.state = "ok"
        self.modems: list[dict[str, Any]] = [
            {"modem_id": "m0", "state": "ready", "imei": "490154203237518", "operator": "Telkomsel"}
        ]
        self.asked = 0
        self.taken: list[tuple[Envelope, Origin]] = []
        self.tickets: list[StandInTicket] = []
        self.counted = threading.Condition()

    def read(self, body: bytes, ingress: str) -> Envelope:
        return parse(body)

    def submit(self, envelope: Envelope, origin: Origin) -> StandInTicket:
        ticket = StandInTicket(envelope)
        with self.counted:
            self.taken.append((envelope, origin))
            self.tickets.append(ticket)
            self.counted.notify_all()
        if self.refuses:
            ticket.end(ResponseCode.NO_MODEM, state="failed", cause="no modem", retry_after=1)
        elif not self.hold:
            ticket.end()
        return ticket

    def capacity(self) -> int:
        return 0 if self.refuses else self.room

    def health(self) -> Mapping[str, Any]:
        self.asked += 1
        return {"status": self.state, "version": "1.2.3", "modems": self.modems, "queued": 7}

    def wait_for(self, count: int) -> list[tuple[Envelope, Origin]]:
        with self.counted:
            assert self.counted.wait_for(lambda: len(self.taken) >= count, PATIENCE), (
                f"{len(self.taken)} of {count} came"
            )
        return self.taken

    def ids(self) -> list[str | None]:
        return [envelope.items[0].id for envelope, _ in self.taken]

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"an ingress of a broker has no business with {name}")


class Running:
    """An ingress that runs on a thread of its own until the test ends, or `stop`."""

    def __init__(self, folder: Path, gateway: StandInGateway, pace: Pace = PACE, **values: Any) -> None:
        unchecked = values.pop("unchecked", {})
        settings, problems = SECTION.validate({"enable": True, "timeout": 3, **values})
        assert not problems, problems
        settings |= unchecked
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.gateway = gateway
        self.ingress = MqttIngress(IngressContext(settings, gateway, folder), pace)
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ingress under test")
        self._thread.start()

    def _run(self) -> None:
        try:
            self.ingress.run()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def connected(self) -> "Running":
        until(lambda: self.ingress.describe()["connected"], f"connected: {self.ingress.describe()}")
        return self

    def problem(self, words: str) -> str:
        until(lambda: words in str(self.ingress.describe()["last_problem"]), words)
        return str(self.ingress.describe()["last_problem"])

    def of(self, key: str) -> Any:
        return self.ingress.describe()[key]

    def settled(self, count: int) -> None:
        until(lambda: self.of("done") + self.of("never") >= count and not self.of("in_flight"), f"{count} settled")

    def stop(self) -> None:
        self.ingress.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "it does not stop"


Start = Callable[..., Running]


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Mosquitto]:
    """Return one broker for all tests that do it no harm, with TLS at a second port; each has topics of its own."""
    with Mosquitto(tmp_path_factory.mktemp("mosquitto"), also_tls=authority.good()) as broker:
        yield broker


@pytest.fixture
def gateway() -> StandInGateway:
    return StandInGateway()


@pytest.fixture
def start(tmp_path: Path, gateway: StandInGateway, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start ingresses whose topic and client id are the test's own, and stop them at its end."""
    running: list[Running] = []
    name = topic_of(request)

    def one(**values: Any) -> Running:
        broker = values.pop("broker", None)
        if broker is not None:
            values["port"] = broker.port
        folder = tmp_path / f"ingress-{values.pop('number', len(running))}"
        own = values.pop("gateway", gateway)
        new = Running(folder, own, **{"topic": name, "host": "127.0.0.1", "client_id": f"{name}x", **values})
        running.append(new)
        return new

    yield one
    for each in running:
        each.stop()
    for each in running:
        assert each.error is None, each.error


def topic_of(request: pytest.FixtureRequest) -> str:
    kept = "".join(sign if sign.isalnum() else "-" for sign in request.node.name)
    return f"test-{kept}"


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    return topic_of(request)


@pytest.fixture
def peer(mosquitto: Mosquitto) -> Iterator[MqttPeer]:
    with MqttPeer(mosquitto.port) as one:
        yield one


def command(number: int | str | None, text: str = "OTP Anda adalah 1234", **more: Any) -> bytes:
    data: dict[str, Any] = {"receiver": "081266660001", "message": text}
    if number is not None:
        data["id"] = number
    return json.dumps({"command": "send-sms", "data": data, **more}).encode()
