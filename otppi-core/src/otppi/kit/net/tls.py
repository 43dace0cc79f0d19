"""TLS as a client: the settings, and the context that follows from them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypedDict

from otppi.api.errors import OtpPiError
from otppi.api.settings import FieldError, Input, Setting, boolean, text
from otppi.text import _

if TYPE_CHECKING:
    from ssl import SSLContext

TLS_SETTINGS: tuple[Setting, ...] = (
    boolean("ssl", _("SSL"), _("Connect with TLS."), False),
    text(
        "ca_file",
        _("CA file"),
        _("Certificates, in PEM, that the server's is verified by; empty for the system's own."),
        input=Input.PATH,
        enabled_by="ssl",
    ),
    boolean(
        "verify_certificate",
        _("Verify certificate"),
        _("Refuse a server whose certificate is not valid for its name; off, anybody on the way can read along."),
        True,
        enabled_by="ssl",
        advanced=True,
    ),
    text(
        "certificate_file",
        _("Client certificate file"),
        _("Certificate, in PEM, of this gateway; empty for none."),
        input=Input.PATH,
        enabled_by="ssl",
        advanced=True,
    ),
    text(
        "private_key_file",
        _("Client private key file"),
        _("Its private key, in PEM."),
        input=Input.PATH,
        enabled_by="ssl",
        advanced=True,
    ),
)


class TlsValues(TypedDict):
    """The values of `TLS_SETTINGS`."""

    ssl: bool
    verify_certificate: bool
    ca_file: str
    certificate_file: str
    private_key_file: str


def tls_problems(values: TlsValues) -> Iterable[FieldError]:
    """Yield which of `TLS_SETTINGS` do not go together."""
    if values["ssl"] and values["private_key_file"] and not values["certificate_file"]:
        yield FieldError("certificate_file", _("must not be empty where private_key_file is set"))


def verifying_context(ca_file: str = "") -> "SSLContext":
    """Make a context that verifies the server's certificate, with TLS 1.2 or newer (RFC 8996 forbids the older ones).

    Python leaves the minimum to OpenSSL, and that to the system's configuration.

    Raises:
        OSError: `ca_file` cannot be used; `ssl.SSLError` is one.
    """
    import ssl  # where a context is made only: it takes more than a megabyte

    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def client_context(values: TlsValues) -> "SSLContext | None":
    """Make the context of a client's connections; None where they are without TLS.

    Raises:
        OtpPiError: a file cannot be used; the sentence names the setting.
    """
    if not values["ssl"]:
        return None
    try:
        context = verifying_context(values["ca_file"])
    except OSError as error:  # ssl.SSLError is one
        raise OtpPiError(_("ca_file cannot be used: {reason}", reason=error.strerror or error)) from error
    if not values["verify_certificate"]:
        from ssl import CERT_NONE

        context.check_hostname = False
        context.verify_mode = CERT_NONE
    if values["certificate_file"]:
        _show_certificate(context, values["certificate_file"], values["private_key_file"] or None)
    elif values["private_key_file"]:
        raise OtpPiError(_("private_key_file is set, but certificate_file is not"))
    return context


def _show_certificate(context: "SSLContext", certificate: str, key: str | None) -> None:
    def no_passphrase() -> str:  # else OpenSSL would ask for it at the terminal, and wait
        raise OtpPiError(_("private_key_file must not be protected by a passphrase: nobody is there to type it"))

    try:
        context.load_cert_chain(certificate, key, no_passphrase)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OtpPiError(_("certificate_file or private_key_file cannot be used: {reason}", reason=reason)) from error
