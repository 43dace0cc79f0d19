"""What the host starts and stops of this room: the administrators and the checks of their passwords."""

import logging
from collections.abc import Collection, Mapping
from typing import Any

from otppi.api.services import Samples, Service
from otppi.host.administrators.administrators import Administrators
from otppi.host.administrators.claim import Claim, ClaimState
from otppi.host.administrators.settings import ADMINISTRATORS
from otppi.host.settings.config import Config

logger = logging.getLogger(__name__)


class Administering(Service):
    """Who may administer the gateway."""

    name = "administrators"
    sections: Collection[str] = (ADMINISTRATORS.key,)

    def __init__(self, administrators: Administrators, claim: Claim, config: Config) -> None:
        self._administrators = administrators
        self._claim = claim
        self._config = config

    def start(self) -> None:
        """Tell who looks at the log of a new device what comes next."""
        if self._claim.state is ClaimState.OPEN:
            logger.info("nobody administers this gateway yet; otppi admin code prints the code by which a browser may")

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Let these administrators in from now on."""
        self._administrators.replace(self._config.many(ADMINISTRATORS))

    def stop(self) -> None:
        """Check no more passwords."""
        self._administrators.close()

    def tidy(self) -> None:
        """Log how many logins failed that were not logged one by one."""
        self._administrators.log.flush()

    def describe(self) -> Mapping[str, Any]:
        """Return which logins failed lately."""
        return self._administrators.log.describe()

    def samples(self) -> Samples:
        """Return how many logins failed."""
        return self._administrators.log.counters()
