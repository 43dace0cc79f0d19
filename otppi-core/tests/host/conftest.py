import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otppi.api.ingress import Ingress, IngressContext, IngressType, ReceivedMessage
from otppi.api.modem import ModemContext, ModemType
from otppi.api.settings import Section, boolean, integer, number, text
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import ScriptedModem, until


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting is all


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """No test leaves a thread or a file descriptor behind."""
    threads, before = set(threading.enumerate()), descriptors()
    yield
    until(lambda: set(threading.enumerate()) <= threads, "the threads of the test end")
    until(lambda: descriptors() <= before, "the files of the test are closed")


@pytest.fixture
def time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Put the device into a time zone, written as POSIX does."""

    def put(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def make_bench(tmp_path: Path, no_leaks: None) -> Iterator[Callable[..., DispatchBench]]:
    """Make a bench by some rules, closed at the end of the test."""
    benches: list[DispatchBench] = []

    def make(**rules: Any) -> DispatchBench:
        benches.append(DispatchBench(tmp_path / str(len(benches)), **rules))
        return benches[-1]

    yield make
    for bench in benches:
        bench.close()


@pytest.fixture
def bench(make_bench: Callable[..., DispatchBench]) -> DispatchBench:
    return make_bench()


class Doubles:
    """A modem type and an ingress type as plugins would register them; what they made can be looked at."""

    def __init__(self) -> None:
        self.modems: list[ScriptedModem] = []
        self.contexts: dict[str, ModemContext] = {}
        self.ingresses: list[ListeningIngress] = []
        self.fail: set[str] = set()
        self.plugins = load_plugins(())
        self.plugins.modem_types["scripted"] = ModemType(
            key="scripted",
            title="scripted modem",
            help="For tests.",
            create=self._modem,
            settings=(
                number("speed", "Speed", "A setting of this type.", 1.0),
                text("key", "Key", "A secret.", secret=True),
            ),
            embedded_default=True,
        )
        section = Section(
            key="ingress-test",
            title="An ingress",
            help="For tests.",
            settings=(
                integer("port", "Port", "A number.", 8080, minimum=1, maximum=65_535),
                boolean("enable", "Enable", "Whether.", True),
                text("password", "Password", "A secret.", secret=True),
            ),
            reset_group="test",
        )
        self.plugins.ingress_types[section.key] = IngressType(
            section=section, create=self._ingress, enabled=lambda settings: bool(settings["enable"])
        )

    def _modem(self, context: ModemContext) -> ScriptedModem:
        if "modem" in self.fail:
            raise ZeroDivisionError("a bug")
        self.contexts[context.settings["name"]] = context
        self.modems.append(ScriptedModem(context.settings["name"]))
        return self.modems[-1]

    def _ingress(self, context: IngressContext) -> "ListeningIngress":
        if "ingress" in self.fail:
            raise ZeroDivisionError("a bug")
        self.ingresses.append(ListeningIngress(context))
        return self.ingresses[-1]


class ListeningIngress(Ingress):
    """Listens to nobody."""

    def __init__(self, context: IngressContext) -> None:
        self.context = context
        self.came: list[ReceivedMessage] = []
        self.refuses = False
        self.running = threading.Event()
        self._stopped = threading.Event()

    def run(self) -> None:
        self.running.set()
        self._stopped.wait()
        self.running.clear()

    def stop(self) -> None:
        self._stopped.set()

    def describe(self) -> dict[str, Any]:
        return {"port": self.context.settings["port"]}

    def received(self, message: ReceivedMessage) -> None:
        if self.refuses:
            raise ZeroDivisionError("a bug")
        self.came.append(message)


@pytest.fixture
def doubles() -> Doubles:
    return Doubles()


@pytest.fixture
def data(tmp_path: Path, doubles: Doubles, no_leaks: None) -> Iterator[DataFolder]:
    """An open data folder."""
    folder = DataFolder(tmp_path / "data", plugins=doubles.plugins)
    yield folder
    with contextlib.suppress(OSError):
        folder.close()


@pytest.fixture
def host(data: DataFolder, tmp_path: Path) -> Iterator[Host]:
    """A gateway that runs on it."""
    (tmp_path / "boot").mkdir(mode=0o700)
    running = Host(data, tmp_path / "boot")
    running.start()
    yield running
    running.stop()
