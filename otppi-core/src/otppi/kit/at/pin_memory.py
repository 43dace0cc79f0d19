"""Which SIM PIN was tried already: three wrong ones cost the PUK, so none is ever tried twice by itself."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from otppi.api.errors import ModemBlocked
from otppi.text import _


class PinMemory:
    """Remembers, on the RAM disk, the PIN that was tried and not accepted since the device was switched on.

    One that was accepted is forgotten, so that the modem works again after it was unplugged: no more than one wrong
    try is ever made (modems.md 16).
    """

    def __init__(self, folder: Path, modem: str) -> None:
        self._path = folder / f"pin-{hashlib.sha256(modem.encode()).hexdigest()[:16]}"

    def claim(self, pin: str, tries_left: Callable[[], int | None]) -> None:
        """Remember the PIN of the settings, which is about to be tried.

        Args:
            pin: The PIN; empty where none is set.
            tries_left: Asks how many wrong PINs the SIM still bears, None where it does not tell.

        Raises:
            ModemBlocked: It must not be tried.
        """
        if not pin:
            raise ModemBlocked(_("the SIM asks for its PIN and none is set"))
        if self.was_tried(pin):
            raise ModemBlocked(
                _("the SIM asks for its PIN again: the one that is set was tried and is not tried again")
            )
        if tries_left() == 1:
            raise ModemBlocked(_("the SIM asks for its PIN and one try is left: that one is for a person"))
        self.remember(pin)

    def was_tried(self, pin: str) -> bool:
        """Whether this very PIN was given to this modem's SIM already."""
        try:
            kept = self._path.read_bytes()
        except FileNotFoundError:
            return False
        return kept[16:] == self._digest(pin, kept[:16])

    def remember(self, pin: str) -> None:
        """Note it before it is tried, so that a crash in between cannot try it again."""
        salt = os.urandom(16)
        with open(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(salt + self._digest(pin, salt))

    def forget(self) -> None:
        """Forget what was tried: the SIM is open, so it was right."""
        self._path.unlink(missing_ok=True)

    @staticmethod
    def _digest(pin: str, salt: bytes) -> bytes:
        return hashlib.scrypt(pin.encode(), salt=salt, n=2**12, r=8, p=1, dklen=32)
