"""Modems that are plugged in and out of a gateway that runs: found by IMEI, told apart, asked who they are."""

import gc
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otppi.api.devices import SerialDevice, UsbMatch
from otppi.api.errors import InvalidSettings, ModemLost, NotSupported, Trouble
from otppi.api.ingress import Origin, Sender
from otppi.api.message import State
from otppi.api.modem import ModemIdentity, ModemState, ModemType
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.modems import devices
from otppi.host.modems.device import Device, Expected, in_order
from otppi.host.modems.devices import DeviceWatch
from otppi.host.parts import registry_of
from otppi.host.records.record import Record
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.host.runtime.supervisor import Supervised
from otppi.kit import threads
from otppi.kit.at.examine import Examined
from otppi.kit.at.modem import AT_SETTINGS, AtModem
from otppi.kit.at.usb import UsbDevice
from otppi.kit.net.back_off import Backoff
from otppi.kit.threads import PromptThread
from otppi.simulator import ModemProfile, ModemRack, PortKind, RackedModem
from otppi.testing.rack.source import RackSource
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE

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


# -- the watch alone --------------------------------------------------------------------------------------------------


class Sockets:
    """A source of devices that a test fills."""

    def __init__(self, *ports: SerialDevice) -> None:
        self.now = list(ports)
        self.failures = 0
        self._changed = threading.Event()
        self._stopped = False

    def put(self, *ports: SerialDevice) -> None:
        self.now = list(ports)
        self._changed.set()

    def ports(self) -> list[SerialDevice]:
        if self.failures:
            self.failures -= 1
            raise OSError("made up")
        return self.now

    def storage(self) -> list[UsbDevice]:
        return []

    def wait(self, timeout: float | None) -> bool:
        changed = self._changed.wait(timeout)
        if not self._stopped:
            self._changed.clear()
        return changed and not self._stopped

    def stop(self) -> None:
        self._stopped = True
        self._changed.set()


def port(number: int, socket: int = 1, interface: int = 0, device_number: int = 1) -> SerialDevice:
    return SerialDevice(
        f"/made-up/ttyUSB{number}",
        f"/made-up/1-{socket}",
        "12d1",
        "1506",
        interface,
        f"/made-up/by-path/{socket}.{interface}",
        "Stick",
        device_number,
    )


class Watch:
    """A watch of such a source; who is asked answers what the test says."""

    def __init__(self, *ports: SerialDevice, **answers: Examined) -> None:
        self.answers = answers
        self.broken: set[str] = set()
        self.asked: list[list[str]] = []
        self.woken: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.source = Sockets(*ports)
        self.watch = DeviceWatch(self.source, (), self._ask)
        self.thread = Supervised("devices", self.watch.run, self.watch.stop)

    def _ask(self, ports: Any, known: int) -> Examined:
        names = [Path(one).name for one in ports]
        self.asked.append(names)
        assert self.gate.wait(PATIENCE)
        if self.broken.intersection(names):
            raise ValueError("it says what nobody expects")
        return next((self.answers[name] for name in names if name in self.answers), Examined(problem="silent"))

    def expect(self, **modems: tuple[str, str]) -> None:
        self.watch.expect(
            {name: Expected(*known, lambda name=name: self.woken.append(name)) for name, known in modems.items()}  # type: ignore[misc]
        )


@pytest.fixture
def watching() -> Iterator[Callable[..., Watch]]:
    made: list[Watch] = []

    def make(*ports: SerialDevice, **answers: Examined) -> Watch:
        made.append(Watch(*ports, **answers))
        made[-1].watch.refresh()
        made[-1].thread.start()
        return made[-1]

    yield make
    for one in made:
        one.gate.set()
        one.thread.stop()
        one.watch.close()
        assert one.thread.join(PATIENCE)


def is_(imei: str, number: int) -> Examined:
    return Examined(f"/made-up/ttyUSB{number}", ModemIdentity(imei=imei))


def test_a_stranger_is_asked_once_when_all_its_ports_are_there(watching: Any) -> None:
    one = watching(port(0), ttyUSB0=is_(A, 0))
    one.source.put(port(0), port(1, interface=1))
    until(lambda: one.asked and one.watch.devices()[0].examined)
    assert one.asked == [["ttyUSB0", "ttyUSB1"]]
    assert one.watch.locate("m1", A, "") == "/made-up/ttyUSB0"
    one.watch.release("m1")
    assert one.asked == [["ttyUSB0", "ttyUSB1"]]


def test_a_stranger_is_asked_later_where_no_thread_starts(watching: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was taken for one that is being asked, for ever; and the change of a setting failed halfway."""
    monkeypatch.setattr(devices, "_NO_THREAD_PAUSE", 0.05)
    one = watching(ttyUSB0=is_(A, 0))
    start, refused = threading.Thread.start, threading.Event()

    def cannot_start(thread: threading.Thread) -> None:
        if not thread.name.startswith("device-asker"):
            start(thread)
            return
        refused.set()
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", cannot_start)
        one.source.put(port(0))
        assert refused.wait(PATIENCE)
        one.expect()
    until(lambda: one.asked and one.watch.devices()[0].examined)


def test_a_thread_that_never_begins_holds_up_nobody(watching: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 9, E20: where memory is short a start can hang for good, here with the lock that each modem needs."""
    monkeypatch.setattr(devices, "_NO_THREAD_PAUSE", 0.05)
    monkeypatch.setattr(threads, "BEGIN_WITHIN", 0.05)
    monkeypatch.setattr(devices, "BEGIN_WITHIN", 0.05)
    lost = threading.Event()

    class FirstIsStillborn(PromptThread):
        def _bootstrap(self) -> None:
            if lost.is_set():
                super()._bootstrap()  # type: ignore[misc]  # typeshed does not know it
                return
            del threading._limbo[self]  # type: ignore[attr-defined]  # else the fixtures take it for a left-over
            lost.set()

    monkeypatch.setattr(devices, "PromptThread", FirstIsStillborn)
    one = watching(ttyUSB0=is_(A, 0))
    one.source.put(port(0))
    assert lost.wait(PATIENCE)
    until(lambda: one.watch.devices()[0].examined)
    assert one.asked == [["ttyUSB0"]]


def test_a_modem_that_is_missing_is_woken_when_it_was_found(watching: Any) -> None:
    one = watching(ttyUSB7=is_(A, 7))
    one.expect(m1=(A, "/made-up/ttyUSB0"), m2=(B, "/made-up/ttyUSB1"))
    with pytest.raises(ModemLost, match=f"no modem with the IMEI {A} is here") as caught:
        one.watch.locate("m1", A, "/made-up/ttyUSB0")
    assert caught.value.trouble is Trouble.ABSENT
    one.source.put(port(7))
    until(lambda: one.woken == ["m1"])


def test_a_modem_at_its_port_is_not_asked_by_anybody_else(watching: Any) -> None:
    one = watching(port(0), port(1, socket=2), ttyUSB0=is_(A, 0))
    one.expect(m1=(A, "/made-up/ttyUSB0"))
    assert one.watch.locate("m1", A, "/made-up/ttyUSB0") == "/made-up/ttyUSB0"
    until(lambda: one.asked == [["ttyUSB1"]])
    with pytest.raises(ModemLost, match="/made-up/ttyUSB0 is used by modem m1"):
        one.watch.locate("m2", "", "/made-up/ttyUSB0")


def test_while_a_device_is_asked_nobody_gets_it(watching: Any) -> None:
    one = watching(port(0), ttyUSB0=is_(A, 0))
    one.gate.clear()
    until(lambda: one.asked)
    one.expect(m1=(A, ""))
    with pytest.raises(ModemLost, match="is being asked who it is"):
        one.watch.locate("m1", "", "/made-up/ttyUSB0")
    one.gate.set()
    until(lambda: one.woken == ["m1"])


def test_the_right_owner_is_woken_by_the_one_that_was_there_by_mistake(watching: Any) -> None:
    one = watching(port(0), port(1, socket=2))
    one.expect(m1=(A, "/made-up/ttyUSB0"), m2=(B, "/made-up/ttyUSB1"))
    assert one.watch.locate("m1", A, "/made-up/ttyUSB0") == "/made-up/ttyUSB0"
    one.watch.identified("m1", B)
    one.watch.release("m1")
    assert one.woken == ["m2"]
    assert one.watch.locate("m2", B, "/made-up/ttyUSB1") == "/made-up/ttyUSB0"
    one.watch.release("m2")
    one.watch.release("m2")


def test_where_the_port_that_is_set_is_silent_the_others_are_asked(watching: Any) -> None:
    ports = [port(number, interface=number) for number in range(3)]
    one = watching(*ports, ttyUSB2=is_(A, 2))
    one.expect(m1=(A, "/made-up/ttyUSB1"))
    assert one.watch.locate("m1", A, "/made-up/ttyUSB1") == "/made-up/ttyUSB1"
    one.watch.release("m1")  # it did not learn who is there
    until(lambda: one.woken == ["m1"])
    assert one.watch.locate("m1", A, "/made-up/ttyUSB1") == "/made-up/ttyUSB2"


def test_a_modem_is_looked_for_first_in_the_socket_where_it_was(watching: Any) -> None:
    one = watching(port(0))
    one.expect(m1=(A, "/made-up/ttyUSB0"))
    one.watch.locate("m1", A, "/made-up/ttyUSB0")
    one.watch.identified("m1", A)
    one.source.put()
    until(lambda: not one.watch.devices())
    one.source.put(port(5, device_number=2), port(0, socket=2))
    until(lambda: one.woken)
    assert one.watch.locate("m1", A, "/made-up/ttyUSB0") == "/made-up/ttyUSB5"


def test_clones_without_a_port_that_is_set_are_not_guessed(watching: Any) -> None:
    one = watching(port(0), port(1, socket=2), ttyUSB0=is_(A, 0), ttyUSB1=is_(A, 1))
    one.expect(m1=(A, ""), m2=(A, "/made-up/by-path/2.0"))
    until(lambda: one.watch.devices()[0].examined)
    with pytest.raises(ModemLost):
        one.watch.locate("m1", A, "")
    assert one.watch.locate("m2", A, "/made-up/by-path/2.0") == "/made-up/ttyUSB1"


def test_a_port_that_is_not_hot_plugged_is_left_to_its_setting(watching: Any) -> None:
    one = watching(port(0))
    assert one.watch.locate("m1", A, "/dev/null") == "/dev/null"
    assert one.watch.locate("m2", "", "/dev/ttyAMA0") == "/dev/ttyAMA0"


def test_a_device_that_fails_to_be_asked_does_not_stop_the_others(watching: Any, caplog: Any) -> None:
    one = watching()
    one.broken.add("ttyUSB0")
    one.answers["ttyUSB1"] = is_(A, 1)
    one.source.put(port(0), port(1, socket=2))
    until(lambda: len(one.watch.devices()) == 2 and all(device.examined for device in one.watch.devices()))
    assert {device.examined.problem for device in one.watch.devices()} == {"asking it failed (ValueError)", ""}
    assert "could not be asked who it is" in caplog.text


def test_the_watch_survives_a_failure(watching: Any, caplog: pytest.LogCaptureFixture) -> None:
    one = watching()
    one.source.failures = 1
    one.source.put(port(0))
    until(lambda: one.watch.devices(), "it was started again")
    assert one.thread.supervision.failures == 1
    assert one.watch.ports() == [port(0)]


def test_ports_that_a_plugin_knows_come_first() -> None:
    device = Device(tuple(port(number, interface=number) for number in range(4)))
    order, known = in_order(device, [UsbMatch("12d1", at_interfaces=(0,)), UsbMatch("12d1", "1506", (2, 1))])
    assert [one.interface for one in order] == [2, 1, 0, 3]
    assert known == 2


def test_a_port_without_a_link_is_not_that_of_a_modem_without_a_port() -> None:
    device = Device((replace(port(0), by_path=""),))
    assert device.named("") is None
    assert device.named("/made-up/ttyUSB0") == device.ports[0]


def test_a_link_that_goes_while_it_is_followed_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(path: str) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr("os.path.realpath", gone)
    assert Device((port(0),)).named("/made-up/by-id/stick") is None
