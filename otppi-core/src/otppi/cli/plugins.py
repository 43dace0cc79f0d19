"""`otppi plugins`: which plugins are installed, what each offers, and why one is left out."""

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit
from otppi.cli.language import _
from otppi.cli.output import columns, show

_KEYS = ("name", "distribution", "version", "offers", "error")


def add(commands: Commands) -> None:
    """Add the command."""
    commands.command(
        "plugins",
        _("List the plugins that are installed, what each offers, and why one is left out."),
        plugins,
        ["otppi plugins", "otppi plugins --json | jq '.[] | select(.error)'"],
    )


def plugins(options: Options) -> int:
    """Print the plugins; exit code 1 where one cannot be used."""
    from otppi.cli.installed import installed

    found = installed()
    show(options, found, columns(found, dict(zip(_KEYS, map(str.upper, _KEYS), strict=True))))
    return Exit.FAILED if any(one["error"] for one in found) else Exit.DONE
