"""What the host starts and stops of this room: the API users and the checks of their passwords."""

from collections.abc import Collection, Mapping
from typing import Any

from otppi.api.services import Samples, Service
from otppi.host.settings.config import Config
from otppi.host.users.api_users import Accounts
from otppi.host.users.settings import API_USERS


class Users(Service):
    """Who may send."""

    name = "users"
    sections: Collection[str] = (API_USERS.key,)

    def __init__(self, accounts: Accounts, config: Config) -> None:
        self._accounts = accounts
        self._config = config

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Let these users in from now on."""
        users = self._config.many(API_USERS)
        self._accounts.replace(users)

    def stop(self) -> None:
        """Check no more passwords."""
        self._accounts.close()

    def tidy(self) -> None:
        """Log how many logins failed that were not logged one by one."""
        self._accounts.log.flush()

    def describe(self) -> Mapping[str, Any]:
        """Return which logins failed lately."""
        return self._accounts.log.describe()

    def samples(self) -> Samples:
        """Return how many logins failed."""
        return self._accounts.log.counters()
