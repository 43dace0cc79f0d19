"""Why a connection failed: one phrasing for all protocols."""

import errno
import os
import socket
import ssl

import pytest

from otppi.kit.net.endpoint import Endpoint
from otppi.kit.net.failures import why


def certificate(message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "made up")
    error.verify_message = message
    return error


def tls(reason: str | None) -> ssl.SSLError:
    error = ssl.SSLError(1, "made up")
    error.reason = reason  # type: ignore[assignment]  # the stubs do not know that it may be None
    return error


def number(code: int) -> OSError:
    return OSError(code, os.strerror(code))


def wrapped(error: BaseException) -> BaseException:
    """As a library gives it."""
    outer = RuntimeError("secret words")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (socket.gaierror(-2, "Name or service not known"), "host b.example is not known (Name or service not known)"),
        (UnicodeError("label empty or too long"), "host b.example is no name of a server"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "nobody listens at port 5672"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "the server closed the connection"),
        (BrokenPipeError(errno.EPIPE, "x"), "the server closed the connection"),
        (TimeoutError("timed out"), "the server did not answer within 2.5 s"),
        (number(errno.ETIMEDOUT), "the server did not answer within 2.5 s"),
        (number(errno.ENETUNREACH), "there is no way to the network of host b.example"),
        (number(errno.EHOSTUNREACH), "host b.example cannot be reached"),
        (number(errno.EHOSTDOWN), "host b.example is down"),
        (number(errno.ENETDOWN), "the network is down"),
        (number(errno.EADDRNOTAVAIL), "host b.example cannot be reached from any address of this device"),
        (number(errno.EMFILE), "no file descriptor is left on this device"),
        (number(errno.ENOBUFS), os.strerror(errno.ENOBUFS)),
        (certificate("it has expired"), "the server's certificate is not valid for b.example: it has expired"),
        (
            certificate("Hostname mismatch, certificate is not valid for 'b.example'."),
            "the server's certificate is not valid for b.example: "
            "Hostname mismatch, certificate is not valid for 'b.example'",
        ),
        (tls("WRONG_VERSION_NUMBER"), "TLS failed: the server does not seem to speak TLS at this port, and ssl is on"),
        (ssl.SSLEOFError(8, "x"), "TLS failed: the server does not seem to speak TLS at this port, and ssl is on"),
        (tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "TLS failed: tlsv13 alert certificate required"),
        (certificate("{0} {host}"), "the server's certificate is not valid for b.example: {0} {host}"),
        (wrapped(ConnectionRefusedError(errno.ECONNREFUSED, "x")), "nobody listens at port 5672"),
        (wrapped(wrapped(tls("NO_SHARED_CIPHER"))), "TLS failed: no shared cipher"),
        (RuntimeError("secret words"), None),
        (UnicodeDecodeError("utf-8", b"secret", 0, 1, "words"), None),
        (OSError("secret words"), None),
    ],
)  # fmt: skip
def test_each_failure_has_its_sentence(error: BaseException, sentence: str | None) -> None:
    assert why(error, host="b.example", port=5672, timeout=2.5) == sentence
    assert Endpoint("b.example", 5672, 2.5).why(error) == sentence


def test_what_was_deliberately_left_out_is_not_told() -> None:
    error = RuntimeError("secret words")
    error.__context__, error.__suppress_context__ = ConnectionRefusedError(errno.ECONNREFUSED, "x"), True
    assert why(error, host="b.example", port=1, timeout=1) is None


def test_causes_that_go_round_in_a_circle_end() -> None:
    one, other = RuntimeError("secret words"), RuntimeError("secret words")
    one.__cause__, other.__cause__ = other, one
    assert why(one, host="b.example", port=1, timeout=1) is None
