"""The tree of pages: which page is where."""

from typing import Any

from otppi.admin.pages.account import AccountPages
from otppi.admin.pages.administrators import AdministratorPages
from otppi.admin.pages.answers import drawn
from otppi.admin.pages.api_users import ApiUserPages
from otppi.admin.pages.backup import RestoringPage
from otppi.admin.pages.blocks import BlockPages
from otppi.admin.pages.claim import ClaimPage
from otppi.admin.pages.forgotten import ForgottenPages
from otppi.admin.pages.guide import GuidePages
from otppi.admin.pages.home import home
from otppi.admin.pages.jobs import JobPages
from otppi.admin.pages.keys import KeyPages
from otppi.admin.pages.language import LanguagePage
from otppi.admin.pages.login import LoginPages
from otppi.admin.pages.messages import MessagePages
from otppi.admin.pages.modems import ModemPages
from otppi.admin.pages.monitor import MonitorPages
from otppi.admin.pages.own_session import ConfirmPage, LogoutPage
from otppi.admin.pages.routing import RoutingPages
from otppi.admin.pages.sections import SectionPages
from otppi.admin.pages.services import ServicePages
from otppi.admin.pages.system import SystemPages
from otppi.admin.parts import Parts
from otppi.admin.security.guard import page


class Root:
    """`/`, and the pages below it by the names of its attributes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.claim = ClaimPage(parts)
        self.login = LoginPages(parts)
        self.forgotten = ForgottenPages(parts)
        self.logout = LogoutPage(parts)
        self.confirm = ConfirmPage(parts)
        self.guide = GuidePages(parts)
        self.language = LanguagePage()
        self.account = AccountPages(parts)
        self.administrators = AdministratorPages(parts)
        self.messages = MessagePages(parts)
        self.modems = ModemPages(parts)
        self.monitor = MonitorPages(parts)
        self.jobs = JobPages(parts)
        self.keys = KeyPages(parts)
        self.routing = RoutingPages(parts)
        self.services = ServicePages(parts)
        self.restoring = RestoringPage(parts, self.services.run)
        self.settings = SectionPages(parts)
        self.pages = BlockPages(parts, self.settings)
        self.system = SystemPages(parts)
        self.users = ApiUserPages(parts)

    @page()
    def more(self, **_fields: Any) -> bytes:
        """List the pages that a phone's bar has no room for."""
        return drawn(self._parts, "more.html")

    @page()
    def index(self, **_fields: Any) -> bytes:
        """Show how the device is."""
        return home(self._parts)
