"""`otppi`: all its commands, and the way from the arguments to an exit code."""

import sys

import otppi
from otppi.cli import (
    blocking,
    completion,
    doctor,
    inbox,
    internet,
    keys,
    modems,
    phone,
    plugins,
    run,
    sending,
    settings,
    sim,
    status,
    usage,
    users,
    ussd,
)
from otppi.cli.arguments import Commands, Parser, complete, root
from otppi.cli.exits import Exit
from otppi.cli.output import open_streams

_COMMANDS = (
    run,
    status,
    sending,
    phone,
    inbox,
    modems,
    sim,
    ussd,
    usage,
    settings,
    users,
    keys,
    blocking,
    plugins,
    internet,
    doctor,
    completion,
)
_DESCRIPTION = "A one-time-password gateway: HTTP request in, SMS out."
_EPILOG = "\n".join(
    [
        "exit codes:",
        *(f"  {code.value:<4} {code.meaning}" for code in Exit),
        "",
        "examples:",
        "  otppi run --data ./gateway        a gateway with a simulated modem, until Ctrl-C",
        "  otppi send 081234567890 Hello     send an SMS by it",
        "  otppi doctor                      say what is wrong, and what to do",
    ]
)


def parser() -> Parser:
    """Make the parser of the whole command line."""
    top = root(otppi.__version__, _DESCRIPTION, _EPILOG)
    commands = Commands(top)
    for module in _COMMANDS:
        module.add(commands)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run the command; give its exit code."""
    open_streams()
    options = complete(parser().parse_args(arguments))
    # What follows imports the errors of the host: a command that is only asked for its --help does without.
    from otppi.cli import failures, logs

    sys.excepthook = failures.excepthook
    logs.brief()
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):  # a text that the terminal cannot show must not end us
            reconfigure(errors="backslashreplace")
    return failures.guarded(lambda: int(options.handler(options)))
