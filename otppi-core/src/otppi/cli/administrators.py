"""`otppi admin`: who may administer the gateway, their second factors, and the code by which a device is claimed."""

import sys
from collections.abc import Callable
from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit, Failure
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import columns, show
from otppi.cli.passwords import stdin_option, typed
from otppi.cli.talk import ask

_COLUMNS = {
    "username": "ADMINISTRATOR",
    "role": "ROLE",
    "active": "ACTIVE",
    "blocked": "BLOCKED",
    "second_factor": "TWO-STEP",
    "recovery_codes": "RECOVERY CODES",
    "phone": "PHONE",
    "email": "EMAIL",
    "language": "LANGUAGE",
}


def _password(options: Options) -> str:
    return typed(options, _("password: give it with --password-stdin"))


def _add(options: Options) -> int:
    answer = ask(
        options.data,
        "administrator_add",
        creates=True,
        revision=options.revision,
        username=options.username,
        password=_password(options),
        role=options.role,
        phone=options.phone,
        email=options.email,
        preferred_language=options.preferred_language,
    )
    line = _(
        "{username} may log in to the administration now, as {role}", username=answer["username"], role=answer["role"]
    )
    show(options, answer, [line])
    return Exit.DONE


def _new_password(options: Options) -> int:
    ask(
        options.data,
        "administrator_password",
        revision=options.revision,
        username=options.username,
        new_password=_password(options),
    )
    show(options, {"username": options.username}, [_("{username} has a new password", username=options.username)])
    return Exit.DONE


def _totp_on(options: Options) -> int:
    if sys.stdin.isatty():
        made = ask(options.data, "totp_new", username=options.username)
        secret = made["secret"]
        print(_("Enter this secret in the authenticator app: {secret}", secret=secret))
        print(_("or have it read this address as a QR code: {uri}", uri=made["uri"]))
        code = input(_("Code that the app shows: "))
    else:  # a program that has the secret already, and gives both
        secret, code = (sys.stdin.readline().strip() for _line in range(2))
    answer = ask(
        options.data,
        "administrator_totp_on",
        revision=options.revision,
        username=options.username,
        secret=secret,
        code=code,
    )
    return _codes(options, answer)


def _codes(options: Options, answer: Any) -> int:
    lines = [
        _("recovery codes of {username}; each is for one login without the telephone:", username=answer["username"]),
        *(f"  {code}" for code in answer["recovery_codes"]),
        _("(shown this once: keep them on paper)"),
    ]
    show(options, answer, lines)
    return Exit.DONE


def _listed(options: Options, administrators: Any) -> int:
    show(options, administrators, columns(administrators, _COLUMNS))
    return Exit.DONE


def _code(options: Options, answer: Any) -> int:
    told = {
        "open": _("the device has no administrator yet: open the administration in a browser, and give this code"),
        "done": _("the device has an administrator: the code is of no use until it is reset"),
        "damaged": _("the accounts are damaged: nobody can log in (otppi admin add makes a new administrator)"),
    }
    show(options, answer, [answer["code"], told[answer["state"]]])
    return Exit.DONE


def _done(say: Callable[[str], str]) -> Own:
    """Return how the result of a command is told that is about one administrator; `say` is given the name."""

    def tell(options: Options, result: Any) -> int:  # noqa: ARG001 - `Own.show` is given it
        show(options, {"username": options.username}, [say(options.username)])
        return Exit.DONE

    return Own(show=tell)


def _totp_off(options: Options, was_on: Any) -> int:
    if not was_on:
        raise Failure(Exit.FAILED, _("the two-step login of {username} is off", username=options.username))
    show(
        options,
        {"username": options.username},
        [_("{username} logs in by the password alone now", username=options.username)],
    )
    return Exit.DONE


OWN = {
    "admin list": Own(show=_listed),
    "admin add": Own(_add, arguments=stdin_option, hidden=frozenset({"password"})),
    "admin edit": _done(lambda name: _("{username} is changed", username=name)),
    "admin remove": _done(lambda name: _("{username} is removed", username=name)),
    "admin activate": _done(lambda name: _("{username} is active", username=name)),
    "admin deactivate": _done(lambda name: _("{username} is not active", username=name)),
    "admin block": _done(lambda name: _("{username} is blocked", username=name)),
    "admin unblock": _done(lambda name: _("{username} is not blocked", username=name)),
    "admin password": Own(_new_password, arguments=stdin_option, hidden=frozenset({"new_password"})),
    "admin totp-on": Own(_totp_on, hidden=frozenset({"secret", "code"})),
    "admin totp-off": Own(show=_totp_off),
    "admin recovery-codes": Own(show=_codes),
    "admin code": Own(show=_code),
}
