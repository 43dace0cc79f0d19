"""Arguments of the operations on administrators."""

import re
from collections.abc import Callable
from typing import Any, Final

from otppi.api.operations import Role
from otppi.api.settings import Input, Kind, Setting, text
from otppi.host.administrators.settings import LANGUAGES, TOTP_SECRET, length_problem
from otppi.text import _

_SHORTEST: Final = 4
_LONGEST: Final = 15


def _text_problem(value: object) -> str | None:
    return None if value is None or isinstance(value, str) else _("must be text")


def number_problem(number: object) -> str | None:
    """Return why this can be no telephone number, wherever it is of (ITU-T E.164: 15 digits); none is none."""
    if not number:
        return None
    if not re.fullmatch(r"\+?[0-9][0-9 ()./-]*", str(number).strip()):
        return _("must be digits, such as 0812… or +62812…")
    if _SHORTEST <= sum(one.isdigit() for one in str(number)) <= _LONGEST:
        return None
    return _("must have {least} to {most} digits", least=_SHORTEST, most=_LONGEST)


def if_given(key: str, title: str, help_: str, check: Callable[[object], str | None] | None = None) -> Setting:
    """Declare a text that leaves everything as it is where it is not given, and clears it where it is empty."""

    def problem(value: object) -> str | None:
        return _text_problem(value) or (check(value) if check is not None else None)

    return Setting(key=key, title=title, help=help_, default=None, kind=Kind.ANY, check=problem)


def given(**values: Any) -> dict[str, Any]:
    """Return those that were given."""
    return {key: value for key, value in values.items() if value is not None}


def password(key: str, title: str, help_: str) -> Setting:
    """Declare a password that is to be set."""
    return text(key, title, help_, required=True, secret=True, check=length_problem)


NAME = text("username", _("Username"), _("name of the administrator"), required=True)
PASSWORD = password("password", _("Password"), _("the password, of at least 10 characters"))
NEW_PASSWORD = password("new_password", _("New password"), _("the new password, of at least 10 characters"))
ROLE = text(
    "role",
    _("Role"),
    _("what the administrator may do"),
    Role.ADMINISTRATOR.value,
    choices=tuple(one.value for one in Role),
)
PHONE = text("phone", _("Telephone"), _("telephone number, for a forgotten password"), check=number_problem)
EMAIL = text("email", _("E-mail address"), _("e-mail address, for a forgotten password"), input=Input.EMAIL)
LANGUAGE = text(
    "preferred_language",
    _("Language"),
    _("language of the pages; that of the browser if left out"),
    choices=LANGUAGES,
)
"""Not `language`: every command has an option of that name."""
SECRET = text(
    "secret",
    _("Secret"),
    _("the secret that the authenticator app has"),
    required=True,
    secret=True,
    pattern=TOTP_SECRET,
)
CODE = text("code", _("Code"), _("the code that the authenticator app shows"), required=True, secret=True)
EITHER_CODE = text(
    "code", _("Code"), _("the code that the authenticator app shows, or a recovery code"), required=True, secret=True
)
