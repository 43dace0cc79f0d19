"""`otppi internet`: the modems' connections to the internet, and the operators' access points."""

from typing import Any

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import columns, moment, show

_STATUS = {
    "modem_id": "MODEM",
    "state": "STATE",
    "since": "SINCE",
    "port": "PORT",
    "interface": "INTERFACE",
    "address": "ADDRESS",
    "attempts": "ATTEMPTS",
    "detail": "DETAIL",
}
_PRESETS = {
    "preset": "PRESET",
    "title": "OPERATOR",
    "apn": "APN",
    "username": "USERNAME",
    "password": "PASSWORD",
    "dial_number": "DIAL",
    "networks": "NETWORKS",
}


def add(commands: Commands) -> None:
    """Add the command that needs no gateway."""
    commands.within(["internet", "presets"]).command(
        "presets",
        _("List the operators whose access points are known: what the setting apn_preset can be."),
        internet_presets,
        ["otppi internet presets", "otppi internet presets --json"],
    )


def _shown(options: Options, links: Any) -> int:
    rows = [one | ({"since": moment(one["since"])} if "since" in one else {}) for one in links]
    show(options, links, columns(rows, _STATUS))
    return Exit.DONE


OWN = {"internet status": Own(show=_shown)}


def internet_presets(options: Options) -> int:
    """Print the table."""
    from dataclasses import asdict

    from otppi.host.modems.apn import PRESETS

    rows = [{"preset": key} | asdict(one) for key, one in PRESETS.items()]
    show(options, rows, columns(rows, _PRESETS))
    return Exit.DONE
