"""How the gateway starts anew by itself: whoever runs its process says how that is done."""

import logging
from collections.abc import Callable

from otppi.api.errors import NotSupported
from otppi.text import _

logger = logging.getLogger(__name__)


class Restarting:
    """The wish that the gateway starts anew. Any thread."""

    def __init__(self) -> None:
        self._begin: Callable[[], None] | None = None
        self.wanted = False
        """Whether somebody has asked for it."""

    def by(self, begin: Callable[[], None]) -> None:
        """Tell what has the process end and begin again; it returns at once."""
        self._begin = begin

    def ask(self) -> None:
        """Have the gateway start anew: it finishes what it is at, as when it is stopped.

        Raises:
            NotSupported: Nobody has said how.
        """
        if self._begin is None:
            raise NotSupported(_("whatever runs this gateway does not start it again"))
        self.wanted = True
        logger.info("the gateway is to start anew")
        self._begin()
