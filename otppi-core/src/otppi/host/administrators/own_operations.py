"""The operations on one's own account: for who logged in to the administration, in whatever role."""

from concurrent.futures import Future
from typing import Any

from otppi.api.errors import AuthenticationFailed, Busy, InvalidSettings
from otppi.api.operations import Offline, Operation, Role
from otppi.api.settings import text
from otppi.host.administrators import changes
from otppi.host.administrators.administrators import Administrator, Administrators
from otppi.host.administrators.arguments import (
    CODE,
    EITHER_CODE,
    EMAIL,
    LANGUAGE,
    NEW_PASSWORD,
    PHONE,
    SECRET,
    given,
    if_given,
    number_problem,
)
from otppi.host.administrators.second_factor import new_secret, recovery_hash, uri_of
from otppi.host.runtime.registry import SETTINGS, HostCall
from otppi.text import _
from otppi.wire.errors import FieldError

_LONGEST_HASH = 60.0
"""Seconds: a password that waits for its turn is refused far sooner."""


def _new(call: HostCall, username: str) -> dict[str, Any]:  # noqa: ARG001 - nothing of the gateway is needed
    """Make a secret, which is kept nowhere before a code confirms it."""
    secret = new_secret()
    return {"secret": secret, "uri": uri_of(secret, username)}


def _edit(call: HostCall, preferred_language: str | None, **about: str | None) -> bool:
    changes.change(call, changes.own(call)["username"], given(language=preferred_language, **about))
    return True


def _password(call: HostCall, old_password: str, new_password: str) -> bool:
    """Change the own password (ASVS 5.0 6.2.3: the old one is wanted, and guessing it is slow)."""
    account = changes.own(call)
    login = call.part(Administrators).authenticate(account["username"], old_password, call.actor.address)
    try:
        _awaited(login)
    except AuthenticationFailed as error:
        raise InvalidSettings([FieldError("old_password", _("is wrong"))]) from error
    changes.set_password(call, account, new_password)
    return True


def _awaited(login: Future[Administrator]) -> Administrator:
    try:
        return login.result(_LONGEST_HASH)
    except TimeoutError as error:
        raise Busy(_("the password could not be checked: memory or time is short"), 5.0) from error


def _totp_on(call: HostCall, secret: str, code: str) -> dict[str, Any]:
    return changes.second_factor_on(call, changes.own(call), secret, code)


def _totp_off(call: HostCall, code: str) -> bool:
    """Switch the own second factor off, which takes it once more."""
    account = changes.own(call)
    if not account["totp_secret"]:
        return False
    administrators = call.part(Administrators)
    if not administrators.check_code(account["username"], code, call.actor.address, lambda _actor, _code: True):
        raise InvalidSettings([FieldError("code", _("is wrong, or was used already"))])
    return changes.second_factor_off(call, account)


def _recovery_codes(call: HostCall) -> dict[str, Any]:
    return changes.new_codes(call, changes.own(call))


def _recovery_used(call: HostCall, code: str) -> bool:
    """Take a recovery code out of the settings; False where it is not there, as somebody was faster with it."""
    account, used = changes.own(call), recovery_hash(code)
    left = [one for one in account["recovery_hashes"] if one != used]
    there = len(left) < len(account["recovery_hashes"])
    if there:
        changes.change(call, account["username"], {"recovery_hashes": left})
    return there


OPERATIONS = (
    Operation(
        name="totp_new",
        title=_("Begin two-step login"),
        help=_(
            "Make a secret for an authenticator app, and the address that it reads from a QR code. Nothing is kept: "
            "a code of the app switches two-step login on."
        ),
        handler=_new,
        parameters=(text("username", _("Username"), _("name of the account, as the app shows it"), required=True),),
        role=Role.VIEWER,
        reads_only=True,
        offline=Offline.YES,
    ),
    Operation(
        name="account_edit",
        title=_("Change the own account"),
        help=_("Change language, telephone number or e-mail address of the own account. What is left out stays."),
        handler=_edit,
        parameters=(
            if_given("preferred_language", LANGUAGE.title, _("language of the pages: id, en, or empty")),
            if_given("phone", PHONE.title, PHONE.help, number_problem),
            if_given("email", EMAIL.title, EMAIL.help),
        ),
        role=Role.VIEWER,
        changes=SETTINGS,
        asks_again=True,
    ),
    Operation(
        name="account_password",
        title=_("Change the own password"),
        help=_("Change the password of the own account. All sessions of the account end."),
        handler=_password,
        parameters=(
            text("old_password", _("Old password"), _("the password until now"), required=True, secret=True),
            NEW_PASSWORD,
        ),
        role=Role.VIEWER,
        changes=SETTINGS,
    ),
    Operation(
        name="account_totp_on",
        title=_("Switch the own two-step login on"),
        help=_("Switch two-step login of the own account on, with a code of the app that has the secret by now."),
        handler=_totp_on,
        parameters=(SECRET, CODE),
        role=Role.VIEWER,
        changes=SETTINGS,
        asks_again=True,
    ),
    Operation(
        name="account_totp_off",
        title=_("Switch the own two-step login off"),
        help=_("Switch two-step login of the own account off, with a code of the app or a recovery code."),
        handler=_totp_off,
        parameters=(EITHER_CODE,),
        role=Role.VIEWER,
        changes=SETTINGS,
        asks_again=True,
    ),
    Operation(
        name="account_recovery_codes",
        title=_("Make own recovery codes"),
        help=_("Make new recovery codes of the own account, in place of all that there are."),
        handler=_recovery_codes,
        role=Role.VIEWER,
        changes=SETTINGS,
        asks_again=True,
    ),
    Operation(
        name="account_recovery_used",
        title=_("Use an own recovery code"),
        help=_("Use a recovery code of the own account up. A login does so by itself."),
        handler=_recovery_used,
        parameters=(text("code", _("Recovery code"), _("the code"), required=True, secret=True),),
        role=Role.VIEWER,
        changes=SETTINGS,
    ),
)
