"""The settings of resets by a stick."""

from typing import TypedDict

from otppi.api.settings import TypedSection, boolean
from otppi.text import _


class ResetValues(TypedDict):
    """The values of `RESET`."""

    stick: bool
    public_word: bool


RESET = TypedSection(
    values=ResetValues,
    key="reset",
    title=_("Reset stick"),
    help=_("What a USB stick may do that is plugged in within ten minutes after the device was switched on."),
    reset_group="administrator",
    settings=(
        boolean(
            "stick",
            _("Reset by a stick"),
            _("Let a stick with the code of the device reset it: for who is locked out."),
            True,
        ),
        boolean(
            "public_word",
            _("Without the code"),
            _(
                "Take a `reset-config.ini` with the `VERIFY` of earlier devices, too: everybody knows that word, so "
                "that whoever comes to the device may reset it."
            ),
            False,
            enabled_by="stick",
            advanced=True,
        ),
    ),
)
