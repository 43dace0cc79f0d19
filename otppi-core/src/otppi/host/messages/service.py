"""What the host starts and stops of this room: the messages, and the housekeeping of what waits."""

from collections.abc import Collection, Sequence

from otppi.api.services import Service
from otppi.host.durable.report import Report
from otppi.host.messages.dispatch import Dispatch
from otppi.host.messages.placement import PlacementRules
from otppi.host.messages.settings import SMS, SmsValues
from otppi.host.settings.config import Config


class Messages(Service):
    """The messages that are on their way: taken over from an earlier run, and kept for the next one."""

    name = "messages"
    sections: Collection[str] = (SMS.key,)

    def __init__(self, dispatch: Dispatch, report: Report, config: Config) -> None:
        self._dispatch = dispatch
        self._report = report
        self._config = config

    def start(self) -> None:
        """Take over what an earlier run left."""
        self._dispatch.restore()

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Send by other rules."""
        sms = self._config.one(SMS)
        self._dispatch.rules = rules_of(sms)
        self._report.months = sms["report_months"]

    def stop(self) -> None:
        """Answer who waits, and keep what waits; all egresses have stopped."""
        self._dispatch.close()

    def warnings(self) -> Sequence[str]:
        """Return what people should know of what is kept."""
        return self._dispatch.warnings()


class Housekeeping(Service):
    """Expires what waits too long, and saves what is kept."""

    name = "housekeeping"

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch

    def run(self) -> None:
        """Do so until `stop`."""
        self._dispatch.run()

    def stop(self) -> None:
        """End `run`."""
        self._dispatch.stop()


def rules_of(sms: SmsValues) -> PlacementRules:
    """Return the rules that messages are sent by."""
    return PlacementRules(
        duplicate_window=sms["duplicate_window"],
        attempts=sms["attempts"],
        modem_grace=sms["modem_grace"],
        fail_over=sms["fail_over"],
        resend_unconfirmed=sms["resend_unconfirmed"],
        cheapest=sms["routing"] == "cheapest",
    )
