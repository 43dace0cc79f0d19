"""A service of a plugin: made on its own thread, told of settings and events, made anew where it fails, and shown."""

import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings
from otppi.api.events import BalanceLow
from otppi.api.services import ListeningPort, Service, ServiceContext, ServiceType
from otppi.host.runtime import supervisor
from otppi.host.runtime.events import EventBus
from otppi.host.runtime.plugin_services import PluginService
from otppi.host.runtime.services import Services
from otppi.kit.net.back_off import Backoff
from otppi.testing.waiting import until
from otppi.wire.errors import FieldError


class Plugin(Service):
    """Notes what is asked of it; listens to balances."""

    def __init__(self, context: ServiceContext, told: list[str]) -> None:
        self.told = told
        self.heard: list[BalanceLow] = []
        self.context = context
        self.stopped = threading.Event()
        context.events.subscribe(BalanceLow, self.heard.append)
        told.append(f"made with {context.settings('own')}")

    def start(self) -> None:
        self.told.append("start")

    def configure(self, changed: Collection[str]) -> None:
        self.told.append(f"configure {'+'.join(changed)} {self.context.settings('own')}")

    def stop(self) -> None:
        self.told.append("stop")
        self.stopped.set()

    def close(self) -> None:
        self.told.append("close")

    def describe(self) -> dict[str, Any]:
        return {"lamp": "on"}

    def warnings(self) -> list[str]:
        return ["it flickers"]

    def problems(self) -> list[str]:
        return ["it is broken"]

    def samples(self) -> dict[str, dict[str, float]]:
        return {"messages_total": {"": 1.0}}


class Running(Plugin):
    """One with a thread that fails when a test says so."""

    fails: BaseException | None = None

    def run(self) -> None:
        self.told.append("run")
        if self.fails is not None:
            raise self.fails
        self.stopped.wait()


class Bench:
    """The services of a gateway with one plugin."""

    def __init__(self, folder: Path) -> None:
        self.events = EventBus()
        self.values = {"own": 1, "other": 2}
        self.told: list[str] = []
        self.made: list[Plugin] = []
        self.kind: type[Plugin] = Running
        self.making: Callable[[], None] = lambda: None
        declared = ServiceType("lamp-1", "Lamp", "Shines.", self._create, ("own",))
        (folder / "run").mkdir()
        self.listening = [ListeningPort("own", "port", 8080)]
        self.plugin = PluginService(
            declared, self.events, self.values.__getitem__, folder, folder / "run", lambda: self.listening
        )
        self.services = Services([self.plugin], self.events, 60.0)

    def _create(self, context: ServiceContext) -> Service:
        self.made.append(self.kind(context, self.told))
        self.making()
        return self.made[-1]

    def change(self, value: int) -> None:
        self.values["own"] = value
        self.services.configure(["own"])

    @property
    def described(self) -> dict[str, Any]:
        return self.services.describe()["service lamp-1"]

    def low(self) -> BalanceLow:
        event = BalanceLow("m0", 1.0, 2.0)
        self.events.publish(event)
        return event


@pytest.fixture
def bench(tmp_path: Path, no_leaks: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(supervisor, "Backoff", lambda *_: Backoff(0.001, 0.002))
    made = Bench(tmp_path)
    yield made
    made.services.stop()


@pytest.mark.parametrize("kind", [Plugin, Running])
def test_it_lives_as_long_as_the_gateway(bench: Bench, kind: type[Plugin], tmp_path: Path) -> None:
    bench.kind = kind
    bench.services.start()
    until(lambda: bench.described["about"] == {"lamp": "on"})
    assert (bench.described["state"], bench.described["failures"]) == ("running", 0)
    assert bench.services.warnings() == ["service lamp-1: it flickers"]
    assert bench.services.problems() == ["service lamp-1: it is broken"]
    assert bench.services.samples() == {"lamp_1_messages_total": {"": 1.0}}
    assert bench.made[0].context.folder == tmp_path / "service-lamp-1"
    assert bench.made[0].context.folder.stat().st_mode & 0o777 == 0o700
    assert bench.made[0].context.boot_folder == tmp_path / "run/service-lamp-1"
    assert bench.made[0].context.boot_folder.stat().st_mode & 0o777 == 0o700
    assert bench.made[0].context.listening() == [ListeningPort("own", "port", 8080)]
    event = bench.low()
    assert bench.made[0].heard == [event]
    bench.change(3)
    bench.services.configure(["other"])
    if kind is Running:
        until(lambda: "run" in bench.told)
        bench.told.remove("run")
    bench.services.stop()
    assert bench.told == ["made with 1", "start", "configure own 3", "stop", "close"]
    bench.low()
    assert bench.made[0].heard == [event]


def test_it_reads_no_section_but_those_that_it_names(bench: Bench) -> None:
    bench.services.start()
    until(lambda: bench.described["about"] == {"lamp": "on"})
    with pytest.raises(LookupError, match="'other'"):
        bench.made[0].context.settings("other")


@pytest.mark.parametrize("where", ["run", "start", "create"])
def test_one_that_fails_is_told_and_made_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    mended = threading.Event()

    def fail(*_: object) -> None:
        if not mended.is_set():
            raise ZeroDivisionError("a bug")
        if where == "run":
            bench.made[-1].stopped.wait()

    if where == "create":
        bench.making = fail
    else:
        monkeypatch.setattr(Running, where, fail)
    bench.services.start()
    until(lambda: len(bench.made) > 2)
    until(lambda: any("failed, and is waiting to be started again" in one for one in bench.services.warnings()))
    assert "service lamp-1 failed; it will be started again" in caplog.text
    mended.set()
    until(lambda: bench.described["about"] == {"lamp": "on"})
    event = bench.low()
    assert bench.made[-1].heard == [event]
    assert not any(one.heard for one in bench.made[:-1]), "nobody is told whose run is over"


def test_one_that_cannot_use_its_settings_is_blocked_until_they_are_changed(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        if bench.values["own"] == 1:
            raise InvalidSettings([FieldError("own.file", "there is no such lamp")])

    bench.making = refuse
    bench.services.start()
    until(lambda: bench.described["state"] == "blocked until its settings are changed")
    (warning,) = bench.services.warnings()
    assert warning == "service lamp-1 is blocked until its settings are changed: own.file: there is no such lamp"
    assert caplog.text.count("own.file") == 1
    assert len(bench.made) == 1
    bench.change(2)
    until(lambda: bench.described["about"] == {"lamp": "on"})
    assert len(bench.made) == 2


def test_a_change_while_it_is_made_is_told_when_it_has_started(bench: Bench) -> None:
    bench.making = lambda: bench.change(7)
    bench.services.start()
    until(lambda: "run" in bench.told)
    assert bench.told == ["made with 1", "start", "configure own 7", "run"]


def test_one_that_is_stopped_while_it_is_made_does_not_run(bench: Bench) -> None:
    going_on, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        going_on.set()
        may_end.wait()

    bench.making = hold
    bench.services.start()
    going_on.wait()
    bench.plugin.stop()
    may_end.set()
    bench.services.stop()
    assert bench.told == ["made with 1", "start", "stop", "close"]


def test_what_is_no_service_is_told(bench: Bench, tmp_path: Path) -> None:
    declared = ServiceType("none", "None", "Is none.", lambda _: object(), ())  # type: ignore[arg-type,return-value]  # a stranger's
    plugin = PluginService(declared, bench.events, bench.values.__getitem__, tmp_path, tmp_path, list)
    with pytest.raises(TypeError, match="service none is a object, and not a Service"):
        plugin.run()


@pytest.mark.parametrize("key", ["", "Lamp", "a b", "../x", "1st"])
def test_a_key_is_a_name(key: str) -> None:
    with pytest.raises(ValueError, match="is not named by"):
        ServiceType(key, "Lamp", "Shines.", lambda _: Service())


def test_a_person_stops_it_and_starts_it_again(bench: Bench) -> None:
    bench.services.start()
    until(lambda: "run" in bench.told)
    bench.services.switch_off("service:lamp-1")
    [switch] = bench.services.switches()
    assert (switch.key, switch.title, switch.state, switch.stopped) == ("service:lamp-1", "Lamp", "stopped", True)
    assert bench.told[-2:] == ["stop", "close"]
    bench.change(3)
    bench.services.switch_on("service:lamp-1")
    until(lambda: len(bench.made) == 2)
    until(lambda: bench.told[-1] == "run")
    assert "made with 3" in bench.told
    assert [one.state for one in bench.services.switches()] == ["running"]
    with pytest.raises(LookupError):
        bench.services.switch_off("service:lamp-2")
