"""TLS for HTTPS: a context from the administrator's certificate, or from one that the device made for itself."""

import contextlib
import ssl
from pathlib import Path

from otppi.api.errors import OtpPiError
from otppi.text import _
from otppi.web.own_certificate import CERTIFICATE, PRIVATE_KEY, make, not_made


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
                problem=explained(error),
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
    make(folder)
    try:
        return context(certificate, private_key)
    except OSError as error:
        raise not_made(folder, error) from error


class _PassphraseNeeded(Exception):  # noqa: N818
    pass


def _no_passphrase() -> str:
    """Keep OpenSSL from asking on a terminal."""
    raise _PassphraseNeeded


def explained(error: ssl.SSLError) -> str:
    """Return why the library refuses a certificate or its key."""
    if error.reason == "KEY_VALUES_MISMATCH":
        return _("the key is not the key of this certificate")
    return str(error.reason or error).replace("_", " ").lower()
