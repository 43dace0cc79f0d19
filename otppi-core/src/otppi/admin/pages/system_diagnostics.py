"""The diagnostics: what is in the archive, and the archive, made in RAM when it is asked for."""

from typing import Any

from otppi.admin.pages.answers import drawn, perform
from otppi.admin.pages.downloads import downloaded
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, page
from otppi.api.operations import Role


class DiagnosticsPages:
    """`/system/diagnostics`, and the archive."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page(Role.ADMINISTRATOR)
    def index(self, **_fields: Any) -> bytes:
        """Say what is in it."""
        return drawn(self._parts, "system_diagnostics.html")

    @action(Role.ADMINISTRATOR)
    def download(self, **_fields: Any) -> bytes:
        """Make it, and give it."""
        from otppi.host.gateway.diagnostics import packed

        return downloaded("otppi-diagnostics.zip", "application/zip", packed(perform(self._parts, "diagnostics")))
