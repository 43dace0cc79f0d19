"""`otppi plugins`: which plugins are installed, what each offers, and why one is left out."""

from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit, Failure
from otppi.cli.generated import Own
from otppi.cli.output import columns, show
from otppi.cli.talk import by_itself, running

_KEYS = ("name", "distribution", "version", "state", "offers", "error")


def _list(options: Options) -> int:
    """Print the plugins; exit code 1 where one cannot be used."""
    plugins = _plugins(options)
    show(options, plugins, columns(plugins, dict(zip(_KEYS, map(str.upper, _KEYS), strict=True))))
    return Exit.FAILED if any(one["error"] for one in plugins) else Exit.DONE


def _plugins(options: Options) -> Any:
    """Return what the gateway that runs has loaded, as in safe mode none; without one, what it would load."""
    try:
        client = running(options.data)
    except Failure:  # it is another user's, who is told what is installed all the same
        client = None
    return client.call("plugins", {}) if client else by_itself(options.data, "plugins")


OWN = {"plugins": Own(run=_list)}
