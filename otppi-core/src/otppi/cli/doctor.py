"""`otppi doctor`: what is wrong, and what to do."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit
from otppi.cli.language import _, spoken
from otppi.cli.output import one_line, show
from otppi.text.states import said

if TYPE_CHECKING:  # the checks import most of the host
    from otppi.cli.checks.finding import Finding


def add(commands: Commands) -> None:
    """Add the command."""
    commands.command(
        "doctor",
        _("Look for what is wrong, and say what to do about it. Exit code 1 where there is a problem."),
        doctor,
        ["otppi doctor", "sudo otppi doctor --data /var/lib/otppi", "otppi doctor --json | jq -r .healthy"],
    )


def doctor(options: Options) -> int:
    """Print what every check finds."""
    from otppi.cli.checks.finding import Severity

    findings = list(_findings(options.data))
    healthy = not any(one.level is Severity.PROBLEM for one in findings)
    checks = [
        {"check": one.check, "level": one.level.value, "text": one.text, "advice": one.advice} for one in findings
    ]
    show(options, {"healthy": healthy, "checks": checks}, map(_line, findings))
    return Exit.DONE if healthy else Exit.FAILED


def _line(one: "Finding") -> str:
    return one_line(
        f"{spoken(said(one.level.value)):<8} {one.check}: {one.text}{f' → {one.advice}' if one.advice else ''}"
    )


def _findings(data: Path) -> Iterator["Finding"]:
    from otppi.cli.checks import device, gateway
    from otppi.cli.checks.finding import problem

    yield from gateway.check_plugins(data)
    if not data.is_dir():
        yield problem(
            _("data folder"),
            _("there is no {data}", data=data),
            _("name it with --data, or make it: otppi run --data DIR"),
        )
        return
    folder = list(device.check_folder(data))
    yield from folder
    yield device.check_clock(data)
    yield from device.check_power_supply()
    yield from device.check_hardware()
    try:
        yield device.check_boot_folder(data)
        yield gateway.check_store(data)
        yield from gateway.check_gateway(data)
    except PermissionError as error:
        yield problem(
            _("permission"),
            _("{filename} may not be read by this user", filename=error.filename or data),
            _("try again with sudo"),
        )
