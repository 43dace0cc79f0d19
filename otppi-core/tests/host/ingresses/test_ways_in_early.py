"""Later states that are known before the ways in are up: those of messages of an earlier run reach their senders."""

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from otppi.api.ingress import Callback, Ingress, IngressType
from otppi.api.settings import Section
from otppi.host.ingresses import ingresses as ways_in_module
from otppi.host.ingresses.ingresses import WaysIn
from otppi.testing.scripted import until
from otppi.wire.envelope import Answer, ResponseCode

CALLBACK = Callback("answers")


class Publishing(Ingress):
    """A way in that remembers what it is to publish; it cannot be made while `broken` is set."""

    broken = threading.Event()
    made: "Publishing | None" = None
    when_stopped: Callable[[], None] | None = None

    def __init__(self) -> None:
        if self.broken.is_set():
            raise ZeroDivisionError("a bug")
        self.published: list[str] = []
        self._stopped = threading.Event()
        Publishing.made = self

    def run(self) -> None:
        self._stopped.wait()

    def stop(self) -> None:
        if self.when_stopped is not None:
            self.when_stopped()
        self._stopped.set()

    def describe(self) -> Mapping[str, Any]:
        return {}

    def state_changed(self, callback: Callback, answer: Answer) -> None:
        assert callback is CALLBACK
        self.published.append(answer.command)


@pytest.fixture
def ways_in(tmp_path: Path) -> Iterator[WaysIn]:
    Publishing.made = Publishing.when_stopped = None
    Publishing.broken.clear()
    section = cast("Section", SimpleNamespace(key="broker", contradictions=lambda _: []))
    types = {
        "broker": IngressType(section, lambda _: Publishing(), lambda values: bool(values["enable"])),
        "off": IngressType(section, lambda _: Publishing(), lambda values: not values["enable"]),
    }
    plugins, config = SimpleNamespace(ingress_types=types), SimpleNamespace(one=lambda _: {"enable": True})
    ways = WaysIn(cast("Any", plugins), cast("Any", config), cast("Any", None), tmp_path)
    yield ways
    Publishing.broken.clear()
    ways.stop()
    ways.close()


def tell(ways: WaysIn, name: str, ingress: str = "broker") -> None:
    ways.state_changed(ingress, CALLBACK, Answer(name, ResponseCode.SUCCESS))


def published() -> list[str]:
    return [] if Publishing.made is None else Publishing.made.published


def test_what_is_known_before_the_start_is_told_after_it_in_order(ways_in: WaysIn) -> None:
    tell(ways_in, "1")
    tell(ways_in, "2")
    tell(ways_in, "nobody", "off")
    ways_in.use("broker")
    ways_in.use("off")
    until(lambda: Publishing.made is not None)
    assert published() == []
    ways_in.all_started()
    until(lambda: published() == ["1", "2"])
    tell(ways_in, "3")
    tell(ways_in, "nobody", "off")
    assert published() == ["1", "2", "3"]


def test_it_waits_for_a_way_in_that_cannot_be_made_yet(ways_in: WaysIn) -> None:
    Publishing.broken.set()
    tell(ways_in, "1")
    ways_in.use("broker")
    ways_in.all_started()
    tell(ways_in, "2")
    assert published() == []
    Publishing.broken.clear()
    until(lambda: published() == ["1", "2"])


def test_what_comes_while_a_way_in_is_made_anew_is_told_by_the_new_one(ways_in: WaysIn) -> None:
    ways_in.all_started()
    ways_in.use("broker")
    until(lambda: Publishing.made is not None)
    before = Publishing.made
    assert before is not None
    before.when_stopped = lambda: tell(ways_in, "while it stops")
    ways_in.use("broker")
    until(lambda: Publishing.made is not before and published() == ["while it stops"])
    tell(ways_in, "after")
    assert published() == ["while it stops", "after"]
    assert before.published == []


def test_what_waits_is_bounded(
    ways_in: WaysIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ways_in_module, "_HELD", 3)
    for number in range(5):
        tell(ways_in, str(number))
    assert caplog.text.count("a later state is not told") == 2
    ways_in.use("broker")
    ways_in.all_started()
    until(lambda: published() == ["0", "1", "2"])
