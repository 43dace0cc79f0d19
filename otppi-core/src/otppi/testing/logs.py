"""Owns how a test listens to every log line, of whatever logger and level."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def all_log_lines() -> Iterator[list[str]]:
    """Yield the list to which each line is added that is logged within the block, as it would be written."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
