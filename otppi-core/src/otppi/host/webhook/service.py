"""What the host starts and stops of this room: the webhook."""

from collections.abc import Collection, Mapping
from typing import Any

from otppi.api.services import Service
from otppi.host.settings.config import Config
from otppi.host.webhook.settings import WEBHOOK
from otppi.host.webhook.webhook import Webhook


class Forwarding(Service):
    """The webhook, with the thread that posts."""

    name = "webhook"
    sections: Collection[str] = (WEBHOOK.key,)

    def __init__(self, webhook: Webhook, config: Config) -> None:
        self._webhook = webhook
        self._config = config

    def run(self) -> None:
        """Post what waits, until `stop`."""
        self._webhook.run()

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Post to another server, or other events."""
        self._webhook.configure(self._config.one(WEBHOOK))

    def stop(self) -> None:
        """End `run`; what waits is given up."""
        self._webhook.stop()

    def describe(self) -> Mapping[str, Any]:
        """Return how it stands, without what may be secret in the URL."""
        return self._webhook.describe()
