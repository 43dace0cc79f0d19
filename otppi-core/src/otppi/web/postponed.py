"""A request that cannot be answered yet: it is given back, and answered from the start when what it needs is there."""

from collections.abc import Callable


class Postponed(Exception):  # noqa: N818 - not an error: the request is answered later
    """Raised by a handler that would have to wait, so that it keeps no thread.

    `call_when_ready` calls back once, on any thread, when another try has what this one lacks.
    """

    def __init__(self, call_when_ready: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self.call_when_ready = call_when_ready
