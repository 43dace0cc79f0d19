"""`otppi sim`: the lock of a modem's SIM card."""

import getpass
import sys

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit, Failure
from otppi.cli.generated import show_plain
from otppi.cli.talk import gateway

_SECRETS = {
    "enter-pin": ("PIN",),
    "unblock": ("PUK", "New PIN"),
    "change-pin": ("PIN", "New PIN"),
    "enable-pin": ("PIN",),
    "disable-pin": ("PIN",),
}
"""What is asked for, in this order."""
_HELP = {
    "enter-pin": "Give the PIN that the SIM asks for; the modem is used at once.",
    "unblock": "Give the PUK of a SIM that was blocked by wrong PINs, and a new PIN.",
    "change-pin": "Change the PIN of a SIM that asks for one.",
    "enable-pin": "Let the SIM ask for its PIN whenever it is switched on.",
    "disable-pin": "Let the SIM ask for its PIN no more.",
}
_COMMON = (
    "PINs and PUK are asked for, or read from stdin, one a line; they are never arguments, which others could see."
)


def add(commands: Commands) -> None:
    """Add the commands."""
    group = commands.within(["sim", "status"])
    for action, help_text in _HELP.items():
        example = f"otppi sim {action} m0"
        parser = group.command(action, f"{help_text}\n\n{_COMMON}", sim_change, [example, f"{example} < secrets.txt"])
        parser.set_defaults(action=action)
        parser.add_argument("modem", metavar="MODEM", help="name of the modem")


def sim_change(options: Options) -> int:
    """Change it."""
    client = gateway(options.data)
    secret, new_pin = (*_secrets(_SECRETS[options.action]), "")[:2]
    arguments = {"modem": options.modem, "action": options.action, "secret": secret, "new_pin": new_pin}
    return show_plain(options, client.call("sim_change", arguments))


def _secrets(names: tuple[str, ...]) -> list[str]:
    if not sys.stdin.isatty():
        return [sys.stdin.readline().strip() for _ in names]
    given = [getpass.getpass(f"{name}: ") for name in names]
    if "New PIN" in names and getpass.getpass("New PIN again: ") != given[-1]:
        raise Failure(Exit.USAGE, "new PIN: the two are not the same")
    return given
