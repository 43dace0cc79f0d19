"""The watch over devices alone: who is asked, who gets a port, and who is woken."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otppi.api.devices import SerialDevice, UsbMatch
from otppi.api.errors import ModemLost, Trouble
from otppi.api.modem import ModemIdentity
from otppi.host.modems import devices
from otppi.host.modems.device import Device, Expected, in_order
from otppi.host.modems.devices import DeviceWatch
from otppi.host.runtime.supervisor import Supervised
from otppi.kit import threads
from otppi.kit.at.examine import Examined
from otppi.kit.at.usb import UsbDevice
from otppi.kit.threads import PromptThread
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE

A, B = "350000000000010", "350000000000028"


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
