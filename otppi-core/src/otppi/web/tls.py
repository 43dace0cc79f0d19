"""TLS for HTTPS: a context from the administrator's certificate, or from one that the device made for itself."""

import contextlib
import hashlib
import ssl
import subprocess
import sys
from pathlib import Path

from otppi.api.errors import OtpPiError
from otppi.text import _

CERTIFICATE = "certificate.pem"
PRIVATE_KEY = "private_key.pem"
_MAKING_SECONDS = 60


def context(certificate: Path, private_key: Path) -> ssl.SSLContext:
    """Make a server's context (TLS 1.2 or newer).

    Raises:
        OSError: a file cannot be read; `ssl.SSLError`, where the files are not a certificate and its key.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    made.set_alpn_protocols(["http/1.1"])
    made.load_cert_chain(certificate, private_key, password=_no_passphrase)
    return made


def configured(certificate_file: str, private_key_file: str, section: str) -> ssl.SSLContext:
    """Make a context from the files that the administrator named.

    Raises:
        OtpPiError: They cannot be used; the sentence names the setting, of this section.
    """
    for setting, path in (("certificate_file", certificate_file), ("private_key_file", private_key_file)):
        if not path:
            raise OtpPiError(
                _(
                    "{section}.{setting} is empty: a certificate and its private key go together",
                    section=section,
                    setting=setting,
                )
            )
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise OtpPiError(
                _(
                    "{section}.{setting}: {path} cannot be read: {reason}",
                    section=section,
                    setting=setting,
                    path=path,
                    reason=error.strerror,
                )
            ) from error
    try:
        return context(Path(certificate_file), Path(private_key_file))
    except ssl.SSLError as error:
        raise OtpPiError(
            _(
                "{section}.certificate_file and {section}.private_key_file cannot be used together: {problem}",
                section=section,
                problem=_explain(error),
            )
        ) from error
    except _PassphraseNeeded as error:
        raise OtpPiError(
            _("{section}.private_key_file is protected by a passphrase; store it without one", section=section)
        ) from error


def own(folder: Path) -> ssl.SSLContext:
    """Make a context from the device's own certificate in `folder`, which is made first where there is none.

    Raises:
        OtpPiError: it could not be made.
    """
    certificate, private_key = folder / CERTIFICATE, folder / PRIVATE_KEY
    with contextlib.suppress(OSError, _PassphraseNeeded):  # none yet, or unreadable: it is made (anew)
        return context(certificate, private_key)
    command = [sys.executable, "-m", "otppi.web.certificate", str(certificate), str(private_key)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_MAKING_SECONDS)
        return context(certificate, private_key)
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or [_("no reason given")])[-1]
        raise OtpPiError(
            _("The certificate for HTTPS could not be made in {folder}: {reason}", folder=folder, reason=reason)
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OtpPiError(
            _("The certificate for HTTPS could not be made in {folder}: {error}", folder=folder, error=error)
        ) from error


def fingerprint(certificate: Path) -> str:
    """Return the SHA-256 fingerprint of the first certificate of a PEM file, as browsers show it."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    _before, _mark, rest = certificate.read_text("ascii", "replace").partition(begin)
    der = ssl.PEM_cert_to_DER_cert(f"{begin}{rest.partition(end)[0]}{end}\n")
    return hashlib.sha256(der).digest().hex(":").upper()


class _PassphraseNeeded(Exception):  # noqa: N818
    pass


def _no_passphrase() -> str:
    """Keep OpenSSL from asking on a terminal."""
    raise _PassphraseNeeded


def _explain(error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return _("the key is not the key of this certificate")
    return str(error.reason or error).replace("_", " ").lower()
