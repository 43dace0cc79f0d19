"""What comes is taken in, once, and acknowledged when it has come to its end."""

import pytest

from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.brokers.mqtt_peer import MqttPeer
from otppi.testing.brokers.proxy import TcpProxy
from otppi.testing.scripted import until
from otppi.wire.envelope import Command

from .conftest import StandInGateway, Start, command

VERSIONS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
KEPT = pytest.mark.parametrize("qos", [1, 2])


@VERSIONS
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_command_is_taken_and_acknowledged(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str, qos: int, protocol: str
) -> None:
    running = start(broker=mosquitto, qos=qos, protocol=protocol).connected()
    peer.publish(topic, command(1), 2)
    (envelope, origin), *_ = gateway.wait_for(1)
    assert (envelope.command, envelope.items[0].id) == (Command.SEND_SMS, "1")
    assert (origin.ingress, origin.kept_by_source, origin.redelivered) == ("ingress-mqtt", qos > 0, False)
    running.settled(1)
    assert (running.of("qos"), running.of("protocol"), running.of("topic")) == (qos, protocol, topic)
    running.stop()
    again = start(broker=mosquitto, qos=qos, protocol=protocol).connected()
    peer.publish(topic, command(2), 2)
    gateway.wait_for(2)
    again.settled(1)
    assert gateway.ids() == ["1", "2"]  # the first one did not come again, so it was acknowledged
    assert again.of("session_present")


@VERSIONS
@KEPT
def test_nothing_is_acknowledged_before_its_end(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str, qos: int, protocol: str
) -> None:
    gateway.hold = True
    first = start(broker=mosquitto, qos=qos, protocol=protocol).connected()
    for number in range(3):
        peer.publish(topic, command(number), 2)
    gateway.wait_for(3)
    gateway.tickets[1].end()
    until(lambda: first.of("done") == 1 and first.of("in_flight") == 2)
    with TcpProxy(mosquitto.port) as proxy:  # another session of the same client shows what the broker still has
        second = start(port=proxy.port, qos=qos, protocol=protocol).connected()
        gateway.wait_for(5)
        assert gateway.ids() == ["0", "1", "2", "0", "2"]
        assert [origin.redelivered for _, origin in gateway.taken[3:]] == [True, True]
        first.stop()
        second.stop()


@VERSIONS
@KEPT
def test_what_is_in_flight_is_not_taken_twice_after_a_new_connection(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str, qos: int, protocol: str
) -> None:
    gateway.hold = True
    with TcpProxy(mosquitto.port) as proxy:
        running = start(port=proxy.port, qos=qos, protocol=protocol).connected()
        for number in (1, None, None):  # two of them are the same, and have no id
            peer.publish(topic, command(number), 2)
        gateway.wait_for(3)
        for round_ in range(1, 3):
            proxy.drop()
            until(lambda: proxy.accepted > round_)  # noqa: B023 - called at once
            running.connected()
        gateway.tickets[0].end()
        proxy.cut()
        gateway.tickets[1].end()  # nobody can be told now
        proxy.mend()
        gateway.tickets[2].end()
        running.settled(3)
        running.connected()
        peer.publish(topic, command(4), 2)
        gateway.wait_for(4)
        gateway.tickets[3].end()
        running.settled(4)
        assert gateway.ids() == ["1", None, None, "4"]
        running.stop()
    gateway.hold = False
    start(broker=mosquitto, qos=qos, protocol=protocol).connected()
    peer.publish(topic, command(5), 2)
    gateway.wait_for(5)
    assert gateway.ids()[4:] == ["5"]  # all the others were acknowledged


@VERSIONS
def test_many_at_once(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str, protocol: str
) -> None:
    running = start(broker=mosquitto, protocol=protocol).connected()
    for number in range(500):
        peer.publish(topic, command(number), 1, wait=False)
    gateway.wait_for(500)
    running.settled(500)
    assert gateway.ids() == [str(number) for number in range(500)]


def test_what_cannot_be_sent_now_is_tried_again_from_here(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    gateway.refuses = True
    running = start(broker=mosquitto).connected()
    peer.publish(topic, command(1))
    gateway.wait_for(2)
    gateway.refuses = False
    running.settled(1)
    assert set(gateway.ids()) == {"1"}
    assert len({envelope.items[0].date_time for envelope, _ in gateway.taken}) == 1


def test_the_modems_capacity_is_the_window(
    start: Start, mosquitto: Mosquitto, peer: MqttPeer, gateway: StandInGateway, topic: str
) -> None:
    gateway.hold = True
    gateway.room = 18
    running = start(broker=mosquitto).connected()
    assert running.of("receive_maximum") == 18
    for number in range(20):
        peer.publish(topic, command(number))
    peer.publish(topic, command("unkept"), 0)  # no window holds it back, and it comes after all that does come
    until(lambda: "unkept" in gateway.ids())
    assert gateway.ids() == [*(str(number) for number in range(18)), "unkept"]
    gateway.tickets[0].end()
    gateway.wait_for(20)  # how many more it hands over for one that has ended is the broker's matter: Mosquitto two
    assert gateway.ids()[19] == "18"
