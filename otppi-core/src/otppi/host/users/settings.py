"""The settings of API users: who may send."""

from collections.abc import Iterable
from typing import TypedDict

from otppi.api.settings import FieldError, Input, TypedSection, boolean, text, text_list
from otppi.host.settings.password_hash import PASSWORD_HASH
from otppi.text import _


class UserValues(TypedDict):
    """The values of one of `API_USERS`."""

    username: str
    password: str
    password_hash: str
    token_hashes: list[str]
    phone: str
    email: str
    active: bool
    blocked: bool
    manage_keys: bool
    metrics_only: bool


def _unknown_to_anybody(user: UserValues) -> Iterable[FieldError]:
    if not (user["password"] or user["password_hash"] or user["token_hashes"]):
        yield FieldError("password", _("is required"))


API_USERS = TypedSection(
    values=UserValues,
    key="api_users",
    title=_("API users"),
    help=_("Who may send through the REST API."),
    reset_group="api_user",
    identity="username",
    checks=(_unknown_to_anybody,),
    damaged={"active": False},
    asks_again=True,
    settings=(
        text(
            "username",
            _("Username"),
            _("Name that the sender gives; those of ingresses, `ingress-…`, are taken."),
            required=True,
            pattern=r"(?!ingress-)[^:\s\x00-\x1f]{1,64}",
            pattern_says=_("at most 64 characters without spaces and colons, and not ingress-…"),
        ),
        text(
            "password",
            _("Password"),
            _("Password that the sender gives; only its argon2id hash is kept."),
            secret=True,
            input=Input.PASSWORD,
            hashed_in="password_hash",
        ),
        PASSWORD_HASH,
        text_list("token_hashes", _("Tokens"), _("SHA-256 of each bearer token."), secret=True, input=Input.HASH),
        text("phone", _("Phone Number"), _("Contact of the user."), aliases=("phone_number",)),
        text("email", _("E-mail"), _("Contact of the user.")),
        boolean("active", _("Active"), _("Whether the user may send."), True, closed=False),
        boolean("blocked", _("Blocked"), _("Blocked users are refused even when active."), False, closed=True),
        boolean(
            "manage_keys", _("Manage Keys"), _("Whether the user may replace the key of encrypted envelopes."), False
        ),
        boolean(
            "metrics_only",
            _("Metrics Only"),
            _("The user reads the metrics and the state of the gateway, and sends nothing: for Prometheus."),
            False,
            closed=True,
        ),
    ),
)
