"""The certificate that the device makes for itself, without the library for TLS: that takes more than a megabyte."""

import base64
import hashlib
import sys
from pathlib import Path
from typing import Final

from otppi.api.errors import OtpPiError
from otppi.text import _

CERTIFICATE: Final = "certificate.pem"
PRIVATE_KEY: Final = "private_key.pem"
_MAKING_SECONDS: Final = 60
_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"


def make(folder: Path) -> None:
    """Make a certificate and its key in a folder, in place of those that may be there.

    Raises:
        OtpPiError: They could not be made.
    """
    _run(folder, [str(folder / CERTIFICATE), str(folder / PRIVATE_KEY)])


def made() -> bytes:
    """Make a certificate and its key, and return both as PEM.

    Raises:
        OtpPiError: They could not be made.
    """
    return _run(Path(), []).encode()


def _run(folder: Path, arguments: list[str]) -> str:
    """Have another process make them, and return what it prints."""
    import subprocess  # for something that is done once

    command = [sys.executable, "-m", "otppi.web.certificate", *arguments]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_MAKING_SECONDS)
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or [_("no reason given")])[-1]
        raise OtpPiError(
            _("The certificate for HTTPS could not be made in {folder}: {reason}", folder=folder, reason=reason)
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise not_made(folder, error) from error
    return done.stdout


def not_made(folder: Path, error: Exception) -> OtpPiError:
    """Return what is raised where the files are not usable."""
    return OtpPiError(_("The certificate for HTTPS could not be made in {folder}: {error}", folder=folder, error=error))


def fingerprint(certificate: Path) -> str:
    """Return the SHA-256 fingerprint of the first certificate of a PEM file (RFC 7468), as browsers show it.

    It is empty where there is none of the usual label: OpenSSL also reads some that nobody else knows.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        der = first_der(certificate)
    except ValueError:
        return ""
    return hashlib.sha256(der).digest().hex(":").upper()


def first_der(certificate: Path) -> bytes:
    """Return the first certificate of a PEM file (RFC 7468) as DER.

    Raises:
        OSError: The file cannot be read.
        ValueError: There is none of the usual label, or it is damaged.
    """
    _before, mark, rest = certificate.read_text("ascii", "replace").partition(_BEGIN)
    der = base64.b64decode("".join(rest.partition(_END)[0].split()), validate=True)
    if not (mark and der):
        raise ValueError("there is no certificate of the usual label")
    return der
