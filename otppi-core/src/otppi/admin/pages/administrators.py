"""The administrators: who may look after the device, and what may be done about them."""

from collections.abc import Mapping
from typing import Any, Final

import cherrypy

from otppi.admin.pages.answers import PageError, drawn, perform, problems_of, see_other, text_of
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, form, page
from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.operations import Role
from otppi.text import Text, _, words

_ABOUT: Final = ("role", "phone", "email", "preferred_language")
_SWITCHES: Final[Mapping[str, Text]] = {
    "activate": _("{username} may log in."),
    "deactivate": _("{username} may no longer log in."),
    "block": _("{username} is blocked."),
    "unblock": _("{username} is no longer blocked."),
    "remove": _("{username} is removed."),
}
"""What may be done with one click, and what is told then."""


class AdministratorPages:
    """`/administrators`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page(Role.ADMINISTRATOR)
    def index(self, **_fields: Any) -> bytes:
        """List them."""
        return self._list({})

    @form(Role.ADMINISTRATOR, fresh=True)
    def add(self, **fields: Any) -> bytes:
        """Add one."""
        given = _given(fields)
        if cherrypy.request.method != "POST":
            return self._ask("", given | {"role": Role.ADMINISTRATOR.value}, {})
        try:
            perform(self._parts, "administrator_add", **given, password=text_of(fields, "password"))
        except InvalidSettings as error:
            return self._ask("", given, problems_of(error), 422)
        return see_other("/administrators", _("{username} may log in.", username=given["username"]))

    @form(Role.ADMINISTRATOR, fresh=True)
    def edit(self, **fields: Any) -> bytes:
        """Change one."""
        name, given = text_of(fields, "name"), _given(fields)
        if cherrypy.request.method != "POST":
            known = self._known(name)
            return self._ask(name, known | {"preferred_language": known["language"]}, {})
        changed = {**given, "username": name, "new_username": given["username"]}
        try:
            perform(self._parts, "administrator_edit", **changed)
            if password := text_of(fields, "password"):
                perform(self._parts, "administrator_password", username=given["username"], new_password=password)
        except InvalidSettings as error:
            return self._ask(name, given, _by_field(problems_of(error)), 422)
        return see_other("/administrators", _("{username} is changed.", username=given["username"]))

    @action(Role.ADMINISTRATOR, fresh=True)
    def switch(self, **fields: Any) -> bytes:
        """Activate, deactivate, block, unblock or remove one."""
        name, verb = text_of(fields, "name"), text_of(fields, "verb")
        if verb not in _SWITCHES:
            raise PageError(400, _("This form cannot be read"))
        try:
            perform(self._parts, f"administrator_{verb}", username=name)
        except InvalidSettings as error:
            return self._list(problems_of(error), 422)
        except OtpPiError as error:
            return self._list({"": words(error)}, 503)
        return see_other("/administrators", _SWITCHES[verb].filled(username=name))

    # -- steps ------------------------------------------------------------------------------------------------------

    def _known(self, name: str) -> dict[str, Any]:
        for one in perform(self._parts, "administrators"):
            if one["username"] == name:
                return dict(one)
        raise PageError(404, _("There is no such administrator"))

    def _list(self, problems: Mapping[str, str], status: int = 200) -> bytes:
        administrators = perform(self._parts, "administrators")
        return drawn(
            self._parts,
            "administrators.html",
            status,
            administrators=administrators,
            problems=problems,
            roles=ROLE_NAMES,
        )

    def _ask(self, name: str, given: Mapping[str, Any], problems: Mapping[str, str], status: int = 200) -> bytes:
        return drawn(
            self._parts,
            "administrator.html",
            status,
            name=name,
            given=given,
            problems=problems,
            roles=[(one.value, ROLES[one]) for one in Role],
        )


def _given(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: text_of(fields, name).strip() for name in ("username", *_ABOUT)}


def _by_field(problems: Mapping[str, str]) -> dict[str, str]:
    """Return problems by the fields of the form, where the operation calls them otherwise."""
    names = {"new_username": "username", "new_password": "password"}
    return {names.get(field, field): reason for field, reason in problems.items()}


ROLE_NAMES: Final[Mapping[str, Text]] = {
    Role.VIEWER.value: _("viewer"),
    Role.OPERATOR.value: _("operator"),
    Role.ADMINISTRATOR.value: _("administrator"),
}
ROLES: Final[Mapping[Role, Text]] = {
    Role.VIEWER: _("Looks only"),
    Role.OPERATOR: _("Sends, reads the inbox, runs USSD codes, blocks numbers"),
    Role.ADMINISTRATOR: _("May do everything"),
}
"""What each role may do, to people."""
