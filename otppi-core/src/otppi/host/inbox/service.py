"""What the host starts and stops of this room: the inbox."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from otppi.api.services import Service
from otppi.host.inbox.inbox import Inbox
from otppi.host.inbox.settings import INBOX
from otppi.host.settings.config import Config


class Receiving(Service):
    """The inbox, with the thread that puts messages together, tells of them, and saves."""

    name = "inbox"
    sections: Collection[str] = (INBOX.key,)

    def __init__(self, inbox: Inbox, config: Config) -> None:
        self._inbox = inbox
        self._config = config

    def run(self) -> None:
        """Show, forget, tell and save, until `stop`."""
        self._inbox.run()

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Keep messages by other rules."""
        self._inbox.configure(self._config.one(INBOX))

    def stop(self) -> None:
        """End `run`, which saves."""
        self._inbox.stop()

    def describe(self) -> Mapping[str, Any]:
        """Return how many messages there are."""
        return self._inbox.describe()

    def problems(self) -> Sequence[str]:
        """Return what a person has to do something about."""
        return self._inbox.problems()
