"""Reads the Authorization header: Basic (RFC 7617) and Bearer (RFC 6750)."""

import binascii
from concurrent.futures import Future

from otppi.api.errors import AuthenticationFailed
from otppi.api.ingress import Gateway, Sender


def authenticate(gateway: Gateway, authorization: str, address: str) -> Sender | Future[Sender]:
    """Say who sends this request, by its Authorization field (decoded as Latin-1); a password may have to be checked.

    Raises:
        AuthenticationFailed: no credentials, unreadable ones, or the gateway does not accept them.
        Throttled, Busy: it cannot be checked now.
    """
    scheme, _, value = authorization.strip().partition(" ")
    match scheme.lower():
        case "basic":
            username, password = _basic(value.strip())
            return gateway.authenticate(username, password, address)
        case "bearer" if value.strip():
            return gateway.authenticate_token(value.strip(), address)
        case _:
            raise AuthenticationFailed("credentials are required")


def recognise(gateway: Gateway, authorization: str) -> Sender | None:
    """Say who sends this request where the credentials are known to be right; nothing is checked, and it is quick."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return gateway.recognise_token(value.strip())
    try:
        return gateway.recognise(*_basic(value.strip())) if scheme.lower() == "basic" else None
    except AuthenticationFailed:
        return None


def _basic(value: str) -> tuple[str, str]:
    """Decode user and password. The password may hold colons; what is not UTF-8 is read as Latin-1."""
    try:
        octets = binascii.a2b_base64(value, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise AuthenticationFailed("the credentials are not Base64") from error
    try:
        pair = octets.decode("utf-8")
    except UnicodeDecodeError:
        pair = octets.decode("latin-1")
    username, colon, password = pair.partition(":")
    if not colon:
        raise AuthenticationFailed("the credentials have no password")
    return username, password
