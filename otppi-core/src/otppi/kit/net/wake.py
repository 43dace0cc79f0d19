"""A wake-up for a thread that waits for a port or a socket: a descriptor that is waited for with it."""

import os
from contextlib import suppress


class Wake:
    """Ends another thread's wait, now or the next time. Lives as long as its owner, over many ports or connections."""

    def __init__(self) -> None:
        self.descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def set(self) -> None:
        """Wake (any thread)."""
        if self.descriptor >= 0:
            os.eventfd_write(self.descriptor, 1)

    def clear(self) -> None:
        """Take note of it (the woken thread)."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.descriptor)

    def __del__(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        os.close(descriptor)
