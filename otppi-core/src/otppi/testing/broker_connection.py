"""The contract of an ingress on a broker: the connection, however it fails, and the stop."""
# ruff: noqa: S101, D102, ARG002 - these are tests

import itertools
import json
import logging
import time
from typing import Any

import pytest

from otppi.api.ingress import Callback
from otppi.kit.net.failures import WRONG_LOGIN
from otppi.testing.broker_bench import SECRET, BrokerBench, BrokerUnderTest, Serve, command
from otppi.testing.brokers.certificates import Authority
from otppi.testing.brokers.listeners import hold_silent, show_certificate
from otppi.testing.brokers.proxy import TcpProxy
from otppi.testing.stand_in import StandInGateway
from otppi.testing.waiting import until
from otppi.wire.envelope import Answer, ResponseCode


class ConnectionContract(BrokerBench):
    """The connection is lost, refused, made anew, and ended: nothing is lost with it, and why is told."""

    # -- the connection ---------------------------------------------------------------------------------------------

    def test_a_network_that_breaks_loses_nothing(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway, proxy: TcpProxy
    ) -> None:
        gateway.room = 20
        served = serve(port=proxy.port).until(connected=True)
        for number in range(self.ALL):
            if number % 25 == 10 and broker.keeps:
                proxy.drop()
            broker.publish(command(number))
        until(lambda: len(set(gateway.ids())) == self.ALL, served.ingress.describe)
        served.until(in_flight=0)
        once = {envelope.items[0].id for envelope, origin in gateway.taken if not origin.redelivered}
        assert len([origin for _, origin in gateway.taken if not origin.redelivered]) == len(once)
        served.stop()
        assert self.still_there(broker, serve) == []

    def test_a_broker_that_is_away_is_found_again_and_answers_wait_for_it(
        self, broker: BrokerUnderTest, serve: Serve, proxy: TcpProxy, caplog: pytest.LogCaptureFixture
    ) -> None:
        proxy.cut()
        served = serve(port=proxy.port)
        assert served.problem()
        until(lambda: served.says("attempts") >= 2, served.ingress.describe)
        proxy.mend()
        served.until(connected=True)
        proxy.cut()
        served.until(connected=False)
        for number in range(20):
            answer = Answer("send-sms", ResponseCode.SUCCESS, data={"id": str(number), "state": "delivered"})
            served.ingress.state_changed(Callback(broker.answers, b"", "send-sms"), answer)
        proxy.mend()
        until(lambda: len(broker.answers_published()) >= 20, served.ingress.describe)
        ids = list(dict.fromkeys(json.loads(one)["data"]["id"] for one in broker.answers_published()))
        assert ids == [str(number) for number in range(20)]
        served.until(connected=True, callbacks_waiting=0, callbacks_dropped=0)
        broker.publish(command("back", callback_topic=broker.answers))
        broker.answer_to("back")
        served.stop()

    def test_the_connection_is_made_anew_after_the_refresh(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        with TcpProxy(broker.port) as proxy:
            served = serve(port=proxy.port, refresh=1).until(connected=True)
            for number in range(3):
                before = proxy.accepted
                broker.publish(command(number))
                until(lambda before=before: proxy.accepted > before)  # type: ignore[misc]
            served.until(done=3)
            assert gateway.ids() == ["0", "1", "2"]
            assert (served.says("last_problem"), "no connection" in caplog.text) == (None, False)
            served.stop()

    def test_a_wrong_password_is_told_tried_again_and_not_logged(
        self, broker: BrokerUnderTest, serve: Serve, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        served = serve(**broker.wrong_login())
        assert WRONG_LOGIN in served.problem()
        until(lambda: served.says("attempts") >= 2, served.ingress.describe)
        assert not served.says("connected")
        assert SECRET not in caplog.text + str(served.ingress.describe())
        # A broker that is slow to close what it refuses has been connected to for a moment: then it is told anew.
        lines = [line for line in caplog.messages if "no connection" in line or ": connected to" in line]
        told = ["no connection" in line for line in lines]
        assert True in told
        assert all(one is not other for one, other in itertools.pairwise(told))

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"port": 1}, "nobody listens at port 1"),
            ({"host": "no-such-host.invalid"}, "host no-such-host.invalid is not known"),
            ({"ssl": True, "ca_file": "/nowhere/ca.pem"}, "ca_file cannot be used: No such file or directory"),
        ],
    )
    def test_why_there_is_no_connection_is_told(
        self, broker: BrokerUnderTest, serve: Serve, changes: dict[str, Any], problem: str
    ) -> None:
        assert serve(**changes).problem().startswith(problem)

    @pytest.mark.parametrize("which", ["wrong_name", "expired"])
    def test_a_certificate_that_is_not_valid_is_told(
        self, broker: BrokerUnderTest, serve: Serve, authority: Authority, which: str
    ) -> None:
        with show_certificate(getattr(authority, which)()) as port:
            served = serve(port=port, ssl=True, ca_file=str(authority.ca_file))
            assert served.problem().startswith("the server's certificate is not valid for 127.0.0.1: ")
            served.stop()

    def test_tls(self, broker: BrokerUnderTest, serve: Serve, authority: Authority) -> None:
        if not broker.tls_port:
            pytest.skip("this broker speaks no TLS here")
        stranger = serve(name="stranger", port=broker.tls_port, ssl=True)
        assert stranger.problem().startswith("the server's certificate is not valid for 127.0.0.1: ")
        stranger.stop()
        served = serve(port=broker.tls_port, ssl=True, ca_file=str(authority.ca_file)).until(connected=True)
        for number in range(self.ALL):
            broker.publish(command(number, callback_topic=broker.answers, padding="-" * 2000))
        served.until(done=self.ALL, in_flight=0)
        until(lambda: len(broker.answers_published()) == self.ALL)

    # -- the stop ---------------------------------------------------------------------------------------------------

    def test_a_stop_waits_for_what_is_on_its_way_and_answers_it(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway
    ) -> None:
        gateway.hold = gateway.begun = True
        served = serve().until(connected=True)
        broker.publish(command(1, callback_topic=broker.answers))
        until(lambda: gateway.taken)
        served.ingress.stop()
        gateway.release()
        served.stop()
        assert broker.answer_to(1)["data"]["state"] == "sent"
        assert self.still_there(broker, serve) == []

    def test_a_stop_under_load_loses_nothing(
        self, broker: BrokerUnderTest, serve: Serve, gateway: StandInGateway
    ) -> None:
        if not broker.keeps:
            pytest.skip("this broker keeps nothing")
        served = serve().until(connected=True)  # a session, for who needs one
        served.stop()
        for number in range(5 * self.ALL):
            broker.publish(command(number))
        for _ in range(2):
            seen = len(gateway.taken)
            served = serve()
            until(lambda seen=seen: len(gateway.taken) > seen + 20)  # type: ignore[misc]
            served.stop()
        served = serve()
        until(lambda: len(set(gateway.ids())) == 5 * self.ALL, served.ingress.describe)
        served.until(in_flight=0)
        assert len(gateway.taken) == 5 * self.ALL
        served.stop()
        assert self.still_there(broker, serve) == []

    @pytest.mark.parametrize("tls", [False, True])
    def test_a_stop_does_not_wait_for_a_server_that_says_nothing(
        self, broker: BrokerUnderTest, serve: Serve, tls: bool
    ) -> None:
        with hold_silent() as (port, met):
            served = serve(port=port, timeout=300, ssl=tls)
            until(met.is_set)
            began = time.monotonic()
            served.stop()
            assert time.monotonic() - began < 30  # and not 300
