"""An ingress that runs but answers nobody: seen, told, and started again; with the one that hangs left to itself."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from otppi.api.ingress import Ingress, IngressType
from otppi.host.ingresses import ingresses as ingresses_module
from otppi.host.ingresses.ingresses import Ingresses
from otppi.testing.scripted import until
from otppi.testing.waiting import PATIENCE


class Sleeper(Ingress):
    """Runs until it is stopped, or longer; says that it is stalled where it is told to."""

    def __init__(self, *, stalled: str = "", hangs: bool = False) -> None:
        self.says = stalled
        self.ended = threading.Event()
        self.abandoned = False
        self._hangs = hangs
        self._stopped = threading.Event()

    def run(self) -> None:
        self._stopped.wait(PATIENCE)
        if self._hangs:
            self.ended.wait(PATIENCE)

    def stop(self) -> None:
        self._stopped.set()

    def stalled(self) -> str:
        return self.says

    def abandon(self) -> None:
        self.abandoned = True

    def describe(self) -> Mapping[str, Any]:
        return {}


class Ways:
    """Ingresses of one ingress, of which others take the place."""

    def __init__(self, folder: Path, *sleepers: Sleeper) -> None:
        self.made: list[Sleeper] = []
        to_come = list(sleepers)

        def create(_context: object) -> Ingress:
            self.made.append(to_come.pop(0))
            return self.made[-1]

        section = SimpleNamespace(key="sleeper", title="Sleeper", contradictions=lambda _: [])
        types = {"sleeper": IngressType(cast("Any", section), create, lambda _: True)}
        config = cast("Any", SimpleNamespace(one=lambda _: {}))
        self.ingresses = Ingresses(cast("Any", SimpleNamespace(ingress_types=types)), config, cast("Any", None), folder)
        self.ingresses.restart("sleeper")
        until(lambda: len(self.made) == 1)

    def end(self) -> None:
        self.ingresses.stop()
        for one in self.made:
            one.ended.set()
        self.ingresses.close()


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(ingresses_module, "_RESTART_AFTER", 0.0)
    made: list[Ways] = []

    def make(*sleepers: Sleeper) -> Ways:
        made.append(Ways(tmp_path, *sleepers))
        return made[-1]

    yield make
    for one in made:
        one.end()


def test_one_that_is_stalled_is_told_and_started_again(
    start: Callable[..., Ways], caplog: pytest.LogCaptureFixture
) -> None:
    stuck = Sleeper(stalled="its threads do nothing")
    fleet = start(stuck, Sleeper(), Sleeper())
    fleet.ingresses.look()
    until(lambda: len(fleet.made) == 2)
    assert "sleeper does not answer: its threads do nothing" in caplog.text
    assert "it is started again" in caplog.text
    assert not stuck.abandoned  # it ended by itself
    fleet.ingresses.look()
    [described] = fleet.ingresses.describe()
    assert (described["state"], described["restarts"], "stalled" in described) == ("running", 1, False)
    assert fleet.ingresses.warnings() == []


def test_one_that_does_not_end_is_left_to_itself(
    start: Callable[..., Ways], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ingresses_module, "_PATIENCE", 0.05)
    stuck = Sleeper(stalled="it hangs", hangs=True)
    fleet = start(stuck, Sleeper())
    fleet.ingresses.look()
    until(lambda: len(fleet.made) == 2)
    assert stuck.abandoned
    assert "does not end: it is left to itself" in caplog.text


def test_what_is_slow_for_a_moment_is_only_told(start: Callable[..., Ways], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingresses_module, "_RESTART_AFTER", 30.0)
    slow = Sleeper(stalled="it is slow")
    fleet = start(slow)
    fleet.ingresses.look()
    assert fleet.ingresses.warnings() == ["sleeper does not answer: it is slow"]
    assert fleet.ingresses.describe()[0]["stalled"] == "it is slow"
    slow.says = ""
    fleet.ingresses.look()
    assert fleet.ingresses.warnings() == []
    assert fleet.made == [slow]


def test_each_time_it_is_left_alone_for_longer(start: Callable[..., Ways], monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = start(Sleeper(stalled="a"), Sleeper(stalled="b"), Sleeper(stalled="c"))
    fleet.ingresses.look()
    until(lambda: len(fleet.made) == 2)
    monkeypatch.setattr(ingresses_module, "_RESTART_AFTER", 1e-9)
    restarts = fleet.ingresses._restarts["sleeper"]
    restarts.count = 40  # 2^20 times as long: a quarter of an hour, and never more than an hour
    fleet.ingresses._restarts["sleeper"].last += 1000.0
    fleet.ingresses.look()
    assert len(fleet.made) == 2
    assert restarts.may_be(restarts.last + 3600.0)


def test_one_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    def fail(_context: object) -> Ingress:
        raise OSError(30, "Read-only file system")

    section = SimpleNamespace(key="sleeper", title="Sleeper", contradictions=lambda _: [])
    types = {"sleeper": IngressType(cast("Any", section), fail, lambda _: True)}
    config = cast("Any", SimpleNamespace(one=lambda _: {}))
    ingresses = Ingresses(cast("Any", SimpleNamespace(ingress_types=types)), config, cast("Any", None), tmp_path)
    ingresses.restart("sleeper")
    try:
        until(lambda: bool(ingresses.warnings()))
        assert "sleeper failed, and is waiting to be started again" in ingresses.warnings()[0]
    finally:
        ingresses.stop()
        ingresses.close()


def test_a_stranger_that_fails_where_it_is_asked_harms_nobody(
    start: Callable[..., Ways], caplog: pytest.LogCaptureFixture
) -> None:
    broken = Sleeper()
    fleet = start(broken)
    broken.says = cast("str", None)
    fleet.ingresses.look()
    setattr(broken, "stalled", lambda: [][0])  # noqa: B010 - a method of one object
    fleet.ingresses.look()
    assert "failed where it was only asked" in caplog.text
    assert fleet.ingresses.warnings() == []
