"""The menu: what there is, in the order of the screens, and who sees it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from otppi.api.operations import Role
from otppi.api.pages import Page
from otppi.text import _


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One entry.

    Attributes:
        path: Of its page.
        title: What it is called.
        icon: The name of its symbol in `icons.svg`.
        role: Who sees it.
        around: Paths elsewhere whose pages are its own all the same.
    """

    path: str
    title: str
    icon: str
    role: Role = Role.VIEWER
    around: tuple[str, ...] = ()

    def is_around(self, path: str) -> bool:
        """Whether a page is this entry's, or below it."""
        page = path.partition("?")[0]
        own = any(_is_below(page, one) for one in self.around)
        return own or (_is_below(page, self.path) and not any(_is_below(page, one) for one in _ELSEWHERE))


def _is_below(page: str, path: str) -> bool:
    return page == path or (path != "/" and page.startswith(f"{path}/"))


@dataclass(frozen=True, slots=True)
class SystemEntry:
    """One of the pages that the page System leads to; they are no entries of the menu.

    Attributes:
        path, title: Of the page.
        help: What can be done there, in one sentence.
        role: Who sees it.
    """

    path: str
    title: str
    help: str
    role: Role = Role.ADMINISTRATOR


SYSTEM: Final[tuple[SystemEntry, ...]] = (
    SystemEntry("/pages/alarm-list", _("Alarms"), _("What needs a person, and who is told of it."), Role.VIEWER),
    SystemEntry("/system/backup", _("Backup and restore"), _("Download a sealed file, or bring one back.")),
    SystemEntry("/pages/audit", _("Audit trail"), _("Who asked for what, and what became of it.")),
    SystemEntry(
        "/pages/plugin-list", _("Plugins"), _("What is installed, and how to switch a plugin off."), Role.VIEWER
    ),
    SystemEntry(
        "/system/import",
        _("Import"),
        _("Take over the configuration of the original OTP-Pi, or of another SMS program."),
    ),
    SystemEntry(
        "/network",
        _("Network"),
        _("Access point, DHCP, Ethernet, firewall: what is in use, and how to change it without locking yourself out."),
    ),
    SystemEntry("/clock", _("Clock"), _("What time it is on the device, who tells it, and setting it."), Role.VIEWER),
    SystemEntry(
        "/system/update", _("Update"), _("A new version of OTP-Pi, and the one before; security updates of Debian.")
    ),
    SystemEntry("/jobs", _("Jobs"), _("Long work that goes on, and how far it is."), Role.VIEWER),
    SystemEntry("/system/log", _("Log"), _("What OTP-Pi writes, as it comes; to filter, and to download.")),
    SystemEntry(
        "/system/status",
        _("Server status"),
        _("Memory, storage, processor, temperature, network and versions of the device."),
        Role.VIEWER,
    ),
    SystemEntry(
        "/system/certificate", _("Certificate"), _("By which browsers know this device over HTTPS, and until when.")
    ),
    SystemEntry("/system/diagnostics", _("Diagnostics"), _("One file for who looks for a fault from afar.")),
    SystemEntry("/pages/reset-device", _("Reset"), _("Parts of the device as they were when it was new.")),
    SystemEntry("/services/gateway", _("Restart OTP-Pi"), _("Queued messages stay, and are sent after the start.")),
    SystemEntry(
        "/services/reboot", _("Restart the device"), _("The whole computer starts anew. Messages that wait are lost.")
    ),
    SystemEntry(
        "/services/off",
        _("Switch the device off"),
        _("Before its power is cut. Messages that wait are lost."),
    ),
)
"""In the order of the page."""

_MODEM_SETTINGS: Final = "/settings/modems"
_ELSEWHERE: Final = (_MODEM_SETTINGS,)
"""Paths that belong to an entry which they do not stand below."""


MENU: Final[tuple[MenuEntry, ...]] = (
    MenuEntry("/", _("Home"), "home"),
    MenuEntry("/monitor", _("Monitor"), "monitor"),
    MenuEntry("/messages", _("Messages"), "messages", Role.OPERATOR),
    MenuEntry("/modems", _("Modems"), "modems", around=(_MODEM_SETTINGS,)),
    MenuEntry("/settings", _("Settings"), "settings", Role.ADMINISTRATOR),
    MenuEntry("/administrators", _("Administrators"), "person", Role.ADMINISTRATOR),
    MenuEntry("/system", _("System"), "system", around=tuple(one.path for one in SYSTEM)),
)


def menu_of(pages: Iterable[Page]) -> Iterable[MenuEntry]:
    """Return the whole menu: what is always there, then the pages of plugins."""
    declared = [MenuEntry(f"/pages/{one.key}", one.title, one.menu.value, one.role) for one in pages]
    return (*MENU, *(one for one in declared if not any(one.path == other.path for other in SYSTEM)))
