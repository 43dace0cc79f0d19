"""What can be asked of the firewall in few words; each change is a trial, as any other of the device's network."""

import math
from typing import Any, Final

from otppi.api.operations import Call, Operation, Role
from otppi.api.settings import boolean
from otppi.api.trials import CannotWrite
from otppi_firewall_nftables.ports import Row
from otppi_firewall_nftables.settings import KEY, NOBODY, SECTION
from otppi_firewall_nftables.text import _

_COLUMNS: Final = {column.key: column for column in SECTION["ports"].columns}
_KEEP: Final = boolean("keep", _("Keep"), _("Keep it at once, without a trial to confirm."), False)


def _list(_call: Call) -> dict[str, Any]:
    from otppi_firewall_nftables.handing_over import InUse, boot_time, check_there  # only where somebody asks

    check_there()
    firewall = InUse()
    kept, trial = firewall.kept(), firewall.trial()
    return {
        "services": list(kept.services),
        "page": kept.page,
        "ports": [dict(row) for row in firewall.rows()],
        "trial_seconds": None if trial is None else max(0, math.ceil(trial.expires - boot_time())),
    }


def _open(call: Call, *, keep: bool, **row: Any) -> Any:
    rows = [*_others(row["protocol"], row["port"]), row]
    return _change(call, rows, keep=keep)


def _close(call: Call, *, port: int, protocol: str, keep: bool) -> Any:
    from otppi_firewall_nftables.handing_over import InUse

    rows: list[Row] = _others(protocol, port)
    firewall = InUse()
    if protocol == "tcp" and port in firewall.kept().services:
        rows.append({"port": port, "protocol": protocol, "open_to": NOBODY, "note": ""})
    elif len(rows) == len(firewall.rows()):
        raise CannotWrite(_("{port}/{protocol} is not open", port=port, protocol=protocol))
    return _change(call, rows, keep=keep)


def _others(protocol: str, port: int) -> list[Row]:
    """Return the rows that are in use, without that of a port."""
    from otppi_firewall_nftables.handing_over import InUse, check_there

    check_there()
    return [row for row in InUse().rows() if (row["protocol"], row["port"]) != (protocol, port)]


def _change(call: Call, rows: list[Row], *, keep: bool) -> Any:
    status = call.perform("network_change", section=KEY, values={"ports": [dict(row) for row in rows]})
    return call.perform("network_confirm", token=status["token"]) if keep else status


OPERATIONS: Final = (
    Operation(
        name="firewall_list",
        title=_("List open ports"),
        help=_("Tell which ports of the device can be reached: those of services, and those that are opened by hand."),
        handler=_list,
        role=Role.VIEWER,
        reads_only=True,
        command="firewall list",
        default_command=True,
    ),
    Operation(
        name="firewall_open",
        title=_("Open a port"),
        help=_(
            "Have a port of the device reached by network, for as long as a trial lasts; it stays open when that is "
            "confirmed (`otppi network confirm`). A port that is open to others already is open to these only."
        ),
        handler=_open,
        parameters=(*_COLUMNS.values(), _KEEP),
        changes="settings",
        waits=True,
        asks_again=True,
        command="firewall open",
        positional=("port",),
        examples=("5000 --protocol udp --open-to lan --note telemetry",),
    ),
    Operation(
        name="firewall_close",
        title=_("Close a port"),
        help=_(
            "Have a port reached by nobody, also where a service of the gateway listens there, for as long as a trial "
            "lasts; it stays closed when that is confirmed (`otppi network confirm`). The port of the pages stays open."
        ),
        handler=_close,
        parameters=(_COLUMNS["port"], _COLUMNS["protocol"], _KEEP),
        changes="settings",
        waits=True,
        asks_again=True,
        command="firewall close",
        positional=("port",),
        examples=("8899",),
    ),
)
