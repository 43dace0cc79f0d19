"""What becomes of an update, and why one was not made: names for programs and files, sentences for people."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from otppi.api.errors import OtpPiError
from otppi.text import Text, _


class Reason(StrEnum):
    """Why a bundle is not used."""

    NO_KEY = "no_key"
    NO_BUNDLE = "no_bundle"
    NOT_A_BUNDLE = "not_a_bundle"
    SIGNATURE = "signature"
    TRUNCATED = "truncated"
    CONTENT = "content"
    OLDER = "older"
    SAME = "same"
    UNFIT = "unfit"
    NO_SPACE = "no_space"
    CARD = "card"
    BUSY = "busy"
    SELF_TEST = "self_test"
    NOT_READY = "not_ready"
    """It did not become ready: the version before runs again."""


class Result(StrEnum):
    """What became of an update."""

    REFUSED = "refused"
    """Nothing was changed."""
    ON_TRIAL = "on_trial"
    """It is put in its place, and has not yet said that it is ready."""
    CONFIRMED = "confirmed"
    ROLLED_BACK = "rolled_back"
    """It did not become ready, and the version before runs again."""
    WENT_BACK = "went_back"
    """A person wanted the version before."""


SAID: Final[Mapping[Reason, Text]] = MappingProxyType(
    {
        Reason.NO_KEY: _(
            "This device has no key by which it could know an update: its card image was built without one. Write a "
            "newer image to the card instead."
        ),
        Reason.NO_BUNDLE: _("There is no bundle: it is sent before the update begins."),
        Reason.NOT_A_BUNDLE: _("This file is no update of OTP-Pi."),
        Reason.SIGNATURE: _("The signature is not right: this update was not made by who made this device's image."),
        Reason.TRUNCATED: _("The file is not whole: fetch it once more."),
        Reason.CONTENT: _("What is in the file is not what was signed, or nothing that belongs into an update."),
        Reason.OLDER: _("This version is older than the one that runs. Going back is another thing."),
        Reason.SAME: _("This version runs already."),
        Reason.UNFIT: _("This update is for another card image or another computer: write its own image to the card."),
        Reason.NO_SPACE: _("The card has no room for it."),
        Reason.CARD: _("The card cannot be written, or not be read."),
        Reason.BUSY: _("Another version is on trial: try it again in a few minutes."),
        Reason.SELF_TEST: _("The new version did not pass its own test: it sent no message by a simulated modem."),
        Reason.NOT_READY: _("The new version did not become ready, so the version before runs again."),
    }
)


class UpdateRefused(OtpPiError):  # noqa: N818 - as NotSent
    """A bundle is not used; nothing was changed.

    Attributes:
        reason: Why.
        version: The bundle's, where its signature is right; else empty.
    """

    def __init__(self, reason: Reason, version: str = "") -> None:
        super().__init__(SAID[reason])
        self.reason = reason
        self.version = version


def reason_of(name: object) -> Reason | None:
    """Return the reason of this name; None of one that is not known, as from another version."""
    return Reason(name) if isinstance(name, str) and name in set(Reason) else None
