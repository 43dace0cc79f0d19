"""`otppi run`: the gateway in the foreground."""

from pathlib import Path

from otppi.cli.arguments import Commands, Options
from otppi.cli.language import _

_LEVELS = ("debug", "info", "warning", "error")


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.command(
        "run",
        _("Run the gateway in the foreground, until SIGTERM or Ctrl-C. A second Ctrl-C ends it at once."),
        run,
        [
            "otppi run --data ./gateway",
            "otppi run --data /var/lib/otppi --provision settings.json --log-level warning",
            "otppi run --data /var/lib/otppi --first-settings /usr/share/otppi/first-settings.json",
        ],
        prints=False,
    )
    parser.add_argument(
        "--provision",
        metavar="FILE",
        type=Path,
        help=_("JSON document of settings, checked as a whole and kept before the start (otppi settings schema)"),
    )
    parser.add_argument(
        "--first-settings",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help=_(
            "the same, taken where the data folder has never had settings, and passed over where it is not there or "
            "wrong, which is told; may be given more than once, later ones on top; one in the data folder is removed "
            "then (otppi settings check)"
        ),
    )
    parser.add_argument(
        "--no-stand-in",
        action="store_true",
        help=_("where no modem is configured, refuse SMS (1101) rather than give them to a simulated one"),
    )
    parser.add_argument("--safe-mode", action="store_true", help=_("load no plugins, to get in and repair"))
    parser.add_argument("--log-level", choices=_LEVELS, default="info", help=_("how much is logged (default: info)"))


def run(options: Options) -> int:
    """Run it."""
    from otppi.cli import foreground, logs
    from otppi.host.log.ring import LogRing

    ring = LogRing()
    log = logs.start(options.log_level, ring)
    code = foreground.run(
        options.data,
        options.provision,
        log,
        ring,
        safe_mode=options.safe_mode,
        first_settings=options.first_settings,
        stand_in=not options.no_stand_in,
    )
    if code is None:
        # What it was provisioned with is kept, and may have been changed since; plugins get another try. The first
        # settings are looked at again, since what has the gateway restart may have been a reset.
        more = [f"--first-settings={path}" for path in options.first_settings]
        if options.no_stand_in:
            more.append("--no-stand-in")
        foreground.begin_again(log, ["--data", str(options.data), "run", *more, "--log-level", options.log_level])
    return code
