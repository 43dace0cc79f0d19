"""Work that is killed at an instant of a test's choice, as a power cut would end it, for what has to be made good."""

import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

_CHANGES: Final = frozenset({"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir"})
"""What the interpreter tells of (PEP 578) that changes a folder, or is about to."""


def killed_at(number: int, folder: Path, work: Callable[[], object]) -> bool:
    """Do some work in a process that is killed right before its nth change of a folder; False where it has no more."""
    child = os.fork()
    if not child:
        left = itertools.count(number, -1)

        def look(event: str, given: tuple[object, ...]) -> None:
            if event in _CHANGES and str(folder) in str(given[0]) and next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(look)
        try:
            work()
        finally:
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)
