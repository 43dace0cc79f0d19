"""Alarms of a gateway with modems on real ptys and a real broker: the modem is unplugged, the broker refuses.

Only the alarms' own clock is turned by the test, so that ten minutes take none.
"""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.host.alarms.service import Alarms
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.simulator import ModemRack
from otppi.testing.brokers.mosquitto import Mosquitto
from otppi.testing.waiting import until
from tests.system.conftest import modem

ADMINISTRATOR = {"username": "adi", "password": "kursi hijau di teras", "role": "administrator", "language": "id"}
PHONE = "628126666666"


class Watching:
    """A gateway in this process, whose alarms go by the time that the test says it is."""

    def __init__(self, folder: Path, document: dict[str, Any]) -> None:
        self.folder = folder
        self.now = 0.0
        (folder / "boot").mkdir(mode=0o700, parents=True, exist_ok=True)
        data = DataFolder(folder / "data", plugins=load_plugins())
        data.config.provision(document)
        self.host = Host(data, folder / "boot")
        self.host.alarms = Alarms(
            data.config,
            self.host._watched(),
            self.host.gateway.send_by_hand,
            self.host.webhook,
            data.path / "alarms",
            clock=lambda: self.now,
        )
        self.host.start()
        self.host.alarms.start()

    def raised(self) -> set[tuple[str, str]]:
        told = registry_of(self.host.data, self.host).call("alarms", {}, COMMAND_LINE)
        return {(one["condition"], one["subject"]) for one in told["raised"]}

    def watch(self, minutes: float) -> None:
        for _ in range(int(4 * minutes)):
            self.now += 15
            self.host.alarms.look_now()
            if self.host.alarms._thread is not None:
                self.host.alarms._thread.end(60)

    def close(self) -> None:
        self.host.alarms.stop()
        self.host.alarms.close()
        self.host.stop()


@pytest.fixture
def rack() -> Iterator[ModemRack]:
    with ModemRack(2) as one:
        yield one


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    with Mosquitto(folder, users={"gateway": "the right password"}) as one:
        yield one


def test_an_unplugged_modem_and_a_refusing_broker(rack: ModemRack, broker: Mosquitto, tmp_path: Path) -> None:
    login = {"username": "gateway", "password": "a wrong password"}
    mqtt = {"enable": True, "host": "127.0.0.1", "port": broker.port, "topic": "otp", "client_id": "g"}
    document = {
        "modems": [modem(path, f"m{number}", default_modem=False) for number, path in enumerate(rack.paths)],
        "administrators": [{**ADMINISTRATOR, "phone": PHONE}],
        "administration": {"enable": False},
        "ingress-rest": {"http_enable": False, "https_enable": False},
        "ingress-mqtt": mqtt | login,
        "alarms": {"sms": True, "modem_minutes": 10, "ingress_minutes": 5},
    }
    threads = set(threading.enumerate())
    here = Watching(tmp_path / "gateway", document)
    try:
        until(lambda: here.host.gateway.health()["status"] == "ok", "both modems are ready")
        until(lambda: any(one.get("last_problem") for one in here.host.ingresses.describe()), "the broker has refused")
        rack.modems[0].unplug()
        until(lambda: "m0" in here.host.alarms.lost_modems(), "it is missed")
        here.watch(6)
        (told,) = rack.network.wait_for(1)
        assert told.text.endswith("menolak username atau password.")
        here.watch(5)
        told = rack.network.wait_for(2)[-1]
        assert told.destination == PHONE
        assert re.search(r": Modem m0 tidak mengirim: (sedang dipulihkan|tidak terpasang)\.$", told.text)
        assert "password" not in told.text
        assert here.raised() == {("modem", "m0"), ("ingress", "ingress-mqtt")}
        here.watch(120)
    finally:
        here.close()

    here = Watching(tmp_path / "gateway", document)
    try:
        until(lambda: any(one.get("last_problem") for one in here.host.ingresses.describe()), "the broker has refused")
        until(lambda: here.host.alarms.lost_modems() == {"m0"}, "the other one is ready")
        here.watch(60)
        assert here.raised() == {("modem", "m0"), ("ingress", "ingress-mqtt")}
        assert rack.network.message_count == 2
        rack.modems[0].replug()
        until(lambda: not here.host.alarms.lost_modems(), "it is back")
        here.watch(2)
        assert rack.network.wait_for(3)[-1].text.endswith("Modem m0 mengirim lagi.")
        assert here.raised() == {("ingress", "ingress-mqtt")}
    finally:
        here.close()
    until(lambda: set(threading.enumerate()) <= threads, "all threads have ended")
