"""The operations on administrators: the claim of a new device, and what an administrator does to all accounts."""

from collections.abc import Callable
from typing import Any

from otppi.api.errors import InvalidSettings, NotPermitted
from otppi.api.operations import Offline, Operation, Role
from otppi.api.settings import text
from otppi.host.administrators import changes, forgotten_operations, own_operations
from otppi.host.administrators.arguments import (
    CODE,
    EMAIL,
    LANGUAGE,
    NAME,
    NEW_PASSWORD,
    PASSWORD,
    PHONE,
    ROLE,
    SECRET,
    given,
    if_given,
    number_problem,
)
from otppi.host.administrators.claim import ACCESS_POINT, Claim
from otppi.host.runtime.registry import COMMAND_LINE, SETTINGS, HostCall
from otppi.text import _
from otppi.wire.errors import FieldError

_TRUSTED = frozenset({COMMAND_LINE.origin, ACCESS_POINT})
"""The origins of actors who claim without the code of the device, since it is at hand to them."""


def _list(call: HostCall) -> list[dict[str, Any]]:
    """List the administrators, without their secrets."""
    return [
        {
            "username": one["username"],
            "role": one["role"],
            "active": one["active"],
            "blocked": one["blocked"],
            "second_factor": bool(one["totp_secret"]),
            "recovery_codes": len(one["recovery_hashes"]),
            "phone": one["phone"],
            "email": one["email"],
            "language": one["language"],
        }
        for one in changes.accounts(call)
    ]


def _claim(call: HostCall, code: str, **about: str) -> dict[str, Any]:
    """Create the first administrator. The lock of changes makes one of two at once the first."""
    claim = call.part(Claim)
    claim.check_open()
    checks = [] if call.actor.origin in _TRUSTED else [lambda: claim.check_code(code, call.actor.address)]
    return _added(call, checks, role=Role.ADMINISTRATOR.value, **about)


def _add(call: HostCall, **about: str) -> dict[str, Any]:
    return _added(call, [], **about)


def _added(
    call: HostCall, checks: list[Callable[[], None]], password: str, preferred_language: str, **about: str
) -> dict[str, Any]:
    """Add an administrator; `about` is user name, role, telephone number and e-mail address.

    Raises:
        InvalidSettings: All that is wrong with it at once, and what other checks have found.
    """
    values = {**about, "password": password, "language": preferred_language}
    changes.all_at_once(*checks, lambda: changes.check_values(values), lambda: changes.check_password(password, about))
    changes.add(call, values)
    return {"username": about["username"], "role": about["role"]}


def _edit(
    call: HostCall, username: str, new_username: str | None, preferred_language: str | None, **about: str | None
) -> dict[str, Any]:
    """Change what was given of role, telephone number and e-mail address, too; the rest stays."""
    values = given(username=new_username, language=preferred_language, **about)
    changes.change(call, username, values)
    return {"username": values.get("username", username)}


def _remove(call: HostCall, username: str) -> bool:
    changes.remove(call, username)
    return True


def _switch(key: str, value: bool) -> Callable[..., bool]:
    """Return a handler that sets one switch of an administrator."""

    def handler(call: HostCall, username: str) -> bool:
        changes.change(call, username, {key: value})
        return value

    return handler


def _password(call: HostCall, username: str, new_password: str) -> bool:
    if changes.is_own(call, username):
        reason = _("is your own account: change its password with the old one")
        raise InvalidSettings([FieldError("username", reason)])
    changes.set_password(call, changes.known(call, username), new_password)
    return True


def _totp_on(call: HostCall, username: str, secret: str, code: str) -> dict[str, Any]:
    return changes.second_factor_on(call, changes.known(call, username), secret, code)


def _totp_off(call: HostCall, username: str) -> bool:
    """Switch the second factor of an administrator off who has lost it."""
    if not changes.on_the_device(call):
        raise NotPermitted(_("the two-step login of others is switched off on the device only (otppi admin totp-off)"))
    return changes.second_factor_off(call, changes.known(call, username))


def _recovery_codes(call: HostCall, username: str) -> dict[str, Any]:
    if not changes.on_the_device(call):
        raise NotPermitted(_("recovery codes of others are made on the device only (otppi admin recovery-codes)"))
    return changes.new_codes(call, changes.known(call, username))


def _code(call: HostCall) -> dict[str, Any]:
    """Tell the code of the device to whoever has it at hand."""
    if not changes.on_the_device(call):
        raise NotPermitted(_("the code of the device is told on the device only (otppi admin code)"))
    claim = call.part(Claim)
    return {"code": claim.device_code.code, "state": claim.state.value}


OPERATIONS = (
    Operation(
        name="administrators",
        title=_("Administrators"),
        help=_("List the administrators."),
        handler=_list,
        reads_only=True,
        command="admin list",
        examples=("--json",),
        offline=Offline.YES,
    ),
    Operation(
        name="administrator_claim",
        title=_("Create the first administrator"),
        help=_(
            "Create the first administrator of a device that has none yet. Whoever does so shows the code of the "
            "device, but on the device itself and in the network of its access point."
        ),
        handler=_claim,
        parameters=(
            NAME,
            PASSWORD,
            PHONE,
            EMAIL,
            LANGUAGE,
            text("code", _("Device code"), _("the code of the device, as on the brochure"), secret=True),
        ),
        role=Role.VIEWER,
        changes=SETTINGS,
        subject="username",
        offline=Offline.CREATES,
    ),
    Operation(
        name="administrator_add",
        title=_("Add an administrator"),
        help=_(
            "Add an administrator.\n\n"
            "The password is asked for, or read from stdin; it is never an argument, which others could see."
        ),
        handler=_add,
        parameters=(NAME, PASSWORD, ROLE, PHONE, EMAIL, LANGUAGE),
        changes=SETTINGS,
        asks_again=True,
        subject="username",
        command="admin add",
        positional=("username",),
        examples=("budi", "rina --role operator", "pass show otppi | otppi admin add budi --password-stdin"),
        offline=Offline.CREATES,
    ),
    Operation(
        name="administrator_edit",
        title=_("Change an administrator"),
        help=_("Change an administrator. What is left out stays as it is."),
        handler=_edit,
        parameters=(
            NAME,
            if_given("new_username", _("New username"), _("the new name")),
            if_given("role", _("Role"), _("what the administrator may do: viewer, operator or administrator")),
            if_given("phone", PHONE.title, PHONE.help, number_problem),
            if_given("email", EMAIL.title, EMAIL.help),
            if_given("preferred_language", LANGUAGE.title, _("language of the pages: id, en, or empty")),
        ),
        changes=SETTINGS,
        asks_again=True,
        subject="username",
        command="admin edit",
        positional=("username",),
        examples=("budi --phone 081234567890", "budi --new-username budiman", "rina --role viewer"),
        offline=Offline.YES,
    ),
    Operation(
        name="administrator_remove",
        title=_("Remove an administrator"),
        help=_("Remove an administrator. The last one who may do everything stays."),
        handler=_remove,
        parameters=(NAME,),
        changes=SETTINGS,
        asks_again=True,
        subject="username",
        command="admin remove",
        positional=("username",),
        examples=("rina",),
        offline=Offline.YES,
    ),
    *(
        Operation(
            name=f"administrator_{word}",
            title=title,
            help=help_,
            handler=_switch(key, value),
            parameters=(NAME,),
            changes=SETTINGS,
            asks_again=True,
            subject="username",
            command=f"admin {word}",
            positional=("username",),
            examples=("rina",),
            offline=Offline.YES,
        )
        for word, key, value, title, help_ in (
            ("activate", "active", True, _("Activate an administrator"), _("Let an administrator log in.")),
            (
                "deactivate",
                "active",
                False,
                _("Deactivate an administrator"),
                _("Let an administrator log in no more, until activated again; who is logged in is logged out."),
            ),
            (
                "block",
                "blocked",
                True,
                _("Block an administrator"),
                _("Refuse an administrator even when active; who is logged in is logged out."),
            ),
            ("unblock", "blocked", False, _("Unblock an administrator"), _("Refuse an administrator no more.")),
        )
    ),
    Operation(
        name="administrator_password",
        title=_("Set an administrator's password"),
        help=_(
            "Give an administrator a new password; who is logged in by the old one is logged out.\n\n"
            "It is asked for, or read from stdin; it is never an argument, which others could see."
        ),
        handler=_password,
        parameters=(NAME, NEW_PASSWORD),
        changes=SETTINGS,
        asks_again=True,
        subject="username",
        command="admin password",
        positional=("username",),
        examples=("budi", "pass show otppi | otppi admin password budi --password-stdin"),
        offline=Offline.YES,
    ),
    Operation(
        name="administrator_totp_on",
        title=_("Switch two-step login on"),
        help=_("Switch an administrator's two-step login on, with the secret that an authenticator app has by now."),
        handler=_totp_on,
        parameters=(NAME, SECRET, CODE),
        changes=SETTINGS,
        asks_again=True,
        subject="username",
        command="admin totp-on",
        positional=("username",),
        examples=("budi",),
        offline=Offline.YES,
    ),
    Operation(
        name="administrator_totp_off",
        title=_("Switch two-step login off"),
        help=_(
            "Switch the two-step login of an administrator off who has lost telephone and recovery codes. Only on the "
            "device."
        ),
        handler=_totp_off,
        parameters=(NAME,),
        changes=SETTINGS,
        asks_again=True,
        subject="username",
        command="admin totp-off",
        positional=("username",),
        examples=("budi",),
        offline=Offline.YES,
    ),
    Operation(
        name="administrator_recovery_codes",
        title=_("Make recovery codes"),
        help=_("Make new recovery codes of an administrator, in place of all that there are. Only on the device."),
        handler=_recovery_codes,
        parameters=(NAME,),
        changes=SETTINGS,
        asks_again=True,
        subject="username",
        command="admin recovery-codes",
        positional=("username",),
        examples=("budi",),
        offline=Offline.YES,
    ),
    Operation(
        name="device_code",
        title=_("Code of the device"),
        help=_(
            "Print the code of the device, with which a browser may create the first administrator. Only on the device."
        ),
        handler=_code,
        reads_only=True,
        audit=True,
        command="admin code",
        offline=Offline.YES,
    ),
    *own_operations.OPERATIONS,
    *forgotten_operations.OPERATIONS,
)
