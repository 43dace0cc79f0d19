"""Kills and lost modems: nothing lost in silence, nothing sent twice, and the truth told afterwards."""

import http.client
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from otppi.simulator import ModemProfile, ModemRack, SimulatedNetwork
from otppi.testing.waiting import PATIENCE, until
from tests.system.conftest import WENT_OUT, Gateway, modem

Start = Callable[..., Gateway]


def test_kill_with_fifty_messages_queued(start: Start) -> None:
    with ModemRack(profile=ModemProfile(network_time=0.1)) as rack:
        gateway = start([modem(rack.paths[0])]).until_ready()
        count = 50

        def one_sender(number: int) -> tuple[int, str | None]:
            with gateway.client() as client:
                try:
                    return number, client.send(number, f"0812{number:07}", f"text {number}", "?wait=30")[1]["data"][
                        "state"
                    ]
                except (OSError, http.client.HTTPException):
                    return number, None

        with ThreadPoolExecutor(count) as senders:
            answers = [senders.submit(one_sender, number) for number in range(count)]
            rack.network.wait_for(5)
            gateway.kill()
            told = dict(answer.result() for answer in answers)
        sent = {number for number, state in told.items() if state in WENT_OUT}
        assert 0 < len(sent) < count
        assert set(told.values()) - {*WENT_OUT} == {None}, "those that were not answered fail visibly at the sender"
        assert {f"text {number}" for number in sent} <= {message.text for message in rack.network.messages}

        gateway.start().until_ready()
        with gateway.client() as client:
            # The gateway goes on with what waited, before anything new.
            assert client.send("new", "08120000000", "after the kill", "?wait=60")[1]["data"]["state"] in WENT_OUT
            assert rack.network.messages[-1].text == "after the kill"
            # A sender that did not get its answer asks again: nothing goes out twice.
            for number in range(count):
                status, answer = client.send(number, f"0812{number:07}", f"text {number}", "?wait=30")
                assert (status, answer["response_code"]) == (200, "1201")
                assert answer["data"]["state"] in ("sent", "delivered", "unconfirmed")
        texts = [message.text for message in rack.network.messages]
        assert sorted(texts) == sorted({*(f"text {number}" for number in range(count)), "after the kill"})


def test_kill_between_ctrl_z_and_the_answer_is_told_as_unconfirmed(start: Start) -> None:
    with ModemRack(profile=ModemProfile(report_delay=None)) as rack:  # a report would tell what became of it
        gateway = start([modem(rack.paths[0])]).until_ready()
        rack.modems[0].inject("result-lost-sent", at=1)
        with gateway.client() as client:
            first = client.send(1, "08121111111", "text 1", "?wait=0")[1]["data"]["message_id"]
            second = client.send(2, "08122222222", "text 2", "?wait=0")[1]["data"]["message_id"]
            rack.network.wait_for(1)
            gateway.kill()
        with gateway.start().until_ready().client() as client:
            assert client.message(first)["state"] == "unconfirmed"
            until(lambda: client.message(second)["state"] in WENT_OUT)
            for number in (1, 2):
                again = client.send(
                    number, f"0812{number}{number}{number}{number}{number}{number}{number}", f"text {number}"
                )
                assert again[1]["response_code"] == "1201"
        assert sorted(message.text for message in rack.network.messages) == ["text 1", "text 2"]
        gateway.stop()
        (report,) = (gateway.data / "report").glob("*.jsonl")
        assert '"s":"unconfirmed"' in report.read_text()


def test_an_answer_that_never_comes_holds_up_nobody_and_nothing_goes_twice(start: Start, modem_rack: ModemRack) -> None:
    gateway = start([modem(modem_rack.paths[0], result_timeout=1.0)]).until_ready()
    modem_rack.modems[0].inject("result-lost-sent", at=1)
    with gateway.client() as client, gateway.client() as other, ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(client.send, 1, "08121111111", "text 1")
        modem_rack.network.wait_for(1)
        assert other.send(2, "08122222222", "text 2")[1]["data"]["state"] in WENT_OUT
        status, answer = stuck.result()
    assert (status, answer["response_code"], answer["data"]["state"]) == (504, "1207", "unconfirmed")
    assert sorted(message.text for message in modem_rack.network.messages) == ["text 1", "text 2"]


def test_a_port_that_goes_and_comes_back_loses_nothing(start: Start, modem_rack: ModemRack) -> None:
    gateway = start([modem(modem_rack.paths[0])]).until_ready()
    modem_rack.modems[0].unplug(replug_after=3.0)
    with gateway.client() as client:
        until(lambda: client.request("GET", "/api/health")[1]["status"] == "down")
        assert client.send(1, "08121111111", "text 1", "?wait=20")[1]["data"]["state"] in WENT_OUT
    assert modem_rack.network.message_count == 1


def test_fail_over_to_the_other_modem(start: Start) -> None:
    with ModemRack(2) as rack:
        gateway = start(
            [
                modem(rack.paths[0], "first", recipient_prefixes=["62812"], default_modem=False),
                modem(rack.paths[1], "second"),
            ]
        ).until_ready()
        with gateway.client() as client:
            assert client.send(1, "08121111111", "text 1")[1]["data"]["modem_id"] == "first"
            rack.modems[0].unplug()
            answer = client.send(2, "08121111111", "text 2")[1]
            assert answer["data"]["modem_id"] == "second"
            assert answer["data"]["state"] in WENT_OUT
        assert rack.network.message_count == 2


@pytest.mark.parametrize("fault", ["unplug-after-submit-sent", "unplug-after-submit-unsent"])
def test_a_modem_lost_after_ctrl_z_is_unconfirmed(start: Start, modem_rack: ModemRack, fault: str) -> None:
    gateway = start([modem(modem_rack.paths[0])]).until_ready()
    modem_rack.modems[0].inject(fault)
    with gateway.client() as client:
        status, answer = client.send(1, "08121111111", "text 1")
        assert (status, answer["data"]["state"]) == (504, "unconfirmed")


def hold_back(answered: threading.Event) -> None:
    """Hold back the network's answer to a message until it may be given."""
    assert answered.wait(PATIENCE)


def test_stopping_tells_the_senders_that_their_messages_wait(start: Start) -> None:
    answered = threading.Event()
    network = SimulatedNetwork(listener=lambda _message: hold_back(answered))
    with ModemRack(profile=ModemProfile(network_time=1.0), network=network) as rack:
        gateway = start([modem(rack.paths[0])]).until_ready()

        def one(number: int) -> tuple[int, str]:
            with gateway.client() as client:
                status, answer = client.send(number, f"0812{number:07}", f"text {number}")
                return status, str(answer["data"]["state"])

        with ThreadPoolExecutor(6) as pool:
            answers = [pool.submit(one, number) for number in range(5)]
            try:
                network.wait_for(1)
                # The gateway is to have all of them: one that comes when it stops is refused (503), and not kept.
                with gateway.client() as client:
                    until(lambda: client.request("GET", "/api/health")[1]["queued"] == 4, "four messages wait")
                code = pool.submit(gateway.stop)
                until(lambda: "the gateway is stopping" in gateway.log.read_text(), "the gateway begins to stop")
            finally:
                answered.set()
            assert code.result() == 0
            told = [answer.result() for answer in answers]
        assert set(told) <= {(200, "sent"), (202, "sending"), (202, "queued")}
        assert (202, "queued") in told
        before = network.message_count
        assert before < 5
        gateway.start().until_ready()
        network.wait_for(5)
        assert sorted(message.text for message in network.messages) == [f"text {number}" for number in range(5)]
