"""The settings of administrators: who may log in to the administration, and what each may do there."""

from collections.abc import Iterable, Sequence
from typing import TypedDict

from otppi.api.operations import Role
from otppi.api.settings import FieldError, Input, TypedSection, boolean, text, text_list
from otppi.host.settings.password_hash import PASSWORD_HASH
from otppi.text import _

SHORTEST, LONGEST = 10, 128
"""Characters of a password (ASVS 5.0 6.2.1, 6.2.9)."""
LANGUAGES = ("", "id", "en")
TOTP_SECRET = "[A-Z2-7]{32}"  # noqa: S105 - what secrets look like: 160 bits in base32 (RFC 4226 section 4)
_SHA256 = "[0-9a-f]{64}"


class AdministratorValues(TypedDict):
    """The values of one of `ADMINISTRATORS`."""

    username: str
    password: str
    password_hash: str
    role: str
    phone: str
    email: str
    language: str
    active: bool
    blocked: bool
    totp_secret: str
    recovery_hashes: list[str]
    phone_confirmed: str


def length_problem(password: str) -> str | None:
    """Return what is wrong with the length of a password; none is none (it may be kept as a hash)."""
    if password and len(password) < SHORTEST:
        return _("must be at least {count} characters long", count=SHORTEST)
    if len(password) > LONGEST:
        return _("must be at most {count} characters long", count=LONGEST)
    return None


def may_log_in(one: AdministratorValues) -> bool:
    """Whether an administrator is let in at all."""
    return one["active"] and not one["blocked"]


def may_administer(one: AdministratorValues) -> bool:
    """Whether an administrator is let in, and may do everything."""
    return may_log_in(one) and one["role"] == Role.ADMINISTRATOR


def _unknown_to_anybody(one: AdministratorValues) -> Iterable[FieldError]:
    if not (one["password"] or one["password_hash"]):
        yield FieldError("password", _("is required"))


def _nobody_administers(all_of_them: Sequence[AdministratorValues]) -> Iterable[FieldError]:
    """Refuse a list of which nobody could put anything right again (ASVS 5.0 8.3.1)."""
    if any(may_administer(one) for one in all_of_them):
        return
    for index, one in enumerate(all_of_them):
        if one["role"] == Role.ADMINISTRATOR:
            yield FieldError(f"[{index}].{'blocked' if one['active'] else 'active'}", _STAYS)
            return
    for index, _one in enumerate(all_of_them):
        yield FieldError(f"[{index}].role", _STAYS)
        return


_STAYS = _("is refused: one administrator has to stay who is active, not blocked, and of the role administrator")


def _none_left(change: tuple[Sequence[AdministratorValues], Sequence[AdministratorValues]]) -> Iterable[FieldError]:
    """Refuse that all administrators are removed: the device would be neither anybody's nor to be claimed."""
    before, after = change
    if before and not after:
        yield FieldError("", _STAYS)


ADMINISTRATORS = TypedSection(
    values=AdministratorValues,
    key="administrators",
    title=_("Administrators"),
    help=_("Who may log in to the administration."),
    reset_group="administrator",
    identity="username",
    checks=(_unknown_to_anybody,),
    check_items=(_nobody_administers,),
    check_changes=(_none_left,),
    damaged={"active": False},
    asks_again=True,
    own_operations=True,
    settings=(
        text(
            "username",
            _("Username"),
            _("Name that the administrator logs in with."),
            required=True,
            pattern=r"[^:\s\x00-\x1f]{1,64}",
            pattern_says=_("at most 64 characters without spaces and colons"),
        ),
        text(
            "password",
            _("Password"),
            _("Password that the administrator logs in with; only its argon2id hash is kept."),
            secret=True,
            input=Input.PASSWORD,
            hashed_in="password_hash",
            check=length_problem,
        ),
        PASSWORD_HASH,
        text(
            "role",
            _("Role"),
            _(
                "What the administrator may do: a viewer sees, an operator also sends, reads the inbox, runs USSD "
                "codes and changes the blocking list, an administrator does everything."
            ),
            Role.VIEWER.value,
            choices=tuple(one.value for one in Role),
        ),
        text(
            "phone",
            _("Phone Number"),
            _("Telephone number of the administrator, to which a code is sent if the password is forgotten."),
            aliases=("phone_number",),
            input=Input.MSISDN,
        ),
        text(
            "email",
            _("E-mail"),
            _("E-mail address of the administrator, to which a code is sent if the password is forgotten."),
            input=Input.EMAIL,
        ),
        text(
            "language",
            _("Language"),
            _("Language of the pages; empty for that of the browser."),
            choices=LANGUAGES,
        ),
        boolean("active", _("Active"), _("Whether the administrator may log in."), True, closed=False),
        boolean("blocked", _("Blocked"), _("Blocked administrators are refused even when active."), False, closed=True),
        text(
            "totp_secret",
            _("Two-step login"),
            _("The secret that the authenticator app has, too; empty where a password is enough."),
            secret=True,
            pattern=TOTP_SECRET,
            input=Input.HASH,
        ),
        text_list(
            "recovery_hashes",
            _("Recovery codes"),
            _("SHA-256 of each recovery code that was not used."),
            secret=True,
            pattern=_SHA256,
            input=Input.HASH,
        ),
        text(
            "phone_confirmed",
            _("Confirmed number"),
            _("SHA-256 of the telephone number that has received a code; one for a new password goes to no other."),
            secret=True,
            pattern=_SHA256,
            input=Input.HASH,
        ),
    ),
)
