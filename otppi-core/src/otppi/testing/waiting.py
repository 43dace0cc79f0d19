"""How a test waits for what has no event of its own: for a condition, with a deadline that a busy machine meets."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds. A test that waits for a condition takes no longer where the machine is idle."""
_SHORTEST, _LONGEST = 0.005, 0.02
"""Seconds between two looks: longer the longer it waits, as looking takes time from what is waited for."""


def until(condition: Callable[[], T | None], what: str | Callable[[], object] = "", seconds: float = PATIENCE) -> T:
    """Wait until a condition gives something true, and return that.

    Args:
        condition: Is asked again and again.
        what: What is waited for, in words; or what says at the end how things stand.
        seconds: The deadline.

    Raises:
        AssertionError: It did not within `seconds`.
    """
    started = time.monotonic()
    pause = threading.Event()
    while not (value := condition()):
        waited = time.monotonic() - started
        if waited > seconds:
            told = what() if callable(what) else what
            raise AssertionError(f"not within {seconds:g} s: {told or condition}")
        pause.wait(min(max(_SHORTEST, waited / 20), _LONGEST))
    return value
