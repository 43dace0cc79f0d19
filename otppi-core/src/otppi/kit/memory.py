"""Memory that was freed: what glibc is told about keeping it. Other C libraries have none of this, and are let be."""

import ctypes
from typing import Final

_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_LARGE: Final = 128 * 1024


def keep_little() -> None:
    """Have little kept that was freed (mallopt(3)); before there are threads.

    Blocks of 128 KiB and more go back at once, such as the 19 MiB of a password's hash. That is glibc's own first
    threshold; setting it stops its growing with use. All threads but the first share an arena: of their own ones each
    would keep what it has freed, and no more than one thread runs at a time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_ARENA_MAX, 2)


def give_back() -> None:
    """Give the system what is kept of smaller ones (malloc_trim(3)): about a millisecond, in which others go on."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))
