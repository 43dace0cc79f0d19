"""`otppi user`: who may send through the API."""

import getpass
import sys
from typing import Any

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit, Failure
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import columns, show
from otppi.cli.talk import ask

_COLUMNS = {
    "username": "USER",
    "active": "ACTIVE",
    "blocked": "BLOCKED",
    "password": "PASSWORD",
    "tokens": "TOKENS",
    "phone": "PHONE",
    "email": "EMAIL",
}


def _stdin_option(parser: Parser) -> None:
    parser.add_argument(
        "--password-stdin", action="store_true", help=_("read the password from the first line of stdin")
    )


def user_add(options: Options) -> int:
    """Add a user."""
    answer = ask(
        options.data,
        "user_add",
        creates=True,
        revision=options.revision,
        username=options.username,
        password=_password(options),
        token=options.token,
        phone=options.phone,
        email=options.email,
    )
    show(options, answer, _added(answer))
    return Exit.DONE


def _added(answer: dict[str, Any]) -> list[str]:
    lines = [_("user {username} may send now", username=answer["username"])]
    if token := answer.get("token"):
        lines += [_("token: {token}", token=token), _("(shown this once: Authorization: Bearer <token>)")]
    return lines


def _password(options: Options) -> str | None:
    if options.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif options.token:
        return None
    elif sys.stdin.isatty():
        password = getpass.getpass(_("Password of {username}: ", username=options.username))
        if password and getpass.getpass(_("The same again: ")) != password:
            raise Failure(Exit.USAGE, _("password: the two are not the same"))
    else:
        raise Failure(Exit.USAGE, _("password: give it with --password-stdin, or make a token with --token"))
    if not password:
        raise Failure(Exit.USAGE, _("password: is empty"))
    return password


def _listed(options: Options, users: Any) -> int:
    show(options, users, columns(users, _COLUMNS))
    return Exit.DONE


def _removed(options: Options, removed: Any) -> int:
    if not removed:
        raise Failure(Exit.FAILED, _("there is no API user {username!r}", username=options.username))
    gone = _("user {username} is removed", username=options.username)
    show(options, {"username": options.username, "removed": True}, [gone])
    return Exit.DONE


OWN = {
    "user add": Own(user_add, arguments=_stdin_option, hidden=frozenset({"password"})),
    "user list": Own(show=_listed),
    "user remove": Own(show=_removed),
}
