"""`otppi plugins`: which plugins are installed, what each offers, and why one is left out."""

from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.output import columns, show

_KEYS = ("name", "distribution", "version", "state", "offers", "error")


def _shown(options: Options, plugins: Any) -> int:
    """Print the plugins; exit code 1 where one cannot be used."""
    show(options, plugins, columns(plugins, dict(zip(_KEYS, map(str.upper, _KEYS), strict=True))))
    return Exit.FAILED if any(one["error"] for one in plugins) else Exit.DONE


OWN = {"plugins": Own(show=_shown)}
