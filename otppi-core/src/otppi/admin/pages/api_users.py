"""The users of the API beyond their settings: a new one, a new token or password, and who is let in.

A token is shown once, with the line that sends a first message by it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import cherrypy

from otppi.admin.forms import Shown, form_of, read_form
from otppi.admin.pages.answers import PageError, drawn, perform, problems_of, see_other, text_of, visit
from otppi.admin.pages.curl_line import MADE_UP, curl_line
from otppi.admin.pages.form_fields import sent, trouble
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, form, page
from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.operations import Role
from otppi.api.settings import FieldError
from otppi.text import Text, _

_OPERATION: Final = "user_add"
_FIRST_VALUES: Final[Mapping[str, Any]] = {"username": "app", "token": True}
"""What the form says at first: a program with a token needs no password."""
_LIST: Final = "/settings/api_users"
_SWITCHES: Final[Mapping[str, Text]] = {
    "activate": _("{username} may send."),
    "deactivate": _("{username} may send no more."),
    "block": _("{username} is blocked."),
    "unblock": _("{username} is no longer blocked."),
}
"""What may be done with one click, and what is told then."""
_PLACE: Final = re.compile(r"api_users\[[0-9]+\]\.")
"""How the settings call the user that was to be added."""


class ApiUserPages:
    """`/users/add` of a new one, `/users/login` of one that there is; the list is that of the settings."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page(Role.ADMINISTRATOR)
    def index(self, **_fields: Any) -> bytes:
        """Send to the list, which is that of the settings."""
        return see_other(_LIST)

    @form(Role.ADMINISTRATOR, fresh=True)
    def add(self, **fields: Any) -> bytes:
        """Add a user, and show its token."""
        if cherrypy.request.method != "POST":
            return self._ask(Shown())
        declared = self._parts.registry.find(_OPERATION).section
        given = read_form(declared, sent(fields), {})
        if given.pressed:
            return self._ask(Shown(given=given))
        if given.problems:
            return self._ask(Shown(given=given, problems=given.problems), 422)
        try:
            added = perform(self._parts, _OPERATION, **given.values)
        except InvalidSettings as error:
            return self._ask(Shown(given=given, problems=_by_argument(error.problems)), 422)
        except (OtpPiError, OSError) as error:
            return self._ask(Shown(given=given), 503, trouble(error))
        return self._show(
            added, bool(given.values.get("password")), metrics_only=bool(given.values.get("metrics_only"))
        )

    @form(Role.ADMINISTRATOR, fresh=True)
    def login(self, **fields: Any) -> bytes:
        """Make a new token or password, and show it; beside which the user stays as it is."""
        name, wanted = text_of(fields, "name"), text_of(fields, "wanted")
        if cherrypy.request.method != "POST":
            return self._ask_login(self._known(name), {})
        typed = text_of(fields, "new_password")
        try:
            if wanted == "token":
                made = perform(self._parts, "user_token", username=name, keep="keep" in fields)
            elif wanted == "password":
                made = perform(self._parts, "user_password", username=name, new_password=typed)
            else:
                raise PageError(400, _("This form cannot be read"))
        except InvalidSettings as error:
            return self._ask_login(self._known(name), problems_of(error), 422)
        except (OtpPiError, OSError) as error:
            return self._ask_login(self._known(name), {"": trouble(error)}, 503)
        metrics_only = self._known(name)["metrics_only"]
        return self._show(made, bool(typed and wanted == "password"), metrics_only=metrics_only)

    @action(Role.ADMINISTRATOR, fresh=True)
    def switch(self, **fields: Any) -> bytes:
        """Activate, deactivate, block or unblock one."""
        name, verb = text_of(fields, "name"), text_of(fields, "verb")
        if verb not in _SWITCHES:
            raise PageError(400, _("This form cannot be read"))
        try:
            perform(self._parts, f"user_{verb}", username=name)
        except InvalidSettings as error:
            raise PageError(404, _("There is no such user"), _("It may have another name now, or none.")) from error
        except (OtpPiError, OSError) as error:
            raise PageError(503, _("Not at the moment"), trouble(error)) from error
        return see_other(_LIST, _SWITCHES[verb].filled(username=name))

    # -- steps ------------------------------------------------------------------------------------------------------

    def _known(self, name: str) -> Mapping[str, Any]:
        for one in perform(self._parts, "users"):
            if one["username"] == name:
                return dict(one)
        raise PageError(404, _("There is no such user"), _("It may have another name now, or none."))

    def _ask_login(self, user: Mapping[str, Any], problems: Mapping[str, str], status: int = 200) -> bytes:
        count = user["tokens"]
        tokens = _.plural("{count} token is valid now.", "{count} tokens are valid now.", count=count) if count else ""
        return drawn(self._parts, "api_user_login.html", status, user=user, tokens=tokens, problems=problems)

    def _ask(self, shown: Shown, status: int = 200, why: str = "") -> bytes:
        declared = self._parts.registry.find(_OPERATION).section
        problems, given = shown.problems, shown.given
        view = form_of(declared, _FIRST_VALUES, Shown(given=given, problems=problems, defaults=False))
        return drawn(self._parts, "api_user.html", status, view=view, trouble=why, hidden={"form_token": visit().token})

    def _show(self, made: Mapping[str, Any], has_password: bool, *, metrics_only: bool) -> bytes:
        """Show what nobody is shown again, and the line that sends by it, or reads metrics."""
        name, token = str(made["username"]), str(made.get("token", ""))
        own = self._parts.administrators.find(visit().actor.name)
        phone = own.phone if own else ""
        return drawn(
            self._parts,
            "api_user_added.html",
            name=name,
            token=token,
            password=str(made.get("password", "")),
            line=curl_line(self._parts, name, token, phone, metrics_only=metrics_only),
            made_up="" if phone or metrics_only else MADE_UP,
            has_password=has_password,
        )


def _by_argument(problems: Iterable[FieldError]) -> list[FieldError]:
    """Return problems by the arguments of the operation, where the settings have found them."""
    return [FieldError(_PLACE.sub("", one.field), one.reason) for one in problems]
