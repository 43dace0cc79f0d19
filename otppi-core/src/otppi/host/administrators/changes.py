"""What the operations on administrators have in common: finding one, changing one, a password that is to be set."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from otppi.api.errors import InvalidSettings, NotPermitted
from otppi.host.administrators.administrators import ORIGIN, Administrators
from otppi.host.administrators.claim import Claim
from otppi.host.administrators.forgotten import ForgottenPasswords
from otppi.host.administrators.passwords import password_problem
from otppi.host.administrators.second_factor import counter_of, new_recovery_codes
from otppi.host.administrators.settings import ADMINISTRATORS, AdministratorValues
from otppi.host.runtime.registry import COMMAND_LINE, HostCall, NotRunning
from otppi.host.settings.changes import SettingsChanges
from otppi.host.settings.config import Config
from otppi.text import _
from otppi.wire.errors import FieldError


def accounts(call: HostCall) -> list[AdministratorValues]:
    """Return all administrators."""
    return list(call.part(Config).many(ADMINISTRATORS))


def known(call: HostCall, username: str) -> AdministratorValues:
    """Return an administrator by name.

    Raises:
        InvalidSettings: There is none.
    """
    for one in accounts(call):
        if one["username"] == username:
            return one
    raise InvalidSettings([FieldError("username", _("there is no administrator {username!r}", username=username))])


def own(call: HostCall) -> AdministratorValues:
    """Return the account of whoever asks.

    Raises:
        NotPermitted: Who asks did not log in to the administration.
    """
    if call.actor.origin != ORIGIN:
        raise NotPermitted(_("this is for who logged in to the administration, about the own account"))
    return known(call, call.actor.name)


def is_own(call: HostCall, username: str) -> bool:
    """Whether an account is that of whoever asks."""
    return call.actor.origin == ORIGIN and call.actor.name == username


def on_the_device(call: HostCall) -> bool:
    """Whether who asks has the device at hand: the owner of the data folder, or root."""
    return call.actor.origin == COMMAND_LINE.origin


def add(call: HostCall, values: Mapping[str, Any]) -> None:
    """Add an administrator; where it is the first one, the device is claimed with it."""
    if any(one["username"] == values["username"] for one in accounts(call)):
        raise InvalidSettings([FieldError("username", _("is used already"))])
    with _named_as_arguments():
        call.part(SettingsChanges).add_item(ADMINISTRATORS.key, values, call.revision)
    call.part(Claim).write_mark(call.actor.address)


def change(call: HostCall, username: str, values: Mapping[str, Any]) -> None:
    """Change an administrator; what `values` leaves out stays."""
    known(call, username)
    with _named_as_arguments():
        call.part(SettingsChanges).put_item(ADMINISTRATORS.key, username, values, call.revision)


def remove(call: HostCall, username: str) -> None:
    """Remove an administrator."""
    known(call, username)
    with _named_as_arguments():
        call.part(SettingsChanges).remove_item(ADMINISTRATORS.key, username, call.revision)


@contextmanager
def _named_as_arguments() -> Iterator[None]:
    """Name problems as the arguments of an operation are: `role`, not `administrators[0].role`."""
    try:
        yield
    except InvalidSettings as error:
        problems = [
            FieldError(one.field.rpartition(".")[2] if "." in one.field else "username", one.reason)
            for one in error.problems
        ]
        raise InvalidSettings(problems) from error


def all_at_once(*checks: Callable[[], None]) -> None:
    """Make checks, so that somebody who mends what is wrong need not come back for each.

    Raises:
        InvalidSettings: With what all of them have found.
    """
    problems: list[FieldError] = []
    for check in checks:
        try:
            check()
        except InvalidSettings as error:
            problems += error.problems
    if problems:
        raise InvalidSettings(problems)


def check_values(values: Mapping[str, Any]) -> None:
    """Refuse values that no account may have.

    Raises:
        InvalidSettings: With what is wrong.
    """
    problems = ADMINISTRATORS.validate(values)[1]
    if problems:
        with _named_as_arguments():
            raise InvalidSettings(problems)


def check_password(password: str, about: Mapping[str, Any], field: str = "password") -> None:
    """Refuse a password that is too short or can be guessed.

    Raises:
        InvalidSettings: With what is wrong.
        Busy: It could not be judged.
    """
    words = [str(about[key]) for key in ("username", "phone", "email")]
    if reason := password_problem(password, words):
        raise InvalidSettings([FieldError(field, reason)])


def set_password(call: HostCall, account: AdministratorValues, new_password: str) -> None:
    """Give an administrator a new password; all sessions end with the stamp, and the account's number is told.

    Raises:
        InvalidSettings: It is too short or can be guessed.
        Busy: It could not be judged.
    """
    check_password(new_password, account, "new_password")
    change(call, account["username"], {"password": new_password})
    with suppress(NotRunning):  # without a gateway there is no modem; it is done on the device itself then
        call.part(ForgottenPasswords).tell_changed(account)


def second_factor_on(call: HostCall, account: AdministratorValues, secret: str, code: str) -> dict[str, Any]:
    """Switch the second factor on, where the code says that the authenticator app has the secret.

    Returns:
        The recovery codes, which are shown this once.
    """
    if not _is_code(call, secret, code):
        reason = _("is not the present code: is the clock of the device right, and that of the telephone?")
        raise InvalidSettings([FieldError("code", reason)])
    codes, hashes = new_recovery_codes()
    change(call, account["username"], {"totp_secret": secret, "recovery_hashes": hashes})
    return {"username": account["username"], "recovery_codes": codes}


def second_factor_off(call: HostCall, account: AdministratorValues) -> bool:
    """Switch the second factor off; False where it was off."""
    change(call, account["username"], {"totp_secret": "", "recovery_hashes": []})
    return bool(account["totp_secret"])


def new_codes(call: HostCall, account: AdministratorValues) -> dict[str, Any]:
    """Make new recovery codes in place of all that there are; they are shown this once."""
    if not account["totp_secret"]:
        reason = _("the two-step login of {username} is off", username=account["username"])
        raise InvalidSettings([FieldError("username", reason)])
    codes, hashes = new_recovery_codes()
    change(call, account["username"], {"recovery_hashes": hashes})
    return {"username": account["username"], "recovery_codes": codes}


def _is_code(call: HostCall, secret: str, code: str) -> bool:
    """Whether this is a code of a secret; in a gateway that runs it is used with that."""
    try:
        return call.part(Administrators).use_code(secret, code)
    except NotRunning:
        return counter_of(secret, code, time.time()) is not None
