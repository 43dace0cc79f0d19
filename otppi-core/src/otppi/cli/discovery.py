"""`otppi modem discover`: how it prints what is plugged in."""

from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import columns, complain, show
from otppi.text.states import egress_said

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
    rows = [one | {"model": one["model"] or one["product"], "state": egress_said(one["state"])} for one in devices]
    show(options, devices, columns(rows, _COLUMNS))
    if not devices:
        complain(_("no modem is plugged in"))
    return Exit.DONE if devices else Exit.FAILED


OWN = {"modem discover": Own(show=_discovered)}
