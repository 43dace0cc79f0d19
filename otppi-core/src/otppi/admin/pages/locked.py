"""What helps who is locked out: a page for whoever asks, since who needs it cannot log in."""

from typing import Any

from otppi.admin.pages.answers import drawn
from otppi.admin.parts import Parts
from otppi.admin.security.guard import public
from otppi.host.reset.settings import RESET


class LockedPage:
    """`/locked`. It says nothing of this device but whether a stick may reset it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @public("GET", "HEAD")
    def index(self, **_fields: Any) -> bytes:
        """Tell what helps, the mildest first."""
        return drawn(self._parts, "locked.html", stick=self._parts.config.one(RESET)["stick"])
