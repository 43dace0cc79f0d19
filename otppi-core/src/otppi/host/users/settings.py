"""The settings of API users: who may send."""

from otppi.api.settings import Section, boolean, text, text_list

_ARGON2ID = (
    r"\$argon2id\$v=[0-9]{1,3}\$m=[0-9]{1,5},t=[0-9]{1,2},p=[0-9]{1,2}\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{16,128}"
)
"""A hash takes less than 100 MB, lest one that was made elsewhere takes all the memory of a small device."""

API_USERS = Section(
    key="api_users",
    title="API users",
    help="Who may send through the REST API.",
    reset_group="api_user",
    identity="username",
    settings=(
        text(
            "username",
            "Username",
            "Name that the sender gives; those of ways in, `ingress-…`, are taken.",
            required=True,
            pattern=r"(?!ingress-)[^:\s\x00-\x1f]{1,64}",
        ),
        text("password", "Password", "Password that the sender gives; only its argon2id hash is kept.", secret=True),
        text(
            "password_hash",
            "Password hash",
            "The argon2id hash, as an export gives it.",
            secret=True,
            pattern=_ARGON2ID,
        ),
        text_list("token_hashes", "Tokens", "SHA-256 of each bearer token.", secret=True),
        text("phone", "Phone Number", "Contact of the user.", aliases=("phone_number",)),
        text("email", "Email", "Contact of the user."),
        boolean("active", "Active", "Whether the user may send.", True, closed=False),
        boolean("blocked", "Blocked", "Blocked users are refused even when active.", False, closed=True),
        boolean("manage_keys", "Manage Keys", "Whether the user may replace the key of encrypted envelopes.", False),
    ),
)
