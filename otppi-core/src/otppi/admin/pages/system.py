"""The page System, and what is below it: what happened, and what is to be kept."""

from typing import Any

from otppi.admin.pages.answers import drawn, visit
from otppi.admin.pages.backup import BackupPages
from otppi.admin.pages.imports import ImportPages
from otppi.admin.pages.menu import SYSTEM
from otppi.admin.pages.system_certificate import CertificatePages
from otppi.admin.pages.system_diagnostics import DiagnosticsPages
from otppi.admin.pages.system_log import LogPages
from otppi.admin.pages.system_status import StatusPage
from otppi.admin.pages.update import UpdatePages
from otppi.admin.parts import Parts
from otppi.admin.security.guard import page


class SystemPages:
    """`/system`, and `/system/import`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        setattr(self, "import", ImportPages(parts))  # a word of Python, and of paths
        self.backup = BackupPages(parts)
        self.certificate = CertificatePages(parts)
        self.diagnostics = DiagnosticsPages(parts)
        self.log = LogPages(parts)
        self.status = StatusPage(parts)
        self.update = UpdatePages(parts)

    @page()
    def index(self, **_fields: Any) -> bytes:
        """List the pages of the system."""
        entries = [one for one in SYSTEM if visit().may(one.role)]
        return drawn(self._parts, "system.html", entries=entries)
