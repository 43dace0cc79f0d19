"""Why a connection to a server failed, in one sentence: the same for every protocol, the log, and what people look at.

No sentence holds a password, or anything that was sent or received: an error of a library is told only where it is in
the table. What a protocol itself says (a return code, an error frame) its own package puts into words.
"""

import errno
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otppi.text import _

if TYPE_CHECKING:  # a megabyte, and pages want but the sentences
    import ssl

WRONG_LOGIN = _("username or password is wrong")
"""The server has looked at both, and refuses them."""
LOGIN_WANTED = _("the server wants a username and a password")
CLOSED = _("the server closed the connection")
SILENT = _("the server was silent for too long")
"""It gave no sign of life that its protocol asks for; what that is called there stands behind it in brackets."""

_NO_ANSWER = _("the server did not answer within {timeout:g} s")
_NO_TLS = _("TLS failed: the server does not seem to speak TLS at this port, and ssl is on")
_NO_TLS_REASONS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
"""What OpenSSL, by its version, calls an answer that is no TLS."""

_BY_NUMBER = {
    errno.ECONNREFUSED: _("nobody listens at port {port}"),
    errno.ECONNRESET: CLOSED,
    errno.ECONNABORTED: CLOSED,
    errno.ENOTCONN: CLOSED,
    errno.EPIPE: CLOSED,
    errno.ETIMEDOUT: _NO_ANSWER,
    errno.ENETUNREACH: _("there is no way to the network of host {host}"),
    errno.ENETDOWN: _("the network is down"),
    errno.EHOSTUNREACH: _("host {host} cannot be reached"),
    errno.EHOSTDOWN: _("host {host} is down"),
    errno.EADDRNOTAVAIL: _("host {host} cannot be reached from any address of this device"),
    errno.EAFNOSUPPORT: _("host {host} has an address of a kind that this device does not use"),
    errno.EMFILE: _("no file descriptor is left on this device"),
    errno.ENFILE: _("no file descriptor is left on this device"),
}


def why(error: BaseException, *, host: str, port: int, timeout: float) -> str | None:
    """Return why a connection failed or ended; None where that is no matter of the network, the name, or TLS.

    Libraries wrap what happened: causes and contexts of the error are looked at as well, and the outermost that is
    known counts.

    Args:
        error: What was raised.
        host: The server, as the settings have it.
        port: Its port.
        timeout: How long it had to answer, in seconds.
    """
    import ssl

    for one in _and_its_causes(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return _certificate(one, host)
        if sentence := _sentence(one, host=host, port=port, timeout=timeout):
            return sentence
    return None


def no_answer(timeout: float) -> str:
    """Return that the server was silent for too long."""
    return _NO_ANSWER.filled(timeout=timeout)


def tls_trouble(error: "ssl.SSLError") -> str:
    """Say in one sentence why TLS failed, other than by the certificate; it names `ssl` where that may be wrong.

    OpenSSL's own words hold nothing secret.
    """
    import ssl

    reason: str | None = getattr(error, "reason", None)
    if reason is None or reason in _NO_TLS_REASONS or isinstance(error, ssl.SSLEOFError):
        return _NO_TLS
    return _("TLS failed: {reason}", reason=reason.lower().replace("_", " "))


def _sentence(error: BaseException, **server: object) -> str | None:
    """Return the sentence of one error, which may name the server; None for one that is not of the network."""
    import ssl

    match error:
        case ssl.SSLError():
            return tls_trouble(error)
        case socket.gaierror():
            return _("host {host} is not known ({reason})", host=server["host"], reason=str(error.strerror))
        case UnicodeDecodeError():  # of what was received
            return None
        case UnicodeError():  # a name that has no form in DNS (RFC 3490)
            return _("host {host} is no name of a server", host=server["host"])
        case TimeoutError():
            return _NO_ANSWER.filled(**server)
        case OSError():
            known = _BY_NUMBER.get(error.errno or 0)
            return known.filled(**server) if known else error.strerror or ""
    return None


def _certificate(error: "ssl.SSLCertVerificationError", host: str) -> str:
    problem = error.verify_message.rstrip(".")
    return _("the server's certificate is not valid for {host}: {problem}", host=host, problem=problem)


def _and_its_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was made of, outermost first."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
