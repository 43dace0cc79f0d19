"""The settings of mail accounts: what all types have in common."""

from typing import TypedDict

from otppi.api.settings import Effect, TypedSection, boolean, integer, text
from otppi.text import _


class MailAccountValues(TypedDict):
    """The values of one of `MAIL_ACCOUNTS`, beside those of its type."""

    name: str
    type: str
    daily_limit: int
    rate_per_minute: int
    active: bool


MAIL_ACCOUNTS = TypedSection(
    values=MailAccountValues,
    key="mail_accounts",
    title=_("Mail Accounts"),
    help=_("The accounts that e-mails go out by; a plugin brings each type."),
    reset_group="mail",
    effect=Effect.REOPENS,
    identity="name",
    typed_by="type",
    settings=(
        text(
            "name",
            _("Name"),
            _("Name of the account; shown in answers as mail_account."),
            required=True,
            pattern=r"[\w .:()+-]{1,20}",
            pattern_says=_("at most 20 letters, digits, spaces, and . : ( ) + - _"),
        ),
        text("type", _("Type"), _("Account type: the plugin that sends by it."), "smtp"),
        integer(
            "daily_limit",
            _("Daily Limit"),
            _("E-mails that it sends in a day at most; 0: no limit."),
            0,
            minimum=0,
            maximum=100_000_000,
        ),
        integer(
            "rate_per_minute",
            _("Rate"),
            _("E-mails that it sends in any minute at most; more wait, or go by others. 0: as many as it can."),
            0,
            minimum=0,
            maximum=6000,
        ),
        boolean("active", _("Active"), _("Whether the account is used at all."), True, closed=False),
    ),
)
