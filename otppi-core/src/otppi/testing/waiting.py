"""How a test waits for what has no event of its own: for a condition, with a deadline that a busy machine meets."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds. A test that waits for a condition takes no longer where the machine is idle."""
_PAUSE = 0.005


def until(condition: Callable[[], T | None], what: str | Callable[[], object] = "", seconds: float = PATIENCE) -> T:
    """Wait until a condition gives something true, and return that.

    Args:
        condition: Is asked again and again.
        what: What is waited for, in words; or what says at the end how things stand.
        seconds: The deadline.

    Raises:
        AssertionError: It did not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (value := condition()):
        if time.monotonic() > deadline:
            told = what() if callable(what) else what
            raise AssertionError(f"not within {seconds:g} s: {told or condition}")
        pause.wait(_PAUSE)
    return value
