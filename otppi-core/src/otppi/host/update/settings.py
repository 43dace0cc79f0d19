"""The settings of updates: whether Debian's security updates are installed by themselves, and at which hours."""

from typing import TypedDict

from otppi.api.settings import Input, TypedSection, boolean, text
from otppi.text import _


class UpdatesValues(TypedDict):
    """The values of `UPDATES`."""

    security: bool
    hours: str


def _whole_day(span: str) -> str | None:
    begin, _dash, end = span.partition("-")
    return _("must not begin and end at the same time") if begin == end else None


UPDATES = TypedSection(
    values=UpdatesValues,
    key="updates",
    title=_("Updates"),
    help=_("Security updates of the system around OTP-Pi, on a card image. OTP-Pi itself waits for a person."),
    reset_group="sms",
    settings=(
        boolean(
            "security",
            _("Debian's security updates"),
            _(
                "Install them by themselves, once a day, over the device's connection to the internet. They take up to "
                "some hundred megabytes a month. Never while a message waits or is being sent."
            ),
            False,
        ),
        text(
            "hours",
            _("Hours"),
            _("When they may begin, by the time zone that is set, such as 02:00-05:00."),
            "02:00-05:00",
            input=Input.TIME_SPAN,
            check=_whole_day,
            enabled_by="security",
        ),
    ),
)
