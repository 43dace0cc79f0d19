"""Who is logged in: the session that a cookie names, while its administrator may be there."""

from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from otppi.admin.security import cookies
from otppi.admin.security.sessions import PageSession, Sessions
from otppi.host.administrators.administrators import Administrator, Administrators

_MOST: Final = 4
"""Cookies of a session's name that are looked at; there is one, unless a page on another port has set more."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Whoever sends a request, as the cookie shows.

    Attributes:
        token: The session's, as it came.
        session: That session.
        administrator: Whose it is, as he is now.
    """

    token: str = field(repr=False)
    session: PageSession
    administrator: Administrator


def session_of(cookie_field: str, sessions: Sessions, *, secure: bool) -> tuple[str, PageSession | None]:
    """Return the token in a Cookie field that is a session's, and that session; None where there is none."""
    named = islice(cookies.read_all(cookie_field, cookies.SESSION, secure=secure), _MOST)
    found = ((one, sessions.find(one, secure=secure)) for one in named)
    return next(((token, session) for token, session in found if session is not None), ("", None))


def logged_in(
    cookie_field: str, sessions: Sessions, administrators: Administrators, *, secure: bool
) -> LoggedIn | None:
    """Return who is logged in by a Cookie field; None for nobody.

    A session ends here whose administrator may not log in any more, or has another password, role or second factor
    than at the login (ASVS 5.0, 7.4.1 to 7.4.3, 8.3.2).
    """
    token, session = session_of(cookie_field, sessions, secure=secure)
    if session is None:
        return None
    administrator = administrators.find(session.name)
    if administrator is None or administrator.stamp != session.stamp:
        sessions.end(session)
        return None
    return LoggedIn(token, session, administrator)
