"""Which ways in are open: what is being opened is told apart from what has said that it cannot be."""

import pytest

from otppi.host.ingresses.described import way_in_of
from otppi.host.runtime.ways_in import WayIn

RUNNING = {"name": "a", "state": "running", "last_error": None}
LINK = RUNNING | {"server": "broker:1883", "detail": "", "since": 0, "attempts": 0, "last_problem": None}


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (RUNNING, WayIn("a", is_open=True)),  # a plugin that tells no more
        (RUNNING | {"listening": False}, WayIn("a", is_open=False)),
        (RUNNING | {"listening": True}, WayIn("a", is_open=True)),
        (RUNNING | {"listening": True, "last_error": "before"}, WayIn("a", is_open=True)),
        (RUNNING | {"listening": True, "stalled": "no thread"}, WayIn("a", is_open=False, problem="no thread")),
        (
            RUNNING | {"state": "waiting to be started again", "listening": False, "last_error": "the port is taken"},
            WayIn("a", is_open=False, problem="the port is taken"),
        ),
        (RUNNING | {"state": "stopped"}, WayIn("a", is_open=False, problem="stopped")),
        (LINK | {"connected": False}, WayIn("a", is_open=False)),
        (LINK | {"connected": True}, WayIn("a", is_open=True)),
        (
            LINK | {"connected": False, "last_problem": "nobody answers"},
            WayIn("a", is_open=False, problem="nobody answers"),
        ),
    ],
)
def test_how_a_way_in_is(described: dict[str, object], expected: WayIn) -> None:
    way = way_in_of(described)
    assert way == expected
    assert way.begins is (not expected.is_open and not expected.problem)
