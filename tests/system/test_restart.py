"""The gateway begins anew when it is asked to: as the same process, with what was set since, and what waited."""

import http.client
import json
from collections.abc import Callable

from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.ports import free_port
from otppi.testing.waiting import PATIENCE, until
from tests.system.conftest import Gateway, modem


def test_a_restart_loses_nothing_and_keeps_the_pages_port_open(start: Callable[..., Gateway]) -> None:
    page_port = free_port()
    pages = {"enable": True, "port": page_port, "bind_address": "127.0.0.1"}
    with ModemRack(profile=ModemProfile(network_time=0.5)) as rack:
        gateway = start([modem(rack.paths[0])], administration=pages).until_ready()
        assert gateway.process is not None
        until(lambda: f"listens on port {page_port}" in gateway.log.read_text(), what="the pages are served")
        # What it was provisioned with is not to come back.
        assert gateway.cli("settings", "set", "modems.m0.daily_quota", "500").returncode == 0
        ids = []
        with gateway.client() as client:
            for number in range(4):
                status, answer = client.send(number, f"08126666{number:04}", "a text", "?wait=0")
                assert status == 202, answer
                ids.append(answer["data"]["message_id"])
        rack.network.wait_for(1)
        assert gateway.cli("restart").stdout == "the gateway restarts; queued messages stay\n"
        # Nobody is refused meanwhile: whoever asks waits.
        asking = http.client.HTTPConnection("127.0.0.1", page_port, timeout=PATIENCE)
        asking.request("GET", "/login")
        assert asking.getresponse().status == 303, "nobody has claimed it"
        asking.close()
        assert gateway.process.poll() is None
        rack.network.wait_for(4)
        assert sorted(one.destination for one in rack.network.messages) == [f"628126666{n:04}" for n in range(4)]
        gateway.until_ready()
        with gateway.client() as client:
            until(lambda: {client.message(one)["state"] for one in ids} <= {"sent", "delivered"}, "all are sent")
        [kept] = json.loads(gateway.cli("settings", "show", "--json").stdout)["modems"]
        assert kept["daily_quota"] == 500
        assert gateway.stop() == 0
        assert gateway.log.read_text().count("the gateway runs (process") == 2
