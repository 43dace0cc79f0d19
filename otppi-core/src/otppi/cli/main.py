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
    language,
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
from otppi.cli.language import spoken
from otppi.cli.output import open_streams
from otppi.text import _
from otppi.text.languages import ENGLISH

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
_DESCRIPTION = _("A one-time-password gateway: HTTP request in, SMS out.")
_EXAMPLES = (
    ("otppi run --data ./gateway", _("a gateway with a simulated modem, until Ctrl-C")),
    ("otppi send 081234567890 Hello", _("send an SMS by it")),
    ("otppi doctor", _("say what is wrong, and what to do")),
)


def _epilog() -> str:
    return "\n".join(
        [
            spoken(_("exit codes:")),
            *(f"  {code.value:<4} {spoken(code.meaning)}" for code in Exit),
            "",
            spoken(_("examples:")),
            *(f"  {example:<33} {spoken(what)}" for example, what in _EXAMPLES),
        ]
    )


def parser() -> Parser:
    """Make the parser of the whole command line."""
    top = root(otppi.__version__, spoken(_DESCRIPTION), _epilog())
    commands = Commands(top)
    for module in _COMMANDS:
        module.add(commands)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run the command; give its exit code."""
    open_streams()
    language.choose(sys.argv[1:] if arguments is None else arguments)
    options = complete(parser().parse_args(arguments))
    if options.json:  # scripts read it, and what they wait for does not change with who started them
        language.use(ENGLISH)
    # What follows imports the errors of the host: a command that is only asked for its --help does without.
    from otppi.cli import failures, logs

    sys.excepthook = failures.excepthook
    logs.brief()
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):  # a text that the terminal cannot show must not end us
            reconfigure(errors="backslashreplace")
    return failures.guarded(lambda: int(options.handler(options)))
