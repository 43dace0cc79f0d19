"""The operations on the users of the API."""

from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Offline, Operation
from otppi.api.settings import boolean, text
from otppi.host.runtime.registry import SETTINGS, HostCall
from otppi.host.settings.changes import SettingsChanges
from otppi.host.settings.config import Config
from otppi.host.users.api_users import new_token
from otppi.host.users.settings import API_USERS
from otppi.text import _
from otppi.wire.errors import FieldError

_NAME = text("username", _("User"), _("name of the user"), required=True)


def _list(call: HostCall) -> list[dict[str, Any]]:
    """List the API users, without their secrets."""
    return [
        {
            "username": user["username"],
            "active": user["active"],
            "blocked": user["blocked"],
            "password": bool(user["password_hash"]),
            "tokens": len(user["token_hashes"]),
            "phone": user["phone"],
            "email": user["email"],
        }
        for user in call.part(Config).many(API_USERS)
    ]


def _add(call: HostCall, username: str, password: str, token: bool, phone: str, email: str) -> dict[str, Any]:
    if any(user["username"] == username for user in call.part(Config).many(API_USERS)):
        raise InvalidSettings([FieldError("username", _("is used already"))])
    user: dict[str, Any] = {"username": username, "phone": phone, "email": email}
    answer: dict[str, Any] = {"username": username}
    if password:
        user["password"] = password
    if token:
        answer["token"], kept = new_token()
        user["token_hashes"] = [kept]
    call.part(SettingsChanges).add_item(API_USERS.key, user, call.revision)
    return answer


def _remove(call: HostCall, username: str) -> bool:
    """Remove an API user; False where there was none."""
    known = any(user["username"] == username for user in call.part(Config).many(API_USERS))
    if known:
        call.part(SettingsChanges).remove_item(API_USERS.key, username, call.revision)
    return known


OPERATIONS = (
    Operation(
        name="users",
        title=_("API users"),
        help=_("List the API users."),
        handler=_list,
        reads_only=True,
        command="user list",
        examples=("--json",),
        offline=Offline.YES,
    ),
    Operation(
        name="user_add",
        title=_("Add an API user"),
        help=_(
            "Add an API user with a password, a bearer token, or both.\n\n"
            "A password is asked for, or read from stdin; it is never an argument, which others could see."
        ),
        handler=_add,
        parameters=(
            _NAME,
            text("password", _("Password"), _("the password; empty where a token alone is wanted"), secret=True),
            boolean("token", _("Token"), _("make a bearer token, which is shown this once"), False),
            text("phone", _("Telephone"), _("contact of the user")),
            text("email", _("E-mail address"), _("contact of the user")),
        ),
        changes=SETTINGS,
        subject="username",
        command="user add",
        positional=("username",),
        examples=("shop", "shop --token", "pass show shop | otppi user add shop --password-stdin"),
        offline=Offline.CREATES,
    ),
    Operation(
        name="user_remove",
        title=_("Remove an API user"),
        help=_("Remove an API user."),
        handler=_remove,
        parameters=(_NAME,),
        changes=SETTINGS,
        subject="username",
        command="user remove",
        positional=("username",),
        examples=("shop",),
        offline=Offline.YES,
    ),
)
