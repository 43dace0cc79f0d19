"""What has to be the same after a restart: the client id that was made up, and what the session is subscribed to."""

import secrets
from pathlib import Path

from otppi.kit.broker.own_name import recall, remember


def made_up_client_id(folder: Path) -> str:
    """Return the client id of this device, which is made up the first time.

    It has 21 letters and digits: every broker of MQTT 3.1.1 has to take up to 23 (MQTT 3.1.1, 3.1.3.1).
    """
    path = folder / "client-id"
    kept = recall(path)
    if kept.startswith("otppi") and kept.isascii() and kept.isalnum():
        return kept
    made = f"otppi{secrets.token_hex(8)}"
    remember(path, made, "session")
    return made


class Subscribed:
    """The filter that the broker's session is subscribed to: a session keeps those of earlier settings too."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "subscription"
        self._filter = recall(self._path)

    def other_than(self, topic_filter: str) -> str | None:
        """Return what is to be unsubscribed from, if anything."""
        return self._filter if self._filter not in ("", topic_filter) else None

    def note(self, topic_filter: str) -> None:
        """Keep in mind what is subscribed to now."""
        if self._filter != topic_filter:
            self._filter = topic_filter
            remember(self._path, topic_filter, "session")
