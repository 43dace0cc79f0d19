"""What a consumer has to call itself the same after a restart: words that are kept in the ingress's own folder."""

import logging
from pathlib import Path

from otppi.kit.files import replace_whole

logger = logging.getLogger(__name__)


def recall(path: Path) -> str:
    """Return what was kept; empty where nothing was, or it cannot be read."""
    try:
        return path.read_text("utf-8").strip("\n")
    except (OSError, UnicodeDecodeError):
        return ""


def remember(path: Path, text: str, what: str) -> None:
    """Write a file so that it is there whole or not at all; a card that takes nothing does not end the connection.

    Args:
        path: The file.
        text: One line.
        what: What it is, for the log where it cannot be written.
    """
    try:
        replace_whole(path, f"{text}\n".encode())
    except OSError as error:
        reason = error.strerror
        logger.error("%s cannot be written, the next start has another %s: %s", path, what, reason)  # noqa: TRY400
