"""Which frontends are open: what is being opened is told apart from what has said that it cannot be."""

import pytest

from otppi.host.ingresses.described import frontend_of
from otppi.host.runtime.frontends import Frontend

RUNNING = {"name": "a", "state": "running", "last_error": None}
LINK = RUNNING | {"server": "broker:1883", "detail": "", "since": 0, "attempts": 0, "last_problem": None}


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (RUNNING, Frontend("a", is_open=True)),  # a plugin that tells no more
        (RUNNING | {"listening": False}, Frontend("a", is_open=False)),
        (RUNNING | {"listening": True}, Frontend("a", is_open=True)),
        (RUNNING | {"listening": True, "last_error": "before"}, Frontend("a", is_open=True)),
        (RUNNING | {"listening": True, "stalled": "no thread"}, Frontend("a", is_open=False, problem="no thread")),
        (
            RUNNING | {"state": "waiting to be started again", "listening": False, "last_error": "the port is taken"},
            Frontend("a", is_open=False, problem="the port is taken"),
        ),
        (RUNNING | {"state": "stopped"}, Frontend("a", is_open=False, problem="stopped")),
        (LINK | {"connected": False}, Frontend("a", is_open=False)),
        (LINK | {"connected": True}, Frontend("a", is_open=True)),
        (
            LINK | {"connected": False, "last_problem": "nobody answers"},
            Frontend("a", is_open=False, problem="nobody answers"),
        ),
    ],
)
def test_how_a_frontend_is(described: dict[str, object], expected: Frontend) -> None:
    made = frontend_of(described)
    assert made == expected
    assert made.begins is (not expected.is_open and not expected.problem)
