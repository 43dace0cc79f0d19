"""The monitor: a page of what goes on now, and the stream by which it stays so."""

from typing import Any

from otppi.admin.live.page import FILTERS, page_values
from otppi.admin.pages.answers import drawn, text_of, visit
from otppi.admin.pages.streams import streamed
from otppi.admin.parts import Parts
from otppi.admin.security.guard import page


class MonitorPages:
    """`/monitor`, and its events."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page()
    def index(self, **fields: Any) -> bytes:
        """Show what goes on now; without its script, once."""
        with self._parts.waiting():
            shown = self._parts.live.view.snapshot()
        wanted = {name: text_of(fields, name) for name in FILTERS}
        return drawn(self._parts, "monitor.html", **page_values(shown, wanted, visit().language))

    @page(background=True)
    def events(self, **_fields: Any) -> bytes:
        """Tell what changes."""
        return streamed(self._parts, self._parts.live)
