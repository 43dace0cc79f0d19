"""Which SIM card is in a modem, against the one that its settings name: cards get mixed up."""

from otppi.api.modem import ModemIdentity
from otppi.host.modems.values import ModemValues
from otppi.text import _

_SHOWN = 4
_COMPARED = 8
"""Digits at the end of a number that tell it from others, however its beginning is written."""


def number_of(settings: ModemValues | None, identity: ModemIdentity) -> str:
    """Return the telephone number of a modem's SIM card: the one that is set, else what the card says of itself."""
    return (settings["msisdn"] if settings else "") or identity.msisdn


def sim_problem(settings: ModemValues | None, identity: ModemIdentity) -> str:
    """Return that the SIM card which is in is not the one that is set; empty where it is, or where nothing can be said.

    Only the ends of the numbers are told: they are nobody else's business.
    """
    if settings is None:
        return ""
    wanted, found = settings["imsi"], identity.imsi
    if wanted and found and wanted != found:
        ends = _("its IMSI ends in {found}, not in {wanted}", found=found[-_SHOWN:], wanted=wanted[-_SHOWN:])
        return _("another SIM card is in than the one that is set: {ends}", ends=ends)
    wanted, found = settings["msisdn"], identity.msisdn
    if wanted and found and wanted[-_COMPARED:] != found[-_COMPARED:] and not settings["imsi"]:
        return _(
            "the SIM card says that its number ends in {found}, and the one that is set ends in "
            "{wanted}: it may be another card",
            found=found[-_SHOWN:],
            wanted=wanted[-_SHOWN:],
        )
    return ""
