"""Brokers that die, restart, stand still, refuse, or are not whom they should be; networks that break."""

import logging
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otppi.testing.brokers.certificates import Authority
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.mqtt_peer import MqttPeer
from otppi.testing.brokers.proxy import TcpProxy
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE

from .conftest import StandInGateway, Start, command

VERSIONS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Mosquitto]:
    """Return a broker of the test's own, to be killed."""
    with Mosquitto(tmp_path / "mosquitto") as broker:
        yield broker


@VERSIONS
@pytest.mark.parametrize("qos", [1, 2])
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_the_broker_is_started_again(
    start: Start, own: Mosquitto, gateway: StandInGateway, topic: str, qos: int, protocol: str, how: str
) -> None:
    gateway.hold = True
    running = start(broker=own, qos=qos, protocol=protocol).connected()
    with MqttPeer(own.port) as peer:
        for number in range(5):
            peer.publish(topic, command(number), qos)
        gateway.wait_for(5)
    gateway.tickets[0].end()
    until(lambda: running.of("in_flight") == 4)
    own.save()
    getattr(own, how)()
    until(lambda: not running.of("connected"))
    gateway.tickets[1].end()
    own.start()
    running.connected()
    assert running.of("session_present")
    for ticket in gateway.tickets[2:]:
        ticket.end()
    running.settled(5)
    with MqttPeer(own.port) as peer:
        peer.publish(topic, command(9), qos)
        gateway.wait_for(6)
    assert gateway.ids() == ["0", "1", "2", "3", "4", "9"]  # each once, and the broker has nothing left


def test_a_broker_without_memory(
    start: Start, own: Mosquitto, gateway: StandInGateway, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.hold = True
    running = start(broker=own).connected()
    with MqttPeer(own.port) as peer:
        peer.publish(topic, command(1, callback_topic=f"{topic}/answers"))
        gateway.wait_for(1)
    own.kill()
    until(lambda: not running.of("connected"))
    (own.folder / "mosquitto.db").unlink(missing_ok=True)
    own.start()
    running.connected()
    assert "has lost its session" in caplog.text
    with MqttPeer(own.port) as peer:
        peer.subscribe(f"{topic}/answers")
        gateway.tickets[0].end()
        peer.wait_for(1)
        gateway.hold = False
        peer.publish(topic, command(2))
        gateway.wait_for(2)
    running.settled(2)


@VERSIONS
def test_a_broker_that_stands_still(
    start: Start,
    own: Mosquitto,
    gateway: StandInGateway,
    topic: str,
    protocol: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    running = start(broker=own, unchecked={"keep_alive": 1, "timeout": 1}, protocol=protocol).connected()
    own.pause()
    until(lambda: "the server was silent for too long" in caplog.text)  # before the next problem takes its place
    running.problem("the server did not answer within 1 s")
    own.resume()
    running.connected()
    with MqttPeer(own.port) as peer:
        peer.publish(topic, command(1))
        gateway.wait_for(1)
    running.settled(1)


def test_a_broker_that_hangs_is_not_waited_for_at_the_stop(start: Start, own: Mosquitto) -> None:
    running = start(broker=own, unchecked={"timeout": 600}).connected()
    own.pause()
    running.stop()  # it says where it does not stop long before that time-out
    own.resume()


def test_the_name_has_several_addresses(start: Start, own: Mosquitto) -> None:
    start(host="localhost", port=own.port).connected()  # ::1 comes first, and nobody listens there


# -- users, certificates --------------------------------------------------------------------------------------------


@VERSIONS
def test_users(
    start: Start, tmp_path: Path, gateway: StandInGateway, topic: str, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Mosquitto(tmp_path / "mosquitto", users={"gateway": "s3cret-Pass", "app": "other"}) as broker:
        wrong = start(broker=broker, username="gateway", password="s3cret-Wrong", protocol=protocol)
        problem = wrong.problem("it refuses")
        assert "s3cret" not in problem
        wrong.stop()
        nobody = start(broker=broker, protocol=protocol)
        nobody.problem("it refuses")
        nobody.stop()
        running = start(broker=broker, username="gateway", password="s3cret-Pass", protocol=protocol).connected()
        with MqttPeer(broker.port, username="app", password="other") as peer:
            peer.publish(topic, command(1))
        gateway.wait_for(1)
        assert gateway.taken[0][1].sender.name == "ingress-mqtt"
        running.stop()
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("protocol", "granted", "refusal"),
    [
        ("5", b"\x20\x03\x00\x00\x00", b"\x90\x04\x00\x01\x00\x87"),
        ("3.1.1", b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x80"),
    ],
)
def test_a_subscription_that_is_refused(
    start: Start, topic: str, protocol: str, granted: bytes, refusal: bytes
) -> None:
    # Mosquitto with a file of access rules grants every subscription, and then sends nothing.
    with _server(granted, refusal) as port:
        running = start(port=port, protocol=protocol)
        running.problem(f"it refuses the topic {topic}")
        running.stop()


def test_an_answer_that_the_broker_refuses(
    start: Start, tmp_path: Path, gateway: StandInGateway, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    rules = tmp_path / "acl"
    rules.write_text(f"topic readwrite {topic}\n")
    with Mosquitto(tmp_path / "mosquitto", options=(f"acl_file {rules}",)) as broker, MqttPeer(broker.port) as peer:
        running = start(broker=broker).connected()
        peer.publish(topic, command(1, callback_topic="secret/place"))
        running.settled(1)
        assert running.of("publications_refused") == 1
        assert "refuses an answer" in caplog.text
        running.stop()


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("secure"), tls=authority.good()) as broker:
        yield broker


def test_whom_nobody_vouches_for(
    start: Start, mosquitto: Mosquitto, secure: Mosquitto, authority: Authority, tmp_path: Path
) -> None:
    ca_file = str(authority.ca_file)
    start(port=secure.port, ssl=True).problem("the server's certificate is not valid for 127.0.0.1")
    start(port=secure.port, ssl=True, verify_certificate=False).connected()
    start(port=secure.port, ssl=False).problem("maybe it speaks TLS at this port")
    stranger = Authority(tmp_path / "stranger")
    start(port=secure.port, ssl=True, ca_file=str(stranger.ca_file)).problem(
        "the server's certificate is not valid for 127.0.0.1"
    )
    start(broker=mosquitto, ssl=True, ca_file=ca_file).problem("TLS failed")


def test_a_client_certificate(start: Start, authority: Authority, tmp_path: Path) -> None:
    options = (f"cafile {authority.ca_file}", "require_certificate true", "use_identity_as_username true")
    pair = authority.client("gateway1")
    with Mosquitto(tmp_path / "mosquitto", tls=authority.good(), options=options) as broker:
        start(
            broker=broker,
            ssl=True,
            ca_file=str(authority.ca_file),
            certificate_file=str(pair.certificate),
            private_key_file=str(pair.key),
        ).connected()
        start(broker=broker, ssl=True, ca_file=str(authority.ca_file), client_id="other").problem("")


# -- servers that are no broker, or another kind --------------------------------------------------------------------


@contextmanager
def _server(*answers: bytes) -> Iterator[int]:
    """Return each connection one answer after the other, for whatever it sends, then end it."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(PATIENCE)
                for answer in answers:
                    connection.recv(4096)
                    connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        done.set()
        thread.join()
        listener.close()


@pytest.mark.parametrize(
    ("protocol", "answer", "words"),
    [
        ("5", b"\x20\x02\x00\x01", "protocol"),  # a broker of 3.1.1 (MQTT 3.1.1, 3.2.2.3)
        ("5", b"\x20\x03\x00\x84\x00", "protocol"),
        ("5", b"\x20\x03\x00\x85\x00", "client_id"),
        ("5", b"\x20\x03\x00\x87\x00", "may not"),
        ("5", b"\x20\x0a\x00\x9d\x07\x1c\x00\x04else", "'else'"),
        ("5", b"\x20\x03\x00\x9a\x00", "status_topic"),
        ("5", b"\x20\x03\x00\x00\x00\xe0\x02\x8e\x00", "another client has connected with the client id"),
        ("5", b"\x20\x03\x00\x00\x00\xe0\x02\x8b\x00", "shutting down"),
        ("5", b"\x20\x03\x00\x07\x00", "does not speak"),
        ("5", b"HTTP/1.1 400 Bad Request\r\n\r\n", "not this version of MQTT"),
        ("5", b"", "closed the connection without an answer"),
        ("3.1.1", b"\x20\x02\x00\x01", "does not speak this version"),
        ("3.1.1", b"\x20\x02\x00\x02", "client_id"),
        ("3.1.1", b"\x20\x02\x00\x03", "unavailable"),
        ("3.1.1", b"\x20\x02\x00\x04", "username or password is wrong"),
        ("3.1.1", b"\x20\x02\x00\x05", "may not"),
        ("3.1.1", b"\x20\x7f" + b"\0" * 127, "does not speak"),
    ],
)
def test_what_servers_say(start: Start, protocol: str, answer: bytes, words: str) -> None:
    with _server(answer) as port:
        running = start(port=port, protocol=protocol)
        running.problem(words)
        running.stop()


def test_what_the_broker_hangs_up_for_is_not_published_again(
    start: Start, topic: str, gateway: StandInGateway, caplog: pytest.LogCaptureFixture
) -> None:
    command_ = command(1, callback_topic=f"{topic}/answers")
    name = topic.encode()
    publish = len(name).to_bytes(2, "big") + name + b"\x00\x07\x00" + command_  # QoS 1, identifier 7, no properties
    size = bytes([len(publish) & 0x7F | 0x80, len(publish) >> 7])
    greeting = b"\x20\x03\x00\x00\x00"
    with _server(greeting, b"\x90\x04\x00\x01\x00\x01\x32" + size + publish, b"\xe0\x02\x99\x00") as port:
        running = start(port=port)
        until(lambda: running.of("publications_refused") == 1)
        running.problem("it hung up: Payload format invalid")
        assert "1 answers are given up" in caplog.text
        running.stop()


def test_an_answer_larger_than_the_broker_takes(
    start: Start, tmp_path: Path, topic: str, gateway: StandInGateway, caplog: pytest.LogCaptureFixture
) -> None:
    options = ("max_packet_size 400",)
    with Mosquitto(tmp_path / "mosquitto", options=options) as broker, MqttPeer(broker.port) as peer:
        running = start(broker=broker).connected()
        gateway.hold = True
        for number in (1, 2):
            peer.publish(topic, command(number, "x", callback_topic=f"{topic}/answers"))
        gateway.wait_for(2)
        peer.subscribe(f"{topic}/answers")
        gateway.tickets[0].end(state="sent", cause="x" * 500)
        gateway.tickets[1].end()
        peer.wait_for(1)
        running.settled(2)
        assert running.of("publications_refused") == 1
        assert "the broker takes 400 octets at the most" in caplog.text
        running.stop()


def test_a_server_that_says_nothing(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        running = start(port=silent.getsockname()[1], timeout=1)
        running.problem("the server did not answer within 1 s")
        running.stop()


# -- clients of the same name, settings that change -----------------------------------------------------------------


def test_two_gateways_of_one_client_id(
    start: Start, own: Mosquitto, caplog: pytest.LogCaptureFixture, gateway: StandInGateway, topic: str
) -> None:
    start(broker=own, client_id="same").connected()
    start(broker=own, client_id="same")
    # Mosquitto before 2.0.16 or so just hangs up; later ones say that the session was taken over (reason code 0x8E).
    until(lambda: re.search(r"another client has (the same|connected with the) client id", caplog.text))


def test_another_topic_ends_the_subscription_to_the_first(
    start: Start, own: Mosquitto, gateway: StandInGateway
) -> None:
    start(broker=own, topic="first", number=0).connected().stop()
    with MqttPeer(own.port) as peer:
        peer.publish("first", command("before"))
        running = start(broker=own, topic="second", number=0).connected()
        peer.publish("first", command("after"))
        peer.publish("second", command("new"))
        gateway.wait_for(2)
        running.settled(2)
    assert gateway.ids() == ["before", "new"]


def test_a_client_id_of_its_own(start: Start, own: Mosquitto, gateway: StandInGateway, topic: str) -> None:
    first = start(broker=own, client_id="", number=0).connected()
    name = first.of("client_id")
    first.stop()
    with MqttPeer(own.port) as peer:
        peer.publish(topic, command(1))
    second = start(broker=own, client_id="", number=0).connected()
    assert second.of("client_id") == name
    gateway.wait_for(1)
    other = start(broker=own, client_id="", number=1)
    assert other.of("client_id") != name


def test_a_lesser_qos_is_told(
    start: Start, tmp_path: Path, gateway: StandInGateway, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Mosquitto(tmp_path / "mosquitto", tls=None, options=("max_qos 1",)) as broker, MqttPeer(broker.port) as peer:
        running = start(broker=broker, qos=2).connected()
        peer.subscribe(f"{topic}/answers")
        peer.publish(topic, command(1, callback_topic=f"{topic}/answers"))
        peer.wait_for(1)
        running.settled(1)
        running.stop()


# -- bounds ---------------------------------------------------------------------------------------------------------


def test_no_more_than_the_limit_is_held(
    start: Start, own: Mosquitto, gateway: StandInGateway, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.hold = True
    running = start(broker=own, protocol="3.1.1")
    running.ingress._intake._limit = 5
    running.connected()
    with MqttPeer(own.port) as peer:
        for number in range(8):
            peer.publish(topic, command(number))
        until(lambda: running.of("left_to_broker") >= 3)
        peer.publish(topic, command("lost"), 0)
        until(lambda: running.of("dropped_qos_0") == 1)
        until(lambda: "a message of QoS 0 is lost" in caplog.text)
        gateway.hold = False
        for ticket in list(gateway.tickets):
            ticket.end()
        running.settled(8)
    assert sorted(str(one) for one in gateway.ids()) == [str(number) for number in range(8)]


def test_a_larger_window_when_there_are_more_modems(start: Start, own: Mosquitto, gateway: StandInGateway) -> None:
    running = start(broker=own).connected()
    assert running.of("receive_maximum") == 16
    gateway.room = 300
    until(lambda: running.of("receive_maximum") == 300)
    running.connected()
    assert running.of("last_problem") is None


def test_a_cut_network_again_and_again(start: Start, own: Mosquitto, gateway: StandInGateway, topic: str) -> None:
    with TcpProxy(own.port) as proxy, MqttPeer(own.port) as peer:
        running = start(port=proxy.port, qos=2).connected()
        for number in range(300):
            peer.publish(topic, command(number), 2, wait=False)
            if number % 50 == 25:
                proxy.drop()
        gateway.wait_for(300)
        running.settled(300)
        assert sorted(int(str(one)) for one in gateway.ids()) == list(range(300))
        running.stop()
