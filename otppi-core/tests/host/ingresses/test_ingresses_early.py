"""Later states that are known before the ingresses are up: those of messages of an earlier run reach their senders."""

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from otppi.api.ingress import Callback, Ingress, IngressType
from otppi.api.settings import Section
from otppi.host.ingresses import ingresses as ways_in_module
from otppi.host.ingresses.ingresses import Ingresses
from otppi.testing.scripted import until
from otppi.wire.envelope import Answer, ResponseCode

CALLBACK = Callback("answers")


class Publishing(Ingress):
    """An ingress that remembers what it is to publish; it cannot be made while `broken` is set."""

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
def ingresses(tmp_path: Path) -> Iterator[Ingresses]:
    Publishing.made = Publishing.when_stopped = None
    Publishing.broken.clear()
    section = cast("Section", SimpleNamespace(key="broker", contradictions=lambda _: []))
    types = {
        "broker": IngressType(section, lambda _: Publishing(), lambda values: bool(values["enable"])),
        "off": IngressType(section, lambda _: Publishing(), lambda values: not values["enable"]),
    }
    plugins, config = SimpleNamespace(ingress_types=types), SimpleNamespace(one=lambda _: {"enable": True})
    ingresses = Ingresses(cast("Any", plugins), cast("Any", config), cast("Any", None), tmp_path)
    yield ingresses
    Publishing.broken.clear()
    ingresses.stop()
    ingresses.close()


def tell(ingresses: Ingresses, name: str, ingress: str = "broker") -> None:
    ingresses.state_changed(ingress, CALLBACK, Answer(name, ResponseCode.SUCCESS))


def published() -> list[str]:
    return [] if Publishing.made is None else Publishing.made.published


def test_what_is_known_before_the_start_is_told_after_it_in_order(ingresses: Ingresses) -> None:
    tell(ingresses, "1")
    tell(ingresses, "2")
    tell(ingresses, "nobody", "off")
    ingresses.restart("broker")
    ingresses.restart("off")
    until(lambda: Publishing.made is not None)
    assert published() == []
    ingresses.all_started()
    until(lambda: published() == ["1", "2"])
    tell(ingresses, "3")
    tell(ingresses, "nobody", "off")
    assert published() == ["1", "2", "3"]


def test_it_waits_for_a_way_in_that_cannot_be_made_yet(ingresses: Ingresses) -> None:
    Publishing.broken.set()
    tell(ingresses, "1")
    ingresses.restart("broker")
    ingresses.all_started()
    tell(ingresses, "2")
    assert published() == []
    Publishing.broken.clear()
    until(lambda: published() == ["1", "2"])


def test_what_comes_while_a_way_in_is_made_anew_is_told_by_the_new_one(ingresses: Ingresses) -> None:
    ingresses.all_started()
    ingresses.restart("broker")
    until(lambda: Publishing.made is not None)
    before = Publishing.made
    assert before is not None
    before.when_stopped = lambda: tell(ingresses, "while it stops")
    ingresses.restart("broker")
    until(lambda: Publishing.made is not before and published() == ["while it stops"])
    tell(ingresses, "after")
    assert published() == ["while it stops", "after"]
    assert before.published == []


def test_what_waits_is_bounded(
    ingresses: Ingresses, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ways_in_module, "_HELD", 3)
    for number in range(5):
        tell(ingresses, str(number))
    assert caplog.text.count("a later state is not told") == 2
    ingresses.restart("broker")
    ingresses.all_started()
    until(lambda: published() == ["0", "1", "2"])
