"""Logs who was refused what (ASVS 5.0, 16.3.2 and 16.3.3): of a flood the first ones, and then how many."""

import logging
from typing import Final

from otppi.kit.bursts import Bursts

logger = logging.getLogger(__name__)

_LONGEST_PATH: Final = 100
"""Characters of a path in the log."""


class RefusalLog:
    """The lines of one server. Any thread."""

    def __init__(self) -> None:
        self._bursts = Bursts(logger, "pages", most=10, period=60.0)

    def note(self, who: str, address: str, path: str, reason: str) -> None:
        """Log a refusal, or count it.

        Args:
            who: Who asked, as far as that is known.
            address: From where.
            path: For what.
            reason: Why not.
        """
        self._bursts.log(
            logging.WARNING, "refused requests",
            "%s from %s was refused %s: %s", who, address, path[:_LONGEST_PATH], reason,
        )  # fmt: skip

    def flush(self) -> None:
        """Log how many were refused that were not logged one by one; now and then."""
        self._bursts.flush()
