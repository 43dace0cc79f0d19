"""What the host looks after in this room: the keys that envelopes are encrypted to."""

from collections.abc import Collection, Sequence

from otppi.api.services import Service
from otppi.host.encryption.keys import EnvelopeKeys
from otppi.host.encryption.settings import ENCRYPTION


class Keys(Service):
    """The keys, of which the old ones are dropped when they have been kept long enough."""

    name = "encryption keys"
    sections: Collection[str] = (ENCRYPTION.key,)

    def __init__(self, keys: EnvelopeKeys) -> None:
        self._keys = keys

    def start(self) -> None:
        """Read them, which also finds damage, and drop what is old."""
        self._keys.drop_expired()

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Drop what is old by the settings of now."""
        self._keys.drop_expired()

    def tidy(self) -> None:
        """Drop what is old."""
        self._keys.drop_expired()

    def warnings(self) -> Sequence[str]:
        """Return what people should know of damage."""
        return self._keys.warnings()
