"""`otppi modem discover`: how it prints what is plugged in."""

from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import columns, complain, show

_COLUMNS = {
    "state": "STATE",
    "modem": "MODEM",
    "port": "PORT",
    "type": "TYPE",
    "model": "MODEL",
    "imei": "IMEI",
    "operator": "OPERATOR",
    "sim": "SIM",
    "detail": "DETAIL",
}


def _discovered(options: Options, devices: Any) -> int:
    show(options, devices, columns([one | {"model": one["model"] or one["product"]} for one in devices], _COLUMNS))
    if not devices:
        complain(_("no modem is plugged in"))
    return Exit.DONE if devices else Exit.FAILED


OWN = {"modem discover": Own(show=_discovered)}
