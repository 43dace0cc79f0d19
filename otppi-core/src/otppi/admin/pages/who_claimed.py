"""Tells for a day when and from where the first administrator was created: whoever owns the device sees it then."""

from typing import Final

from otppi.admin.pages.answers import visit
from otppi.admin.parts import Parts
from otppi.admin.rendering.formats import moment
from otppi.text import Text, _

NOT_YOU: Final = _("Was it not you? Reset the device with a flash disk.")


def who_claimed(parts: Parts) -> Text | None:
    """Say it; None where it is longer ago, or nobody has."""
    about = parts.claim.about
    if about is None or not parts.claim.is_recent:
        return None
    when, address = moment(about[0], visit().language), about[1]
    if not address:
        return _("The administrator was created at {when} on the device itself.", when=when)
    return _("The administrator was created at {when} from {address}.", when=when, address=address)
