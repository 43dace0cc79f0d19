"""The operations on a forgotten password, and on the number that a code for it goes to."""

import logging

from otppi.api.errors import InvalidSettings, NotDone
from otppi.api.operations import Operation, Role
from otppi.api.settings import text
from otppi.host.administrators import changes
from otppi.host.administrators.administrators import Administrators
from otppi.host.administrators.arguments import LANGUAGE, NEW_PASSWORD
from otppi.host.administrators.forgotten import PASSWORD, ForgottenPasswords, number_hash, phone_purpose
from otppi.host.runtime.registry import SETTINGS, HostCall
from otppi.text import _
from otppi.wire.errors import FieldError

logger = logging.getLogger(__name__)

_TICKET = text("ticket", _("Ticket"), _("what the browser got when it asked for the code"), required=True, secret=True)
_CODE = text("code", _("Code"), _("the code that was sent"), required=True, secret=True)


def _forgotten(call: HostCall, username: str, preferred_language: str) -> dict[str, str]:
    """Answer all the same, whether there is such an administrator or not."""
    forgotten = call.part(ForgottenPasswords)
    if not forgotten.can_send():
        raise NotDone(_("this device cannot send yet: use the reset stick, or otppi admin password on the device"))
    return {"ticket": forgotten.ask(username, call.actor.address, preferred_language)}


def _reset(call: HostCall, ticket: str, code: str, new_password: str) -> bool:
    """Set a new password; the second factor stays, all sessions end with the stamp."""
    forgotten = call.part(ForgottenPasswords)
    account = changes.known(call, forgotten.whose(PASSWORD, ticket, code))
    changes.set_password(call, account, new_password)
    forgotten.used(ticket)
    call.part(Administrators).note("password_forgotten", account["username"], call.actor.address)
    return True


def _phone_code(call: HostCall, preferred_language: str) -> dict[str, str]:
    account = changes.own(call)
    if not account["phone"]:
        raise InvalidSettings([FieldError("phone", _("is required"))])
    return {"ticket": call.part(ForgottenPasswords).ask_for_own(account, preferred_language)}


def _phone_confirm(call: HostCall, ticket: str, code: str) -> bool:
    account, forgotten = changes.own(call), call.part(ForgottenPasswords)
    if forgotten.whose(phone_purpose(account), ticket, code) != account["username"]:
        raise InvalidSettings([FieldError("code", _("is wrong, or no longer valid"))])
    changes.change(call, account["username"], {"phone_confirmed": number_hash(account["phone"])})
    forgotten.used(ticket)
    return True


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="password_forgotten",
        title=_("Forgotten password"),
        help=_(
            "Have a code sent by SMS to an administrator who has forgotten the password, if the number has received "
            "one before. The answer is the same for any name."
        ),
        handler=_forgotten,
        parameters=(text("username", _("Username"), _("name that was typed"), required=True), LANGUAGE),
        role=Role.VIEWER,
    ),
    Operation(
        name="password_reset",
        title=_("Set a forgotten password"),
        help=_("Set a new password with the code that was sent. Two-step login stays, and all sessions end."),
        handler=_reset,
        parameters=(_TICKET, _CODE, NEW_PASSWORD),
        role=Role.VIEWER,
        changes=SETTINGS,
    ),
    Operation(
        name="account_phone_code",
        title=_("Try the own telephone number"),
        help=_("Have a code sent by SMS to the telephone number of the own account."),
        handler=_phone_code,
        parameters=(LANGUAGE,),
        role=Role.VIEWER,
        asks_again=True,
    ),
    Operation(
        name="account_phone_confirm",
        title=_("Confirm the own telephone number"),
        help=_(
            "Show with the code that was sent that the number is right; it then serves if the password is forgotten."
        ),
        handler=_phone_confirm,
        parameters=(_TICKET, _CODE),
        role=Role.VIEWER,
        changes=SETTINGS,
    ),
)
