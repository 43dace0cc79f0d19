"""The cookies of the pages, as they are read and written (RFC 6265; ASVS 5.0, 3.3.1 to 3.3.4).

None has an end by date: the clock of the device may be wrong. By HTTPS they are `__Host-` cookies; browsers drop those
by HTTP, so that both schemes have names of their own, and a session of one is none of the other.
"""

from collections.abc import Iterator
from typing import Final

SESSION: Final = "otppi"
"""The token of a session."""
BROWSER: Final = "otppi-browser"
"""What the forms belong to that are shown before there is a session."""
LANGUAGE: Final = "otppi-language"
"""The language that was chosen before there was a session."""

_PREFIX = "__Host-"


def read(field: str, name: str, *, secure: bool) -> str:
    """Return the value of one of our cookies in a Cookie field; empty where it is not there.

    Not by `http.cookies`: a page on another port of this device may set what that cannot read, and then it reads none.
    """
    return next(read_all(field, name, secure=secure), "")


def read_all(field: str, name: str, *, secure: bool) -> Iterator[str]:
    """Yield each value of one of our cookies: a page on another port of this device may have set one of the same name.

    That comes before ours where it was set for a longer path (RFC 6265 5.4).
    """
    wanted = _named(name, secure=secure)
    for pair in field.split(";"):
        found, sign, value = pair.strip().partition("=")
        if sign and found == wanted:
            yield value


def written(name: str, value: str, *, secure: bool) -> str:
    """Write a Set-Cookie field; an empty value removes the cookie."""
    about = "; Path=/; HttpOnly; SameSite=Strict"
    about += "; Secure" if secure else ""
    about += "" if value else "; Max-Age=0"
    return f"{_named(name, secure=secure)}={value}{about}"


def _named(name: str, *, secure: bool) -> str:
    return f"{_PREFIX}{name}" if secure else name
