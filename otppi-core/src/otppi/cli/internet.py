"""`otppi internet`: the modems' connections to the internet, and the operators' access points."""

from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
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


def _shown(options: Options, links: Any) -> int:
    rows = [one | ({"since": moment(one["since"])} if "since" in one else {}) for one in links]
    show(options, links, columns(rows, _STATUS))
    return Exit.DONE


def _presets(options: Options, presets: Any) -> int:
    show(options, presets, columns(presets, _PRESETS))
    return Exit.DONE


OWN = {"internet status": Own(show=_shown), "internet presets": Own(show=_presets)}
