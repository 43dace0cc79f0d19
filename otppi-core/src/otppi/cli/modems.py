"""`otppi modem`: how modems are listed; ask ports for modems, and try one."""

from pathlib import Path
from typing import Any

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.language import _, spoken
from otppi.cli.output import cell, columns, complain, moment, show
from otppi.cli.sending import deliver, tell
from otppi.cli.status import MODEM_COLUMNS, modem_table, recovery_lines
from otppi.cli.talk import gateway
from otppi.text.states import egress_said

_LIST_COLUMNS = {key: title for key, title in MODEM_COLUMNS.items() if key != "detail"} | {
    "imei": "IMEI",
    "detail": "DETAIL",
}
_TIMES = ("since", "balance_read")
_TOLD_ELSEWHERE = ("usage", "recoveries", "last_recovery", "next_step")
_PROBE_COLUMNS = {
    "port": "PORT",
    "state": "STATE",
    "type": "TYPE",
    "manufacturer": "MANUFACTURER",
    "model": "MODEL",
    "imei": "IMEI",
    "operator": "OPERATOR",
    "detail": "DETAIL",
}


def add(commands: Commands) -> None:
    """Add the command that needs no gateway, and asks with the rights of who types it."""
    group = commands.within(["modem", "probe"])
    probing = group.command(
        "probe",
        _(
            "Ask serial ports which modem is there. A port that a program holds is named with its "
            "holder and left alone."
        ),
        modem_probe,
        ["otppi modem probe", "otppi modem probe /dev/ttyUSB2 /dev/ttyUSB3 --json"],
    )
    probing.add_argument("paths", metavar="PATH", nargs="*", help=_("serial ports (default: all of this device)"))


def _listed(options: Options, modems: Any) -> int:
    show(options, modems, [*modem_table(modems, _LIST_COLUMNS), *recovery_lines(modems)])
    return Exit.DONE


def _cleared(options: Options, answer: Any) -> int:
    deleted = _.plural(
        "{count} message to be sent was deleted", "{count} messages to be sent were deleted", count=answer["cleared"]
    )
    show(options, answer, [deleted])
    return Exit.DONE


def modem_probe(options: Options) -> int:
    """Ask the ports; exit code 1 where no modem was found."""
    from otppi.cli.probing import probe_ports, serial_ports

    paths = [str(Path(path).absolute()) for path in options.paths] or serial_ports()
    found = probe_ports(paths)
    show(
        options,
        found,
        columns([one | one["identity"] | {"state": egress_said(one["state"])} for one in found], _PROBE_COLUMNS),
    )
    if not paths:
        complain(_("this device has no serial port: is the modem plugged in and switched on?"))
    return Exit.DONE if any(one["state"] in ("found", "blocked") for one in found) else Exit.FAILED


def modem_test(options: Options) -> int:
    """Look at one modem, and send by it; how it is is shown before the message is on its way."""
    client = gateway(options.data)
    if options.to is not None and not options.json:
        for modem in client.call("modems", {}):
            if modem["modem_id"] == options.modem and modem["state"] == "ready":
                _tell_state(options, modem)
    answer = deliver(client, "modem_test", modem=options.modem, to=options.to or "")
    return tell(options, answer) if "response_code" in answer else _tell_state(options, answer["modem"])


def _tell_state(options: Options, modem: dict[str, Any]) -> int:
    facts = {key: value for key, value in modem.items() if key not in _TOLD_ELSEWHERE and value not in (None, "")}
    facts |= {key: moment(facts[key]) for key in _TIMES if key in facts}
    facts["state"] = egress_said(modem["state"])
    lines = [f"{key:<13} {cell(value)}" for key, value in facts.items()]
    show(options, {"modem": modem}, [*lines, *recovery_lines([modem])])
    if modem["state"] == "ready":
        return Exit.DONE
    complain(
        _(
            "modem {modem_id} is {state}: {detail}",
            modem_id=modem["modem_id"],
            state=spoken(egress_said(modem["state"])),
            detail=modem["detail"] or _("it is being opened"),
        )
    )
    return Exit.FAILED


OWN = {
    "modem list": Own(show=_listed),
    "modem clear-memory": Own(show=_cleared),
    "modem test": Own(modem_test),
}
