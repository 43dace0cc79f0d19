"""What has to be the same after a restart: the client id that was made up, and what the session is subscribed to."""

import logging
import os
import secrets
from pathlib import Path

logger = logging.getLogger(__name__)


def made_up_client_id(folder: Path) -> str:
    """Give the client id of this device, which is made up the first time.

    It has 21 letters and digits: every broker of MQTT 3.1.1 has to take up to 23 (MQTT 3.1.1, 3.1.3.1).
    """
    path = folder / "client-id"
    kept = _read(path)
    if kept.startswith("otppi") and kept.isascii() and kept.isalnum():
        return kept
    made = f"otppi{secrets.token_hex(8)}"
    _write(path, made)
    return made


class Subscribed:
    """The filter that the broker's session is subscribed to: a session keeps those of earlier settings too."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "subscription"
        self._filter = _read(self._path)

    def other_than(self, topic_filter: str) -> str | None:
        """Give what is to be unsubscribed from, if anything."""
        return self._filter if self._filter not in ("", topic_filter) else None

    def note(self, topic_filter: str) -> None:
        """Keep in mind what is subscribed to now."""
        if self._filter != topic_filter:
            self._filter = topic_filter
            _write(self._path, topic_filter)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip("\n")
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def _write(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all; a card that takes nothing does not end the connection."""
    new = path.with_name(f"{path.name}.new")
    try:
        with new.open("w", encoding="utf-8") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        logger.error("%s cannot be written, the next start has another session: %s", path, error.strerror)  # noqa: TRY400
