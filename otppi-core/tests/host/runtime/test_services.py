"""The services of a gateway: their order, and what one that dies, hangs or refuses does to the others."""

import threading
from collections.abc import Callable, Collection, Iterator
from typing import Any

import pytest

from otppi.admin.service import Administration
from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.events import Event, ServiceChanged, SettingsChanged
from otppi.api.services import Service
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.runtime import supervisor
from otppi.host.runtime.events import EventBus
from otppi.host.runtime.services import Services
from otppi.host.runtime.settings import PLUGINS
from otppi.host.runtime.supervisor import Supervised, ThreadState
from otppi.testing.scripted import until
from otppi.wire.errors import FieldError


class Scripted(Service):
    """Notes what is asked of it, and does what a test says."""

    def __init__(self, name: str, told: list[str], sections: Collection[str] = (), **does: Callable[[], Any]) -> None:
        self.name = name
        self.sections = sections
        self._told = told
        self._does = does

    def _do(self, what: str, otherwise: Any = None) -> Any:
        self._told.append(f"{self.name} {what}")
        does = self._does.get(what)
        return otherwise if does is None else does()

    def start(self) -> None:
        self._do("start")

    def configure(self, changed: Collection[str]) -> None:
        self._do("configure")
        self._told.append(f"{self.name} {'+'.join(changed)}")

    def stop(self) -> None:
        self._do("stop")

    def close(self) -> None:
        self._do("close")

    def look(self) -> None:
        self._do("look")

    def tidy(self) -> None:
        self._do("tidy")

    def warnings(self) -> list[str]:
        return list(self._do("warnings", [f"{self.name} warns"]))

    def problems(self) -> list[str]:
        return list(self._do("problems", [f"{self.name} has a problem"]))

    def samples(self) -> dict[str, dict[str, float]]:
        return dict(self._do("samples", {f"{self.name}_total": {"": 1.0}}))


class Running(Scripted):
    """One with a thread."""

    def __init__(self, name: str, told: list[str], **does: Callable[[], Any]) -> None:
        super().__init__(name, told, (), **does)
        self.runs = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        self.runs += 1
        self._do("run")
        self.stopped.wait()

    def stop(self) -> None:
        super().stop()
        self.stopped.set()


def fails() -> None:
    raise ZeroDivisionError("a bug")


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def running(no_leaks: None) -> Iterator[Callable[..., Services]]:
    made: list[Services] = []

    def run(*services: Service, events: EventBus | None = None, patience: float = 60.0) -> Services:
        made.append(Services(services, events or EventBus(), patience))
        made[-1].start()
        return made[-1]

    yield run
    for one in made:
        one.stop()


def test_they_start_in_order_and_stop_in_the_reverse_one(told: list[str]) -> None:
    services = Services([Scripted("a", told), Running("b", told), Scripted("c", told)], EventBus())
    services.start()
    until(lambda: "b run" in told)
    services.stop()
    told.remove("b run")
    assert told == [
        *("a start", "b start", "c start"),
        *("c stop", "b stop", "a stop"),
        *("c close", "b close", "a close"),
    ]


def test_one_stops_only_when_the_threads_of_those_after_it_have_ended(told: list[str]) -> None:
    later = Running("later", told)
    earlier = Running("earlier", told, stop=lambda: told.append(f"still {names() & {'later'}}"))
    services = Services([earlier, later], EventBus())
    services.start()
    until(lambda: names() >= {"earlier", "later"})
    services.stop()
    assert told[told.index("earlier stop") + 1] == "still set()"


def names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_only_those_whose_sections_changed_are_told_once_and_then_everybody_else(
    told: list[str], running: Callable[..., Services]
) -> None:
    events = EventBus()
    changed: list[SettingsChanged] = []
    events.subscribe(SettingsChanged, changed.append)
    services = running(
        Scripted("a", told, ["x", "y"]), Scripted("b", told, ["z"]), Scripted("c", told, ["y"]), events=events
    )
    told.clear()
    services.configure(["y", "x", "strange"])
    assert told == ["a configure", "a y+x", "c configure", "c y"]
    assert [one.sections for one in changed] == [("y", "x", "strange")]


def test_one_that_refuses_its_settings_is_shown_until_it_takes_some(
    told: list[str], running: Callable[..., Services], caplog: pytest.LogCaptureFixture
) -> None:
    refuses = [True]

    def refuse() -> None:
        if refuses[0]:
            raise OtpPiError("such a port is not for everybody")

    services = running(Scripted("a", told, ["x"], configure=refuse), Scripted("b", told, ["x"]))
    services.configure(["x"])
    assert "b x" in told
    assert "a x" not in told
    assert "a cannot use its settings: such a port is not for everybody" in services.warnings()
    assert "a cannot use its settings" in caplog.text
    refuses[0] = False
    services.configure(["x"])
    assert services.warnings() == ["a warns", "b warns"]


def test_one_whose_thread_dies_is_started_again_shown_and_told(
    told: list[str], running: Callable[..., Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "Backoff", lambda *_: Patient())
    dying = [True]

    def die() -> None:
        if dying[0]:
            fails()

    events = EventBus()
    states: list[tuple[str, str]] = []
    events.subscribe(ServiceChanged, lambda event: states.append((event.service, event.state)))
    one = Running("a", told, run=die)
    services = running(one, Scripted("b", told), events=events)
    until(lambda: ("a", ThreadState.WAITING.value) in states)
    until(lambda: any(warning.startswith("a failed, and is waiting") for warning in services.warnings()))
    described = services.describe()["a"]
    assert (described["state"], described["last_error"]) == (ThreadState.WAITING.value, "ZeroDivisionError")
    dying[0] = False
    Patient.go.set()
    until(lambda: services.describe()["a"]["state"] == ThreadState.RUNNING.value)
    assert services.warnings() == ["a warns", "b warns"]
    assert states[-1] == ("a", ThreadState.RUNNING.value)


class Patient:
    """A back-off that waits for a test."""

    go = threading.Event()

    def __init__(self) -> None:
        self.go.clear()

    def delay(self) -> float:
        return 0.0 if self.go.is_set() else 0.05

    def reset(self) -> None:
        """Do nothing."""


def test_one_whose_settings_cannot_work_is_not_tried_again_until_they_change(
    told: list[str], running: Callable[..., Services]
) -> None:
    wrong = [True]

    def look_at_settings() -> None:
        if wrong[0]:
            raise InvalidSettings([FieldError("x.port", "is used by another one")])

    one = Running("a", told, run=look_at_settings)
    one.sections = ["x"]
    services = running(one)
    until(lambda: services.describe()["a"]["state"] == ThreadState.BLOCKED.value)
    assert any("x.port" in warning for warning in services.warnings())
    services.configure(["y"])
    services.configure(["x"])
    until(lambda: one.runs == 2 and services.describe()["a"]["state"] == ThreadState.BLOCKED.value)
    wrong[0] = False
    services.configure(["x"])
    until(lambda: services.describe()["a"]["state"] == ThreadState.RUNNING.value)
    assert one.runs == 3
    assert services.warnings() == ["a warns"]


def test_one_that_is_blocked_can_be_stopped(told: list[str]) -> None:
    def wrong() -> None:
        raise InvalidSettings([FieldError("x.port", "is used by another one")])

    services = Services([Running("a", told, run=wrong)], EventBus())
    services.start()
    until(lambda: services.describe()["a"]["state"] == ThreadState.BLOCKED.value)
    services.stop()
    assert "a" not in names()


def test_one_that_hangs_at_its_stop_holds_up_none_of_the_others_for_ever(
    told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    let_go = threading.Event()
    hanging = Running("hanging", told, run=let_go.wait)
    services = Services([Scripted("a", told), hanging, Scripted("c", told)], EventBus(), patience=0.05)
    services.start()
    until(lambda: hanging.runs == 1)
    try:
        services.stop()
        assert told[-6:] == ["c stop", "hanging stop", "a stop", "c close", "hanging close", "a close"]
        assert "hanging did not end in time" in caplog.text
    finally:
        let_go.set()
    until(lambda: "hanging" not in names())


@pytest.mark.parametrize("what", ["stop", "close", "look", "tidy", "warnings", "problems", "samples"])
def test_one_that_raises_keeps_the_others_from_nothing(
    what: str, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    services = Services(
        [Scripted("a", told), Scripted("b", told, (), **{what: fails}), Scripted("c", told)], EventBus()
    )
    services.start()
    if what not in ("stop", "close"):
        result = getattr(services, what)()
        assert result in (
            None,
            ["a warns", "c warns"],
            ["a has a problem", "c has a problem"],
            {"a_total": {"": 1.0}, "c_total": {"": 1.0}},
        )
    services.stop()
    asked = [one.split()[0] for one in told if one.endswith(what)]
    assert "".join(asked) in ("abc", "cba")
    assert told[-3:] == ["c close", "b close", "a close"]
    assert "b failed" in caplog.text


def test_one_that_cannot_start_keeps_the_gateway_from_starting_and_the_others_are_stopped(told: list[str]) -> None:
    services = Services([Running("a", told), Scripted("b", told, start=fails), Scripted("c", told)], EventBus())
    with pytest.raises(ZeroDivisionError):
        services.start()
    assert "c start" not in told
    services.stop()
    assert "a close" in told
    assert "a" not in names()


def test_threads_that_services_own_are_watched_too(told: list[str], running: Callable[..., Services]) -> None:
    class Owner(Scripted):
        def threads(self) -> list[Supervised]:
            return [extra]

    extra = Supervised("extra", print, print)
    services = running(Owner("a", told), Running("b", told))
    other = Supervised("other", print, print)
    services.look_after(other)
    assert [thread.name for thread in services.threads()] == ["b", "extra", "other"]


def test_one_that_is_added_later_starts_at_once_or_with_the_others(told: list[str]) -> None:
    services = Services([Scripted("a", told)], EventBus())
    services.add(Scripted("b", told))
    assert told == []
    services.start()
    services.add(Scripted("c", told))
    assert told == ["a start", "b start", "c start"]
    services.stop()
    assert told[3] == "c stop"


# -- those of the host -------------------------------------------------------------------------------------------------


def test_every_section_has_a_service_that_reads_it(host: Host, data: DataFolder) -> None:
    read = {section for service in host.services._services for section in service.sections}
    beside = {*Administration.sections, PLUGINS.key}  # a service above the host, and what is read before there are any
    assert read | beside == set(data.config.sections)


def test_every_service_has_a_name_of_its_own_and_is_described(host: Host) -> None:
    described = host.services.describe()
    assert len(described) == len(host.services._services)
    assert "" not in described
    assert described["inbox"]["about"] == host.inbox.describe()
    until(lambda: host.services.describe()["housekeeping"]["state"] == ThreadState.RUNNING.value)


def test_a_bad_part_of_the_host_is_told_of_in_its_health(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host.inbox, "configure", lambda _: fails())
    host.apply(["inbox"])
    assert "inbox cannot use its settings: ZeroDivisionError" in host.gateway.health()["warnings"]


def test_the_host_tells_what_it_does(data: DataFolder, host: Host) -> None:
    told: list[Event] = []
    host.events.subscribe(Event, told.append)
    host.apply(data.config.update({"otp": {"code_length": 8}}))
    assert [one.sections for one in told if isinstance(one, SettingsChanged)] == [("otp",)]
