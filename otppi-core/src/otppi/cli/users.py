"""`otppi user`: who may send through the API."""

from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit, Failure
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import columns, show
from otppi.cli.passwords import stdin_option, typed
from otppi.cli.talk import ask

_COLUMNS = {
    "username": "USER",
    "active": "ACTIVE",
    "blocked": "BLOCKED",
    "password": "PASSWORD",
    "tokens": "TOKENS",
    "metrics_only": "METRICS ONLY",
    "phone": "PHONE",
    "email": "EMAIL",
}


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
        metrics_only=options.metrics_only,
        phone=options.phone,
        email=options.email,
    )
    show(options, answer, _added(answer, metrics_only=options.metrics_only))
    return Exit.DONE


def _added(answer: dict[str, Any], *, metrics_only: bool) -> list[str]:
    name = answer["username"]
    may_read = _("user {username} may read metrics now", username=name)
    lines = [may_read if metrics_only else _("user {username} may send now", username=name)]
    if token := answer.get("token"):
        lines += [_("token: {token}", token=token), _("(shown this once: Authorization: Bearer <token>)")]
    return lines


def _password(options: Options) -> str | None:
    if options.token and not options.password_stdin:
        return None
    return typed(options, _("password: give it with --password-stdin, or make a token with --token"))


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
    "user add": Own(user_add, arguments=stdin_option, hidden=frozenset({"password"})),
    "user list": Own(show=_listed),
    "user remove": Own(show=_removed),
}
