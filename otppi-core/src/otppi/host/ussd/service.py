"""What the host starts and stops of this room: USSD sessions, and the reading of balances."""

from collections.abc import Callable, Collection, Mapping, Sequence

from otppi.api.services import Service
from otppi.host.modems.values import UssdValues
from otppi.host.ussd.balance import Balances, plans_of
from otppi.host.ussd.sessions import UssdSessions

MODEMS = "modems"
Modems = Callable[[], Mapping[str, UssdValues]]
"""Gives the settings of the modems that are used, by their names."""


class UssdService(Service):
    """The USSD sessions with the networks."""

    name = "ussd"
    sections: Collection[str] = (MODEMS,)

    def __init__(self, sessions: UssdSessions, modems: Modems) -> None:
        self._sessions = sessions
        self._modems = modems

    def start(self) -> None:
        """Learn how long each network may take."""
        self._sessions.timeouts = {name: values["ussd_timeout"] for name, values in self._modems().items()}

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Learn how long each network may take."""
        self.start()

    def look(self) -> None:
        """End sessions that took too long and have no timer."""
        self._sessions.look()

    def stop(self) -> None:
        """End all sessions and begin no more."""
        self._sessions.stop()


class BalanceReading(Service):
    """Reads the balance of each SIM card on a schedule."""

    name = "balances"
    sections: Collection[str] = (MODEMS,)

    def __init__(self, balances: Balances, modems: Modems) -> None:
        self._balances = balances
        self._modems = modems

    def start(self) -> None:
        """Learn what is to be read, and when."""
        self._balances.configure(plans_of(self._modems()))

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Learn what is to be read, and when."""
        self.start()

    def run(self) -> None:
        """Read what is due, until `stop`."""
        self._balances.run()

    def stop(self) -> None:
        """End `run`."""
        self._balances.stop()

    def warnings(self) -> Sequence[str]:
        """Return which balances are low."""
        return self._balances.warnings()
