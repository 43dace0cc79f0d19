"""`otppi modem discover` and `otppi modem adopt`: what is plugged in, and taking a new modem into use."""

from typing import Any

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit
from otppi.cli.output import cell, columns, complain, show
from otppi.cli.talk import gateway

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


def add(group: Commands) -> None:
    """Add the commands to `otppi modem`."""
    group.command(
        "discover",
        "List what is plugged in: modems in use, new ones, and what keeps others from being used.",
        discover,
        ["otppi modem discover", "otppi modem discover --json"],
    )
    adopting = group.command(
        "adopt",
        "Take a new modem into use. It is found by its IMEI from then on, in whatever socket it is.",
        adopt,
        ["otppi modem adopt 350000000000000 --name m1", "otppi modem adopt /dev/ttyUSB2 --name m1 --default"],
    )
    adopting.add_argument("device", metavar="IMEI|PORT", help="the modem's IMEI, or one of its ports")
    adopting.add_argument("--name", metavar="NAME", required=True, help="what the modem is called from now on")
    adopting.add_argument("--default", action="store_true", help="it sends to receivers that no prefix names")


def discover(options: Options) -> int:
    """List the devices."""
    devices: list[dict[str, Any]] = gateway(options.data).call("devices", {})
    show(options, devices, columns([one | {"model": one["model"] or one["product"]} for one in devices], _COLUMNS))
    if not devices:
        complain("no modem is plugged in")
    return Exit.DONE if devices else Exit.FAILED


def adopt(options: Options) -> int:
    """Take one into the settings."""
    arguments = {"device": options.device, "name": options.name, "default": options.default}
    adopted = gateway(options.data).call("device_adopt", arguments)
    show(options, adopted, [f"{key:<13} {cell(value)}" for key, value in adopted.items()])
    return Exit.DONE
