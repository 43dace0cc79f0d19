"""`otppi user`: who may send through the API."""

import getpass
import sys
from typing import Any

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit, Failure
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


def add(commands: Commands) -> None:
    """Add the commands."""
    group = commands.group("user", "Show or change who may send through the API.")
    adding = group.command(
        "add",
        "Add an API user with a password, a bearer token, or both.\n\n"
        "A password is asked for, or read from stdin; it is never an argument, which others could see.",
        user_add,
        ["otppi user add shop", "otppi user add shop --token", "pass show shop | otppi user add shop --password-stdin"],
    )
    adding.add_argument("--password-stdin", action="store_true", help="read the password from the first line of stdin")
    adding.add_argument("--token", action="store_true", help="make a bearer token, which is shown this once")
    adding.add_argument("--phone", metavar="NUMBER", default="", help="contact of the user")
    adding.add_argument("--email", metavar="ADDRESS", default="", help="contact of the user")
    group.command("list", "List the API users.", user_list, ["otppi user list --json"])
    removing = group.command("remove", "Remove an API user.", user_remove, ["otppi user remove shop"])
    for parser in (adding, removing):
        parser.add_argument("username", metavar="NAME", help="name of the user")


def user_add(options: Options) -> int:
    """Add a user."""
    answer = ask(
        options.data,
        "user_add",
        creates=True,
        username=options.username,
        password=_password(options),
        token=options.token,
        phone=options.phone,
        email=options.email,
    )
    show(options, answer, _added(answer))
    return Exit.DONE


def _added(answer: dict[str, Any]) -> list[str]:
    lines = [f"user {answer['username']} may send now"]
    if token := answer.get("token"):
        lines += [f"token: {token}", "(shown this once: Authorization: Bearer <token>)"]
    return lines


def _password(options: Options) -> str | None:
    if options.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif options.token:
        return None
    elif sys.stdin.isatty():
        password = getpass.getpass(f"Password of {options.username}: ")
        if password and getpass.getpass("The same again: ") != password:
            raise Failure(Exit.USAGE, "password: the two are not the same")
    else:
        raise Failure(Exit.USAGE, "password: give it with --password-stdin, or make a token with --token")
    if not password:
        raise Failure(Exit.USAGE, "password: is empty")
    return password


def user_list(options: Options) -> int:
    """List the users."""
    users = ask(options.data, "users")
    show(options, users, columns(users, _COLUMNS))
    return Exit.DONE


def user_remove(options: Options) -> int:
    """Remove a user."""
    if not ask(options.data, "user_remove", username=options.username):
        raise Failure(Exit.FAILED, f"there is no API user {options.username!r}")
    show(options, {"username": options.username, "removed": True}, [f"user {options.username} is removed"])
    return Exit.DONE
