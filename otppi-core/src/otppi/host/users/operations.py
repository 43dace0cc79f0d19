"""The operations on the users of the API."""

import secrets
from collections.abc import Callable
from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Offline, Operation
from otppi.api.settings import Input, boolean, text
from otppi.host.runtime.registry import SETTINGS, HostCall
from otppi.host.settings.changes import SettingsChanges
from otppi.host.settings.config import Config
from otppi.host.users.api_users import new_token
from otppi.host.users.settings import API_USERS, UserValues
from otppi.text import _
from otppi.wire.errors import FieldError

_PASSWORD_OCTETS = 15
"""Random octets of a password that is made here: 120 bits, 20 characters."""
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
            "metrics_only": user["metrics_only"],
            "phone": user["phone"],
            "email": user["email"],
        }
        for user in call.part(Config).many(API_USERS)
    ]


def _add(
    call: HostCall, username: str, password: str, token: bool, metrics_only: bool, phone: str, email: str
) -> dict[str, Any]:
    if any(user["username"] == username for user in call.part(Config).many(API_USERS)):
        raise InvalidSettings([FieldError("username", _("is used already"))])
    user: dict[str, Any] = {"username": username, "metrics_only": metrics_only, "phone": phone, "email": email}
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


def _known(call: HostCall, username: str) -> UserValues:
    for user in call.part(Config).many(API_USERS):
        if user["username"] == username:
            return user
    raise InvalidSettings([FieldError("username", _("there is no API user {username!r}", username=username))])


def _change(call: HostCall, username: str, values: dict[str, Any]) -> None:
    call.part(SettingsChanges).put_item(API_USERS.key, username, values, call.revision)


def _switch(key: str, value: bool) -> Callable[..., bool]:
    """Return a handler that sets one switch of a user."""

    def handler(call: HostCall, username: str) -> bool:
        _known(call, username)
        _change(call, username, {key: value})
        return value

    return handler


def _token(call: HostCall, username: str, keep: bool) -> dict[str, Any]:
    earlier = _known(call, username)["token_hashes"] if keep else []
    token, kept = new_token()
    _change(call, username, {"token_hashes": [*earlier, kept]})
    return {"username": username, "token": token}


def _password(call: HostCall, username: str, new_password: str) -> dict[str, Any]:
    """Set a password; one that is made here is in the answer, and nowhere else."""
    _known(call, username)
    made = "" if new_password else secrets.token_urlsafe(_PASSWORD_OCTETS)
    _change(call, username, {"password": new_password or made})
    return {"username": username} | ({"password": made} if made else {})


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
            boolean(
                "metrics_only",
                _("Metrics only"),
                _("the user reads metrics, as Prometheus does, and sends nothing"),
                False,
            ),
            text("phone", _("Telephone"), _("contact of the user")),
            text("email", _("E-mail address"), _("contact of the user")),
        ),
        changes=SETTINGS,
        asks_again=True,
        subject="username",
        command="user add",
        positional=("username",),
        examples=(
            "shop",
            "shop --token",
            "prometheus --token --metrics-only",
            "pass show shop | otppi user add shop --password-stdin",
        ),
        offline=Offline.CREATES,
    ),
    Operation(
        name="user_remove",
        title=_("Remove an API user"),
        help=_("Remove an API user."),
        handler=_remove,
        parameters=(_NAME,),
        changes=SETTINGS,
        asks_again=True,
        subject="username",
        command="user remove",
        positional=("username",),
        examples=("shop",),
        offline=Offline.YES,
    ),
    *(
        Operation(
            name=f"user_{word}",
            title=title,
            help=help_,
            handler=_switch(key, value),
            parameters=(_NAME,),
            changes=SETTINGS,
            asks_again=True,
            subject="username",
            command=f"user {word}",
            positional=("username",),
            examples=("shop",),
            offline=Offline.YES,
        )
        for word, key, value, title, help_ in (
            ("activate", "active", True, _("Activate an API user"), _("Let an API user send.")),
            (
                "deactivate",
                "active",
                False,
                _("Deactivate an API user"),
                _("Let an API user send no more, until it is activated again."),
            ),
            ("block", "blocked", True, _("Block an API user"), _("Refuse an API user even when it is active.")),
            ("unblock", "blocked", False, _("Unblock an API user"), _("Refuse an API user no more.")),
        )
    ),
    Operation(
        name="user_token",
        title=_("Make a new token"),
        help=_(
            "Make a new bearer token for an API user, which is shown this once. The earlier ones of this user end, "
            "unless they are kept."
        ),
        handler=_token,
        parameters=(
            _NAME,
            boolean("keep", _("Keep"), _("keep the earlier tokens, so that programs can move to the new one"), False),
        ),
        changes=SETTINGS,
        asks_again=True,
        subject="username",
        command="user token",
        positional=("username",),
        examples=("shop", "shop --keep"),
        offline=Offline.YES,
    ),
    Operation(
        name="user_password",
        title=_("Set an API user's password"),
        help=_(
            "Give an API user another password; the old one ends at once. Where none is typed, one is made and shown "
            "this once.\n\nIt is asked for, or read from stdin; it is never an argument, which others could see."
        ),
        handler=_password,
        parameters=(
            _NAME,
            text(
                "new_password",
                _("New password"),
                _("the password from now on; empty: one is made"),
                secret=True,
                input=Input.PASSWORD,
            ),
        ),
        changes=SETTINGS,
        asks_again=True,
        subject="username",
        command="user password",
        positional=("username",),
        examples=("shop", "pass show shop | otppi user password shop"),
        offline=Offline.YES,
    ),
)
