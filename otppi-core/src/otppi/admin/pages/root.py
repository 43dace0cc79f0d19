"""The tree of pages: which page is where."""

import threading
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, Final

from otppi.admin.pages.answers import drawn
from otppi.admin.pages.home import home
from otppi.admin.parts import Parts
from otppi.admin.security.guard import page

_LATER: Final[Mapping[str, str]] = {
    "account": "account.AccountPages",
    "administrators": "administrators.AdministratorPages",
    "claim": "claim.ClaimPage",
    "clock": "clock.ClockPages",
    "confirm": "own_session.ConfirmPage",
    "forgotten": "forgotten.ForgottenPages",
    "guide": "guide.GuidePages",
    "jobs": "jobs.JobPages",
    "keys": "keys.KeyPages",
    "language": "language.LanguagePage",
    "locked": "locked.LockedPage",
    "login": "login.LoginPages",
    "logout": "own_session.LogoutPage",
    "messages": "messages.MessagePages",
    "modems": "modems.ModemPages",
    "monitor": "monitor.MonitorPages",
    "network": "network.NetworkPages",
    "pages": "blocks.BlockPages",
    "restoring": "backup.RestoringPage",
    "routing": "routing.RoutingPages",
    "services": "services.ServicePages",
    "settings": "sections.SectionPages",
    "system": "system.SystemPages",
    "users": "api_users.ApiUserPages",
}
"""Pages by their names in the tree, and in which module of this package they are: each is loaded when somebody asks for
it first, since most are seldom asked for, and would be in the memory for years."""
_MADE_OF: Final[Mapping[str, Callable[["Root"], tuple[Any, ...]]]] = {
    "clock": lambda root: (root.settings,),
    "pages": lambda root: (root.settings,),
    "restoring": lambda root: (root.services.run,),
}
"""What some are made of besides the parts of the gateway."""


class Root:
    """`/`, and the pages below it by the names of its attributes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._making = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        """Load the pages of a name, once."""
        if name not in _LATER:
            raise AttributeError(name)
        with self._making:
            made = self.__dict__.get(name)
            if made is None:
                module, kind = _LATER[name].split(".")
                more = _MADE_OF[name](self) if name in _MADE_OF else ()
                made = getattr(import_module(f"{__package__}.{module}"), kind)(self._parts, *more)
                setattr(self, name, made)
        return made

    def __dir__(self) -> Iterable[str]:
        """Name the pages that are loaded later, too."""
        return [*super().__dir__(), *_LATER]

    @page()
    def more(self, **_fields: Any) -> bytes:
        """List the pages that a phone's bar has no room for."""
        return drawn(self._parts, "more.html")

    @page()
    def index(self, **_fields: Any) -> bytes:
        """Show how the device is."""
        return home(self._parts)
