"""The device's certificate: the one that it made for itself, or one that an administrator brought; one step back."""

import base64
import logging
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otppi.api.errors import OtpPiError
from otppi.kit.files import new_name, replace_whole
from otppi.text import _
from otppi.web import own_certificate
from otppi.web.certificate_facts import CertificateFacts, facts_of

if TYPE_CHECKING:
    from ssl import SSLContext

logger = logging.getLogger(__name__)

TAKEN: Final = "taken.pem"
"""A certificate with its chain and its key, in place of the pair that the device made: one file, so that a power cut
leaves one or the other."""
BEFORE: Final = "before.pem"
"""The same of what was in use before it."""
PEM: Final = b"-----BEGIN "
"""What is in every PEM (RFC 7468 2)."""
_CERTIFICATES: Final = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_CHECKING_SECONDS: Final = 60


class NothingBefore(OtpPiError):  # noqa: N818
    """There is no earlier certificate to go back to."""


class DeviceCertificate:
    """Any thread. What is taken holds for connections that begin from then on.

    Args:
        folder: Where it is kept; made where it is missing, of mode 0700, as the files are of mode 0600.

    Attributes:
        fingerprint: SHA-256, as browsers show it; empty of one that cannot be read so, and before `prepare`.
        facts: What it says of itself; None where `fingerprint` is empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._context: SSLContext | None = None
        self._damaged = ""
        self.fingerprint = ""
        self.facts: CertificateFacts | None = None

    @property
    def can_go_back(self) -> bool:
        """Whether there is an earlier one."""
        return (self._folder / BEFORE).exists()

    def prepare(self) -> None:
        """See to it that there is one, and read it: the device makes one where there is none.

        Raises:
            OtpPiError, OSError: It cannot be made or read.
        """
        with self._lock:
            if not (self._folder / TAKEN).exists() and not (self._folder / own_certificate.CERTIFICATE).exists():
                self._folder.mkdir(mode=0o700, exist_ok=True)
                own_certificate.make(self._folder)
            self._read()

    def context(self) -> "SSLContext":
        """Return what HTTPS needs: made when the first one asks, since the library takes over a megabyte.

        Raises:
            OtpPiError, OSError: There is no certificate, and none can be made.
        """
        with self._lock:
            if self._context is None:
                self._context = self._loaded()
                self._read()
            return self._context

    def chain(self) -> str:
        """Return the certificate and those that vouch for it as PEM, without the key.

        Raises:
            OSError: It cannot be read.
        """
        return "".join(f"{one}\n" for one in _CERTIFICATES.findall(self._path().read_text("ascii", "replace")))

    def warnings(self) -> Sequence[str]:
        """Return what people should know of it."""
        return [self._damaged] if self._damaged else []

    def replace_by(self, pem: bytes) -> None:
        """Use a certificate from now on, and keep the one before.

        Where it cannot be used or kept, both that which is in use and the one before it stay.

        Args:
            pem: It, those that vouch for it, and its key, as `certificate_check` gives them.

        Raises:
            OtpPiError: The library for TLS refuses it.
            OSError: It cannot be kept.
        """
        import ssl

        from otppi.web import tls

        path, made = self._folder / TAKEN, []
        with self._lock:
            in_use = self._in_use()

            def try_and_keep() -> None:
                made.append(tls.context(new_name(path), new_name(path)))
                if in_use != pem:  # the card has the new one by now: of the one before nothing is given up in vain
                    replace_whole(self._folder / BEFORE, in_use)

            try:
                replace_whole(path, pem, before=try_and_keep)
            except ssl.SSLError as error:
                raise OtpPiError(
                    _("the certificate cannot be used: {problem}", problem=tls.explained(error))
                ) from error
            (self._context,) = made
            self._damaged = ""
            self._read()

    def go_back(self) -> None:
        """Use the one before, and keep this one.

        Raises:
            NothingBefore: There is none.
            OtpPiError, OSError: As `replace_by`.
        """
        with self._lock:
            try:
                before = (self._folder / BEFORE).read_bytes()
            except FileNotFoundError:
                raise NothingBefore(_("there is no earlier certificate")) from None
            self.replace_by(before)

    def make_own(self) -> None:
        """Have the device make a new one for itself, with a new key, and use it.

        Raises:
            OtpPiError, OSError: It cannot be made or kept.
        """
        self.replace_by(own_certificate.made())

    def _path(self) -> Path:
        """Return the file of what is in use."""
        taken = self._folder / TAKEN
        return taken if taken.exists() and not self._damaged else self._folder / own_certificate.CERTIFICATE

    def _read(self) -> None:
        """Read what people are told of it."""
        self.fingerprint = own_certificate.fingerprint(self._path())
        try:
            self.facts = facts_of(own_certificate.first_der(self._path()))
        except ValueError:
            self.facts = None

    def _in_use(self) -> bytes:
        """Return what is in use, with its key."""
        self.prepare()
        self.context()  # a damaged one is made anew
        path = self._path()
        if path.name == TAKEN:
            return path.read_bytes()
        return path.read_bytes() + (self._folder / own_certificate.PRIVATE_KEY).read_bytes()

    def _loaded(self) -> "SSLContext":
        from otppi.web import tls

        path = self._path()
        if path.name == TAKEN:
            try:
                return tls.context(path, path)
            except OSError as error:
                self._damaged = _(
                    "the certificate that was brought cannot be used ({error}): the device's own one is", error=error
                )
                logger.error("%s", self._damaged)  # noqa: TRY400 - the reason says it all
        return tls.own(self._folder)


def as_argument(content: bytes) -> str:
    """Return a file as an argument of an operation: PEM as it is, anything else in base64."""
    return content.decode("ascii", "replace") if PEM in content else base64.b64encode(content).decode()


def check(certificate: bytes, private_key: bytes, password: str, now: float) -> dict[str, str]:
    """Check a certificate that somebody brings, in a process of its own; see `otppi.web.certificate_check`.

    Raises:
        OtpPiError: It cannot be checked.
    """
    import json
    import subprocess
    import sys

    given = {
        "certificate": base64.b64encode(certificate).decode(),
        "private_key": base64.b64encode(private_key).decode(),
        "password": password,
        "now": now,
    }
    command = [sys.executable, "-m", "otppi.web.certificate_check"]
    try:
        done = subprocess.run(
            command, input=json.dumps(given).encode(), capture_output=True, timeout=_CHECKING_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise OtpPiError(_("the certificate could not be checked: {error}", error=type(error).__name__)) from None
    answer: dict[str, str] = json.loads(done.stdout)
    return answer
