"""What changes the firewall by hand: each change is a trial, which the kernel ends."""

import logging
from collections.abc import Iterable
from typing import Any

from otppi.api.errors import sentence
from otppi.api.trials import CannotWrite, Trial, TrialOver, Values, Writer, WriterContext
from otppi.kit import system_units
from otppi_firewall_nftables.handing_over import Firewall, boot_time, check_there
from otppi_firewall_nftables.ports import Row
from otppi_firewall_nftables.request import Asked
from otppi_firewall_nftables.settings import closing_row, page_stays_open
from otppi_firewall_nftables.text import _

logger = logging.getLogger(__name__)


class FirewallTrial(Trial):
    """Rows that are in use until they expire.

    Args:
        firewall: The device's.
        rows: They.
        before: Those that are kept.
        expires: When they do, by CLOCK_BOOTTIME.
    """

    def __init__(self, firewall: Firewall, rows: tuple[Row, ...], before: tuple[Row, ...], expires: float) -> None:
        self._firewall = firewall
        self._rows = rows
        self._before = before
        self._expires = expires

    def confirm(self) -> None:
        """Keep them."""
        if self._firewall.trial() is None:
            raise TrialOver(_("the ports are as they were before: the time for the trial is over"))
        try:
            self._firewall.ask(Asked(self._rows, None))
        except system_units.UnitError as error:
            self._bring_back()
            raise CannotWrite(_("the ports could not be kept: {why}", why=sentence(error))) from error

    def _bring_back(self) -> None:
        """Keep what was kept: nobody knows how far the unit came. The trial's own end is the kernel's."""
        try:
            self._firewall.ask(Asked(self._before, None))
        except system_units.UnitError as error:
            logger.warning("the firewall's trial ends by itself: %s", sentence(error))

    def roll_back(self) -> None:
        """Use what is kept."""
        if boot_time() >= self._expires:
            self._firewall.forget()
            return
        try:
            self._firewall.end_trial()
        except system_units.UnitError as error:
            raise CannotWrite(_("the trial of ports could not be ended now: {why}", why=sentence(error))) from error


class FirewallWriter(Writer):
    """See `otppi.api.trials.Writer` for the contract.

    Args:
        context: What the gateway gives.
        firewall: The device's, where it is not the one of this computer.
    """

    def __init__(self, context: WriterContext, firewall: Firewall | None = None) -> None:
        self._firewall = firewall or Firewall(context.boot_folder)

    def values(self) -> Values:
        """Return the rows that are in use."""
        check_there()
        return {"ports": [dict(row) for row in self._firewall.rows()]}

    def change(self, values: Values, seconds: float) -> Trial:
        """Use other rows for a while."""
        check_there()
        rows, kept = _rows(values["ports"]), self._firewall.kept()
        if closing_row(rows, kept.page) is not None:
            raise CannotWrite(page_stays_open())
        expires = boot_time() + seconds
        try:
            self._firewall.ask(Asked(rows, expires))
        except system_units.UnitError as error:
            raise CannotWrite(_("the ports could not be changed: {why}", why=sentence(error))) from error
        return FirewallTrial(self._firewall, rows, kept.rows, expires)

    def abandon(self) -> bool:
        """Use what is kept, where a gateway that has died left a trial behind."""
        if not system_units.in_use():
            return False
        if self._firewall.trial() is None:
            return self._firewall.forget()
        try:
            self._firewall.end_trial()
        except system_units.UnitError as error:
            raise CannotWrite(_("the trial of ports could not be ended now: {why}", why=sentence(error))) from error
        return True


def _rows(ports: Iterable[Any]) -> tuple[Row, ...]:
    return tuple(dict(row) for row in ports)
