"""`otppi status`: how the gateway, its modems and its ways in are."""

from typing import Any

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit
from otppi.cli.output import cell, columns, moment, show
from otppi.cli.talk import gateway

MODEM_COLUMNS = {
    "modem_id": "MODEM",
    "state": "STATE",
    "sent": "SENT",
    "queued": "QUEUED",
    "signal_dbm": "DBM",
    "operator": "OPERATOR",
    "registration": "REGISTRATION",
    "imei": "IMEI",
    "detail": "DETAIL",
}


def add(commands: Commands) -> None:
    """Add the command."""
    commands.command(
        "status", "Say how the running gateway is.", status, ["otppi status", "otppi status --json | jq -r .status"]
    )


def status(options: Options) -> int:
    """Print the state of the gateway that runs."""
    answer = gateway(options.data).call("status", {})
    show(options, answer, _lines(answer))
    return Exit.DONE


def _lines(answer: dict[str, Any]) -> list[str]:
    lines = [
        f"gateway {answer['status']}, version {answer['version']}, running since {moment(answer['started'])}, "
        f"{answer['queued']} queued",
        "",
        *columns(answer["modems"], MODEM_COLUMNS),
    ]
    ways = [one | {"now": _now(one)} for one in answer["ingresses"]]
    lines += (
        ["", *columns(ways, {"name": "WAY IN", "state": "STATE", "now": "NOW"})]
        if ways
        else ["", "no way in is enabled"]
    )
    return lines + [f"problem: {cell(problem)}" for problem in answer["problems"]]


def _now(ingress: dict[str, Any]) -> str:
    if error := ingress["last_error"]:
        return f"failed {ingress['failures']} times, last with {error}"
    own = {key: value for key, value in ingress.items() if key not in ("name", "state", "failures", "last_error")}
    return ", ".join(f"{key} {cell(value)}" for key, value in own.items())
