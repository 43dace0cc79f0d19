"""The words of the brochure, of which each language has a page."""

from typing import Final, NamedTuple

from image.card.texts import _
from otppi.text import Text

ADDRESS: Final = "http://192.168.0.11:8888"
"""Where the pages of a device are, for who is in the Wi-Fi of its access point."""


class Step(NamedTuple):
    """One of the steps from the box to the first SMS."""

    title: Text
    help: Text


TITLE: Final = _("Quick start")
STEPS: Final = (
    Step(_("Plug in the SIM card and the modem"), _("SIM card into the modem, modem into a USB socket.")),
    Step(_("Connect the power, wait two minutes"), _("It starts by itself.")),
    Step(
        _("Join its Wi-Fi"),
        _("Scan the code with a phone, or type the passphrase. Stay in this Wi-Fi, even if it says “no internet”."),
    ),
    Step(_("Open its page"), _("Many phones open it by themselves. If not, scan the code or type the address.")),
    Step(_("Create the administrator"), _("A name, and a password of at least 10 characters.")),
    Step(_("Send the first SMS"), _("The page leads you there: the modem, then a test SMS.")),
)
JOIN: Final = _("Scan to join the Wi-Fi")
NETWORK: Final = _("Wi-Fi")
PASSPHRASE: Final = _("Passphrase, exactly as printed")
OPEN: Final = _("Scan to open it")
CODE: Final = _("Device code: for a reset, and to set the device up by network cable")
KEEP: Final = _("Keep this paper.")
KEEP_HELP: Final = _("Who has it has the device.")
NOTES: Final = (
    _("No Wi-Fi after five minutes? Pull the plug, wait ten seconds, plug it in again."),
    _(
        "No page? Switch mobile data off, stay in this Wi-Fi, and type the address with “http://”. "
        "By network cable: http://otppi.local:8888."
    ),
)
LAW: Final = _(
    "Wi-Fi country: {country}. Use a modem, a SIM card and a power supply that are approved in your country.",
    country="",
)
