"""What arrived: put together, bounded, waited for."""

import threading
from itertools import permutations

import pytest

from otppi.simulator import ArrivedMessage, SimulatedNetwork
from otppi.wire.address import Address
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsSubmit


def parts(text: str, reference: int = 0, receiver: str = "+6281200000001") -> list[SmsSubmit]:
    return [SmsSubmit(Address.parse(receiver), part) for part in segment(text, reference=reference)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_parts_in_any_order(order: tuple[int, ...]) -> None:
    network = SimulatedNetwork()
    long = parts("abc" * 120)
    for place in order:
        assert network.message_count == 0
        network.accept("m", long[place], place)
    (message,) = network.messages
    assert (message.text, message.parts) == ("abc" * 120, 3)


def test_messages_of_several_modems_and_receivers_do_not_mix() -> None:
    network = SimulatedNetwork()
    long = {key: parts(str(key) * 200, receiver=f"+628120000000{key}") for key in (1, 2)}
    for place in range(2):
        for key, modem in ((1, "a"), (2, "a"), (1, "b")):
            network.accept(modem, long[key][place], 0)
    assert sorted((message.modem, message.text[0]) for message in network.messages) == [
        ("a", "1"),
        ("a", "2"),
        ("b", "1"),
    ]


def test_it_remembers_so_many_and_counts_all() -> None:
    network = SimulatedNetwork(keep=3)
    for number in range(10):
        network.accept("m", parts(str(number))[0], number)
        network.accept("m", parts("x" * 200, reference=number)[0], number)
    assert [message.text for message in network.messages] == ["7", "8", "9"]
    assert (network.message_count, network.part_count, len(network.parts)) == (10, 20, 3)
    assert [message.number for message in network.since(8)] == [9, 10]
    network.accept("m", parts("x" * 200, reference=0)[1], 0)
    assert network.message_count == 10, "the first part of this one is long forgotten"
    network.clear()
    assert (network.message_count, network.part_count, network.messages, network.parts) == (0, 0, (), ())


def test_waiting() -> None:
    heard: list[ArrivedMessage] = []
    network = SimulatedNetwork(listener=heard.append)
    sender = threading.Thread(target=network.accept, args=("m", parts("late")[0], 7))
    with pytest.raises(TimeoutError, match="0 of 1"):
        network.wait_for(1, 0.01)
    assert network.since(0, 0.01) == ()
    sender.start()
    (message,) = network.wait_for(1, 10.0)
    sender.join()
    assert heard == [message]
    assert network.since(0, 10.0) == (message,)
    assert network.parts[0].message_reference == 7
    assert network.parts[0].text == "late"
