"""The token in each form: it shows that the form was made by us, for this browser (ASVS 5.0, 3.5.1)."""

import hashlib
import hmac
import os
import secrets

_NAME_SIZE = 16


class FormTokens:
    """Makes and checks tokens that belong to a cookie: that of a session, or, before there is one, a random one."""

    def __init__(self) -> None:
        self._key = os.urandom(32)

    def of(self, cookie: str) -> str:
        """Return the token of the forms that are shown to whoever has this cookie."""
        return hmac.digest(self._key, cookie.encode(), hashlib.sha256).hex()

    def is_right(self, token: str, cookie: str) -> bool:
        """Whether a form that was sent with this cookie was made for it."""
        return bool(cookie) and hmac.compare_digest(token.encode(), self.of(cookie).encode())


def new_browser() -> str:
    """Make the cookie of a browser that has no session yet."""
    return secrets.token_urlsafe(_NAME_SIZE)
