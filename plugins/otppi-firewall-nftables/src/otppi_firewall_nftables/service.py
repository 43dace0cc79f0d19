"""What follows the settings: the ports at which the gateway listens are open, and those that it has left are closed."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from otppi.api.events import SettingsChanged
from otppi.api.services import ListeningPort, Service, ServiceContext
from otppi_firewall_nftables.handing_over import Firewall
from otppi_firewall_nftables.kept import KEPT
from otppi_firewall_nftables.request import PORTS_FOLDER, Asked, Services
from otppi_firewall_nftables.settings import KEY, PAGES
from otppi_firewall_nftables.state import TOLD
from otppi_firewall_nftables.text import _


class FollowingService(Service):
    """Hands the ports of services over whenever they are others. See `otppi.api.services.Service` for the contract.

    Args:
        context: What the gateway gives.
        kept: The file that root keeps.
        told: The folder in which the unit tells what it has done.
    """

    def __init__(self, context: ServiceContext, kept: Path = KEPT, told: Path = TOLD) -> None:
        self._context = context
        self._firewall = Firewall(context.boot_folder, kept, told)
        self._rows = Firewall(context.boot_folder.parent / PORTS_FOLDER, kept, told)
        self._wake = threading.Event()
        self._stopping = False
        self._following: Services | None = None

    def start(self) -> None:
        """Hear of settings that change."""
        self._context.events.subscribe(SettingsChanged, lambda _event: self._wake.set())

    def run(self) -> None:
        """Follow them. Where the ports could not be opened the gateway tells, and has it tried again later."""
        self._keep_rows()
        while not self._stopping:
            self._follow()
            self._wake.wait()
            self._wake.clear()

    def stop(self) -> None:
        """End `run`."""
        self._stopping = True
        self._wake.set()

    def describe(self) -> Mapping[str, Any]:
        """Return what it has opened."""
        following = self._following
        return {} if following is None else {"ports": list(following.ports), "page": following.page}

    def problems(self) -> Sequence[str]:
        """Return that what was kept is lost."""
        if self._firewall.was_damaged():
            return [
                _(
                    "what was kept of the firewall was damaged when the device started: only the ports of its services "
                    "are open; save the firewall's ports anew"
                )
            ]
        return []

    def _keep_rows(self) -> None:
        """Keep the rows of the settings, where the gateway starts with others: of a reset, a wipe, a restored backup.

        Once: while a trial is confirmed, the settings have its rows a moment later.
        """
        rows = tuple(dict(row) for row in self._context.settings(KEY)["ports"])
        if not self._firewall.was_damaged() and rows != self._firewall.kept().rows:
            self._rows.ask(Asked(rows, None))

    def _follow(self) -> None:
        services = services_of(self._context.listening())
        if not self._firewall.is_following(services):
            self._firewall.follow(services)
        self._following = services


def services_of(listening: Sequence[ListeningPort]) -> Services:
    """Return what the unit is told of the ports at which the gateway listens, but of local ones."""
    reached = [one for one in listening if not one.is_local]
    page = next((one.port for one in reached if (one.section, one.setting) == PAGES), None)
    return Services(tuple(sorted({one.port for one in reached})), page)
