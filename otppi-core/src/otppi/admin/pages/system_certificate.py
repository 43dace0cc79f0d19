"""The certificate of the pages and of the API: what it is, another one, a new one, one step back."""

from collections.abc import Mapping
from typing import Any

import cherrypy

from otppi.admin.pages.answers import drawn, perform, see_other, text_of
from otppi.admin.pages.downloads import downloaded
from otppi.admin.pages.tried import Tried, tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import form, page
from otppi.admin.uploads import uploaded
from otppi.api.operations import Role
from otppi.host.gateway.certificate_operations import SOON
from otppi.text import _
from otppi.web.device_certificate import as_argument


class CertificatePages:
    """`/system/certificate`, and below it `new`, `make`, `back` and `download`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page(Role.ADMINISTRATOR)
    def index(self, **_fields: Any) -> bytes:
        """Show it."""
        told = perform(self._parts, "certificate")
        return drawn(self._parts, "system_certificate.html", told=told, soon=SOON)

    @page(Role.ADMINISTRATOR)
    def download(self, **_fields: Any) -> bytes:
        """Give the certificate, without its key, for applications to trust."""
        told = perform(self._parts, "certificate")
        return downloaded("otppi-certificate.pem", "application/x-pem-file", told["pem"].encode())

    @form(Role.ADMINISTRATOR, fresh=True, uploads=True)
    def new(self, **fields: Any) -> bytes:
        """Bring another one. Nothing of what was given is shown again: the key may be in it."""
        if cherrypy.request.method != "POST":
            return self._ask_for_one({})
        files = {name: uploaded(fields, name) for name in ("certificate", "private_key")}
        given = {name: as_argument(content) for name, content in files.items() if content is not None}
        outcome = tried(lambda: perform(self._parts, "certificate_take", **given, password=text_of(fields, "password")))
        if outcome.problems:
            return self._ask_for_one(outcome.problems, outcome.status)
        return see_other("/system/certificate", _("The new certificate is in use."))

    @form(Role.ADMINISTRATOR, fresh=True)
    def make(self, **_fields: Any) -> bytes:
        """Have the device make a new one."""
        return self._asked_first("certificate_make", _("The device has made a new certificate: it is in use."))

    @form(Role.ADMINISTRATOR, fresh=True)
    def back(self, **_fields: Any) -> bytes:
        """Go back to the one before."""
        return self._asked_first("certificate_back", _("The certificate before is in use again."))

    def _asked_first(self, operation: str, done: str) -> bytes:
        outcome = Tried()
        if cherrypy.request.method == "POST":
            outcome = tried(lambda: perform(self._parts, operation))
            if not outcome.problems:
                return see_other("/system/certificate", done)
        return drawn(
            self._parts,
            "system_certificate_change.html",
            outcome.status,
            what=operation.removeprefix("certificate_"),
            problems=outcome.problems,
        )

    def _ask_for_one(self, problems: Mapping[str, str], status: int = 200) -> bytes:
        return drawn(self._parts, "system_certificate_new.html", status, problems=problems)
