"""Modems that come, go and change places, with a gateway and a rack of USB modems; and new ones."""

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otppi.api.devices import UsbMatch
from otppi.api.errors import InvalidSettings, NotSupported
from otppi.api.ingress import Origin, Sender
from otppi.api.message import State
from otppi.api.modem import ModemState, ModemType
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.host.records.record import Record
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.kit.at.modem import AT_SETTINGS, AtModem
from otppi.kit.net.back_off import Backoff
from otppi.simulator import ModemProfile, ModemRack, PortKind, RackedModem
from otppi.testing.rack.source import RackSource
from otppi.testing.scripted import until

STICK = (PortKind.DIAG, PortKind.AT, PortKind.AT_URC)
A, B = "350000000000010", "350000000000028"


# -- a gateway with a rack of USB modems ------------------------------------------------------------------------------


class Bench:
    """A gateway whose USB sockets are a rack's."""

    def __init__(self, folder: Path, rack: ModemRack) -> None:
        self.rack = rack
        plugins = load_plugins(())
        plugins.modem_types["at"] = ModemType("at", "AT modem", "For tests.", AtModem, settings=AT_SETTINGS)
        self.data = DataFolder(folder / "data", plugins=plugins)
        (folder / "boot").mkdir(mode=0o700)
        self.host = Host(self.data, folder / "boot", RackSource(rack))

    def start(self, *modems: dict[str, Any]) -> None:
        self.use(*modems)
        self.host.start()

    def use(self, *modems: dict[str, Any]) -> None:
        timeouts = {"type": "at", "prompt_timeout": 2.0, "result_timeout": 2.0}
        self.data.config.update({"modems": [timeouts | modem for modem in modems]})

    def status(self, name: str) -> tuple[ModemState, str]:
        worker = next(one for one in self.host.dispatch.workers() if one.name == name)
        return worker.status.state, worker.status.detail

    def until_ready(self, *names: str) -> None:
        for name in names:
            until(lambda: self.status(name)[0] is ModemState.READY, f"{name} is ready")  # noqa: B023 - waited for here

    def look_rarely(self, modem: str) -> None:
        """Let a modem that is away look for its port every few minutes of its own accord."""
        worker: Any = next(one for one in self.host.dispatch.workers() if one.name == modem)
        worker._backoff = Backoff(600.0, 600.0)

    def send(self, modem: str) -> str:
        """Send by a modem; give the name of the one in the rack by which it went out."""
        before = self.rack.network.message_count
        record = Record.of(
            Origin("test", Sender("a test")), None, "6281234567890", f"by {modem}", time.time() + 60, only=modem
        )
        self.host.dispatch.enqueue(record)
        self.host.dispatch.wait(record, 30)
        assert record.state is State.SENT, record.cause
        return self.rack.network.messages[before].modem


@pytest.fixture
def bench(tmp_path: Path, no_leaks: None) -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make(*modems: dict[str, Any], profiles: Any = None) -> Bench:
        profiles = profiles or [ModemProfile(name="one", imei=A), ModemProfile(name="two", imei=B)]
        benches.append(Bench(tmp_path, ModemRack(profiles=profiles, usb=True)))
        benches[-1].start(*modems)
        return benches[-1]

    yield make
    while benches:
        last = benches.pop()
        last.host.stop()
        last.rack.close()
    del last
    gc.collect()  # a driver's wake-up goes with it


def port_of(modem: RackedModem) -> str:
    return str(modem.path)


def test_a_modem_that_comes_back_under_another_number_sends_again(bench: Any) -> None:
    gateway = bench({"name": "m1", "imei": A}, {"name": "m2", "imei": B})
    one, _ = gateway.rack.modems
    gateway.until_ready("m1", "m2")
    assert gateway.send("m1") == "one"
    before = one.path
    one.inject("other-numbers")
    gateway.look_rarely("m1")
    one.unplug()
    until(lambda: gateway.status("m1")[0] is ModemState.RECOVERING)
    one.replug()
    assert one.path != before
    assert gateway.send("m1") == "one", "it was told that the modem is there: it would have looked much later"


def test_modems_that_change_places_keep_their_sims(bench: Any) -> None:
    rack_profiles = [ModemProfile(name="one", imei=A), ModemProfile(name="two", imei=B)]
    gateway = bench(profiles=rack_profiles)
    one, two = gateway.rack.modems
    gateway.use({"name": "m1", "imei": A, "port": port_of(one)}, {"name": "m2", "imei": B, "port": port_of(two)})
    gateway.host.apply(["modems"])
    gateway.until_ready("m1", "m2")
    ports = port_of(one), port_of(two)
    gateway.rack.swap(one, two)
    assert (port_of(two), port_of(one)) == ports
    assert [gateway.send("m1"), gateway.send("m2")] == ["one", "two"]


def test_a_pin_is_not_given_to_another_modems_sim(bench: Any) -> None:
    profiles = [ModemProfile(name="one", imei=A, pin="1111"), ModemProfile(name="two", imei=B, pin="2222")]
    gateway = bench(profiles=profiles)
    one, two = gateway.rack.modems
    gateway.use(
        {"name": "m1", "imei": A, "port": port_of(two), "sim_card_pin": "1111"},
        {"name": "m2", "imei": B, "port": port_of(one), "sim_card_pin": "2222"},
    )
    gateway.host.apply(["modems"])
    gateway.until_ready("m1", "m2")
    assert [gateway.send("m1"), gateway.send("m2")] == ["one", "two"]
    assert [one._peer.sim.pin_tries, two._peer.sim.pin_tries] == [3, 3]


def test_another_modem_in_its_place_is_named(bench: Any) -> None:
    gateway = bench(profiles=[ModemProfile(name="one", imei=A)])
    (one,) = gateway.rack.modems
    gateway.use({"name": "m2", "imei": B, "port": port_of(one)})
    gateway.host.apply(["modems"])
    until(lambda: A in gateway.status("m2")[1])
    assert B in gateway.status("m2")[1]
    until(lambda: gateway.host.devices.devices()[0].examined, "the stranger is asked who it is")
    assert gateway.host.devices.devices()[0].examined.identity.imei == A


def test_a_modem_without_imei_comes_back_under_another_number(bench: Any) -> None:
    gateway = bench()
    one, _ = gateway.rack.modems
    gateway.use({"name": "m1", "port": port_of(one)})
    gateway.host.apply(["modems"])
    gateway.until_ready("m1")
    one.inject("other-numbers")
    one.unplug()
    until(lambda: gateway.status("m1")[0] is ModemState.RECOVERING)
    one.replug()
    assert gateway.send("m1") == "one"


def test_of_several_ports_the_one_that_speaks_is_used(bench: Any) -> None:
    profile = ModemProfile(name="one", imei=A, ports=STICK, chatter=("^RSSI: 20",), chatter_interval=0.05)
    gateway = bench({"name": "m1", "imei": A}, profiles=[profile])
    (one,) = gateway.rack.modems
    gateway.until_ready("m1")
    (device,) = gateway.host.devices.devices()
    assert device.port == port_of(one) == str(one.ports[2])
    assert gateway.send("m1") == "one"


def test_clones_are_told_apart_by_their_sockets(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    gateway = bench(profiles=[ModemProfile(name="one", imei=A), ModemProfile(name="two", imei=A)])
    one, two = gateway.rack.modems
    by_path = {port.path: port.by_path for port in gateway.host.devices.ports()}
    gateway.use(
        {"name": "m2", "imei": A, "port": by_path[port_of(two)]},
        {"name": "m1", "imei": A, "port": by_path[port_of(one)]},
    )
    gateway.host.apply(["modems"])
    gateway.until_ready("m1", "m2")
    assert [gateway.send("m1"), gateway.send("m2")] == ["one", "two"]
    one.unplug()
    two.inject("other-numbers")
    two.unplug()
    two.replug()
    one.replug()
    assert [gateway.send("m1"), gateway.send("m2")] == ["one", "two"]
    assert any("same IMEI" in record.message for record in caplog.records)


def test_a_modem_that_tells_no_imei_is_believed_at_its_port(bench: Any) -> None:
    gateway = bench()
    one, _ = gateway.rack.modems
    one.inject("imei-missing")
    gateway.use({"name": "m1", "imei": A, "port": port_of(one)})
    gateway.host.apply(["modems"])
    gateway.until_ready("m1")
    assert gateway.send("m1") == "one"


def test_a_port_that_another_program_holds(bench: Any) -> None:
    gateway = bench()
    one, _ = gateway.rack.modems
    one.inject("port-held")
    one.unplug()
    one.replug()
    gateway.use({"name": "m1", "imei": A, "port": port_of(one)})
    gateway.host.apply(["modems"])
    until(lambda: gateway.status("m1")[0] is ModemState.BLOCKED)
    assert "ModemManager (" in gateway.status("m1")[1]
    assert "hot-plug.md" in gateway.status("m1")[1]
    one.heal("port-held")
    gateway.until_ready("m1")
    assert gateway.send("m1") == "one"


# -- new modems -------------------------------------------------------------------------------------------------------


def rows(gateway: Bench) -> dict[str, dict[str, Any]]:
    """What is plugged in, by the name of the modem in the rack."""
    names = {modem.profile.imei: modem.profile.name for modem in gateway.rack.modems}
    found = registry_of(gateway.data, gateway.host).call("devices", {}, COMMAND_LINE)
    return {names.get(row["imei"], row["product"]): row for row in found}


def test_a_new_modem_is_seen_and_adopted_while_the_gateway_runs(bench: Any) -> None:
    gateway = bench({"name": "m1", "imei": A})
    two = gateway.rack.modems[1]
    two.unplug()
    gateway.until_ready("m1")
    assert rows(gateway)["one"]["state"] == "used"
    two.replug()
    until(lambda: rows(gateway).get("two", {}).get("state") == "new")
    row = rows(gateway)["two"]
    assert (row["port"], row["ports"], row["type"], row["sim"]) == (port_of(two), [port_of(two)], "at", "READY")
    assert (row["operator"], row["imsi"]) == ("Simulated", two.profile.imsi)
    assert row["detail"] == f"otppi modem adopt {B} --name NAME"
    operations = registry_of(gateway.data, gateway.host)
    adopted = operations.call("device_adopt", {"device": B, "name": "m2", "default": True}, COMMAND_LINE)
    assert (adopted["port"], adopted["imei"], adopted["default_modem"]) == (row["by_path"], B, True)
    assert gateway.send("m2") == "two"
    assert gateway.send("m1") == "one"
    assert (rows(gateway)["two"]["state"], rows(gateway)["two"]["modem"]) == ("used", "m2")


def test_what_cannot_be_adopted(bench: Any) -> None:
    gateway = bench({"name": "m1", "imei": A}, {"name": "m3", "imei": B, "active": False})
    operations = registry_of(gateway.data, gateway.host)
    gateway.until_ready("m1")
    until(lambda: rows(gateway).get("two", {}).get("state") == "new")
    for device, name, reasons in (
        (A, "m2", ["is modem m1 already"]),
        (B, "m2", ["is modem m3 already, which is not active"]),
        (B, "m1", ["is modem m3 already, which is not active", "is used already"]),
        ("", "m2", ["is required"]),
        ("/dev/nowhere", "m2", ["there is none with this IMEI or port (otppi modem discover lists them)"]),
    ):
        with pytest.raises(InvalidSettings) as caught:
            operations.call("device_adopt", {"device": device, "name": name}, COMMAND_LINE)
        assert [problem.reason for problem in caught.value.problems] == reasons


def test_a_modem_that_is_not_pinned_to_its_imei_can_be(bench: Any) -> None:
    gateway = bench()
    one, _ = gateway.rack.modems
    gateway.use({"name": "m1", "port": port_of(one)})
    gateway.host.apply(["modems"])
    gateway.until_ready("m1")
    assert rows(gateway)["one"]["detail"] == f"to find it in any socket: otppi settings set modems.m1.imei {A}"


def test_a_stick_in_cd_rom_mode_is_shown_and_becomes_a_modem(bench: Any) -> None:
    gateway = bench(profiles=[ModemProfile(name="one", imei=A, model="Stick", usb_ids=("12d1", "1f01"))])
    (one,) = gateway.rack.modems
    one.inject("cd-rom")
    one.unplug()
    one.replug()
    until(lambda: rows(gateway).get("Stick", {}).get("state") == "cd-rom")
    assert rows(gateway)["Stick"]["ports"] == []
    assert "usb_modeswitch" in rows(gateway)["Stick"]["detail"]
    one.switch_mode()
    until(lambda: rows(gateway).get("one", {}).get("state") == "new")


def test_a_new_modem_that_another_program_holds_is_shown_with_its_holder(bench: Any) -> None:
    gateway = bench(profiles=[ModemProfile(name="one", model="Stick")])
    (one,) = gateway.rack.modems
    one.inject("port-held")
    one.unplug()
    one.replug()
    until(lambda: rows(gateway).get("Stick", {}).get("state") == "held")
    (holder,) = rows(gateway)["Stick"]["held_by"]
    assert holder.startswith("ModemManager (")
    assert "hot-plug.md" in rows(gateway)["Stick"]["detail"]


def test_the_type_is_that_of_the_usb_ids(bench: Any) -> None:
    gateway = bench(profiles=[ModemProfile(name="one", imei=A, usb_ids=("12d1", "1506"))])
    types = gateway.data.plugins.modem_types
    types["maker"] = replace(types["at"], key="maker", usb=(UsbMatch("12d1"),))
    types["model"] = replace(types["at"], key="model", usb=(UsbMatch("12d1", "1506"),))
    until(lambda: rows(gateway).get("one", {}).get("type") == "model")


def test_without_a_source_there_is_nothing_to_list(host: Host) -> None:
    with pytest.raises(NotSupported, match="no udev"):
        registry_of(host.data, host).call("devices", {}, COMMAND_LINE)
