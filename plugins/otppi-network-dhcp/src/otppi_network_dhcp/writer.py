"""The DHCP server as a writer: asks the unit of the card image for what the gateway may not do itself."""

import json
import threading
from typing import Final

from otppi.api.errors import sentence
from otppi.api.trials import CannotWrite, Trial, TrialOver, Values, Writer, WriterContext
from otppi.kit import system_units
from otppi_network_dhcp.render import DhcpFiles
from otppi_network_dhcp.request import BUSY, DROP, KEEP, OVER, TRY, UNIT, Request, hand_over
from otppi_network_dhcp.text import _

_WITHIN: Final = 60.0
"""Seconds that the unit may take: it is Python that starts, twice."""


class DhcpWriter(Writer):
    """See `Writer` for the contract.

    Args:
        context: Where it hands requests over, and notes that there is a trial.
        files: The DHCP server's files.
    """

    def __init__(self, context: WriterContext, files: DhcpFiles | None = None) -> None:
        self._files = files or DhcpFiles()
        self._folder = context.boot_folder
        self._note = context.boot_folder / "trial"
        self._lock = threading.Lock()

    def values(self) -> Values:
        """Return what the DHCP server was started with."""
        try:
            values: Values = json.loads(self._files.in_use.read_bytes())
        except FileNotFoundError:
            raise CannotWrite(_("no DHCP server of OTP-Pi runs on this device")) from None
        except (OSError, ValueError) as error:
            raise CannotWrite(_("it cannot be read what the DHCP server gives")) from error
        return values

    def change(self, values: Values, seconds: float) -> Trial:
        """Have it give other values for a while."""
        self.values()
        if self._files.on_trial() is not None:
            raise CannotWrite(_("another change is on trial: confirm it, or bring back what was before"))
        try:
            self._note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._note.touch(0o600)
        except OSError as error:
            raise CannotWrite(_("it cannot be noted that there is a trial")) from error
        try:
            self.ask(Request(TRY, seconds, values))
        except CannotWrite:
            self._note.unlink()
            raise
        return _DhcpTrial(self)

    def abandon(self) -> bool:
        """Bring back what is kept where a trial was left behind."""
        if not self._note.exists():
            return False
        self.bring_back()
        return True

    # -- for its trials ---------------------------------------------------------------------------------------------

    def persist(self) -> None:
        """Keep what is on trial."""
        self.ask(Request(KEEP))
        self._note.unlink(missing_ok=True)

    def bring_back(self) -> None:
        """Bring back what is kept."""
        self.ask(Request(DROP))
        self._note.unlink(missing_ok=True)

    def ask(self, request: Request) -> None:
        """Have the unit do something.

        Raises:
            TrialOver: There is no trial to keep.
            CannotWrite: It was not done.
        """
        with self._lock:
            try:
                hand_over(self._folder, request)
                system_units.start(UNIT, _WITHIN)
            except OSError as error:
                raise CannotWrite(_("the change cannot be handed over")) from error
            except system_units.UnitFailed as error:
                if error.exit_status == OVER:
                    raise TrialOver(_("what was before is in use again")) from error
                if error.exit_status == BUSY:
                    raise CannotWrite(
                        _("another change is on trial: confirm it, or bring back what was before")
                    ) from error
                raise CannotWrite(sentence(error)) from error
            except system_units.UnitError as error:
                raise CannotWrite(sentence(error)) from error


class _DhcpTrial(Trial):
    """Values that are in use and not kept; a timer of systemd ends it."""

    def __init__(self, writer: DhcpWriter) -> None:
        self._writer = writer
        self._lock = threading.Lock()
        self._over = False

    def confirm(self) -> None:
        """Keep them."""
        with self._lock:
            if self._over:
                raise TrialOver(_("what was before is in use again"))
            try:
                self._writer.persist()
            except TrialOver:
                self._over = True
                raise
            except CannotWrite:
                self._writer.bring_back()
                self._over = True
                raise
            self._over = True

    def roll_back(self) -> None:
        """Bring back what is kept."""
        with self._lock:
            if not self._over:
                self._writer.bring_back()
                self._over = True
