"""What a socket waits for; that need not be what was tried: TLS may have to read before it can write."""

import select

INPUT = select.EPOLLIN | select.EPOLLONESHOT
OUTPUT = select.EPOLLOUT | select.EPOLLONESHOT


class WantsRead(BlockingIOError):  # noqa: N818 - not an error: it is tried again
    """It has to be readable first."""


class WantsWrite(BlockingIOError):  # noqa: N818 - not an error: it is tried again
    """It has to be writable first."""
