"""What the host starts and stops of this room: the codes."""

from collections.abc import Collection, Sequence

from otppi.api.services import Samples, Service
from otppi.host.otp.one_time import OneTimePasswords
from otppi.host.otp.settings import OTP
from otppi.host.settings.config import Config


class OtpService(Service):
    """The codes that wait to be verified: those of an earlier run too, after the messages are there."""

    name = "one-time passwords"
    sections: Collection[str] = (OTP.key,)

    def __init__(self, passwords: OneTimePasswords, config: Config) -> None:
        self._passwords = passwords
        self._config = config

    def start(self) -> None:
        """Take over the codes of an earlier run."""
        self._passwords.restore()

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Make and check codes by other rules."""
        self._passwords.configure(self._config.one(OTP))

    def close(self) -> None:
        """Close the book; until now somebody may have verified a code."""
        self._passwords.close()

    def warnings(self) -> Sequence[str]:
        """Return what people should know of where the codes are."""
        return self._passwords.warnings()

    def samples(self) -> Samples:
        """Return how many codes there were and are."""
        return self._passwords.counters()
