"""An ingress that failed where it was only asked: the others are told of all the same."""

import threading
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from otppi.api.ingress import Ingress, IngressType
from otppi.api.settings import Section
from otppi.host.ingresses.ingresses import Ingresses
from otppi.testing.scripted import until


class Mute(Ingress):
    """An ingress that fails where it is to describe itself."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def run(self) -> None:
        self._stopped.wait()

    def stop(self) -> None:
        self._stopped.set()

    def describe(self) -> Mapping[str, Any]:
        raise ZeroDivisionError("a bug")


class Telling(Mute):
    def describe(self) -> Mapping[str, Any]:
        return {"topic": "codes"}


def test_one_that_fails_takes_no_other_with_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    section = cast("Section", SimpleNamespace(key="mute", title="Mute", contradictions=lambda _: []))
    types = {
        "mute": IngressType(section, lambda _: Mute(), lambda _: True),
        "telling": IngressType(section, lambda _: Telling(), lambda _: True),
    }
    config = SimpleNamespace(one=lambda _: {})
    ingresses = Ingresses(
        cast("Any", SimpleNamespace(ingress_types=types)), cast("Any", config), cast("Any", None), tmp_path
    )
    for key in types:
        ingresses.restart(key)
    try:
        until(
            lambda: (
                {one["name"]: one.get("topic") for one in ingresses.describe()} == {"mute": None, "telling": "codes"}
            )
        )
        # Asked again: it may not have been made when the other one was.
        until(lambda: ingresses.describe() and "mute failed where it was only asked" in caplog.text)
    finally:
        ingresses.stop()
        ingresses.close()
