"""Registers mobile internet by PPP, and its settings."""

from collections.abc import Sequence

from otppi.api import hookimpl
from otppi.api.internet import Internet, InternetContext, InternetType
from otppi.api.settings import Section, boolean, integer, text
from otppi_internet_ppp.text import _

SECTION = Section(
    key="internet",
    title=_("Mobile internet"),
    help=_("How modems with internet access connect (by pppd); what they dial is set at each modem."),
    reset_group="internet",
    settings=(
        text(
            "default_route",
            _("Default Route"),
            _(
                "Whether it becomes the way to the internet: not at all, in reserve for when Ethernet has none (add), "
                "or always."
            ),
            "add",
            choices=("none", "add", "replace"),
            choice_titles={
                "none": _("never"),
                "add": _("in reserve"),
                "replace": _("always"),
            },
        ),
        boolean("use_peer_dns", _("Operator's DNS"), _("Whether the operator's name servers are used."), True),
        integer(
            "dial_timeout",
            _("Dial time-out"),
            _("How long the network may take to connect."),
            60,
            minimum=5,
            maximum=300,
            unit=_("s"),
        ),
    ),
)


@hookimpl
def otppi_internet_types() -> Sequence[InternetType]:
    """Return the one type of this plugin."""
    return [InternetType(section=SECTION, create=_create)]


def _create(context: InternetContext) -> Internet:
    """Import what runs `pppd` only where it is wanted: it costs memory."""
    from otppi_internet_ppp.link import PppLink

    return PppLink(context)
