"""Logs faults without the words of exceptions, which may quote what a request holds."""

import logging
import sys
import traceback


def log_fault(logger: logging.Logger, what: str) -> None:
    """Log the exception that is being handled: its kind, and where it was raised."""
    kind, _, where = sys.exc_info()
    logger.error("%s: %s\n%s", what, kind, "".join(traceback.format_tb(where)))
