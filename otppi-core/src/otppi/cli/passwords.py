"""A password on the command line: typed twice where nobody sees it, or read from stdin; never an argument."""

import getpass
import sys

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit, Failure
from otppi.cli.language import _


def stdin_option(parser: Parser) -> None:
    """Add the option that reads the password from stdin."""
    parser.add_argument(
        "--password-stdin", action="store_true", help=_("read the password from the first line of stdin")
    )


def typed(options: Options, otherwise: str) -> str:
    """Return the password of the user whom the options name.

    Raises:
        Failure: The two are not the same, or it is empty, or there is nobody to ask, which `otherwise` says.
    """
    if options.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass(_("Password of {username}: ", username=options.username))
        if password and getpass.getpass(_("The same again: ")) != password:
            raise Failure(Exit.USAGE, _("password: the two are not the same"))
    else:
        raise Failure(Exit.USAGE, otherwise)
    if not password:
        raise Failure(Exit.USAGE, _("password: is empty"))
    return password
