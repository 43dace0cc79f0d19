"""The gateway's side of the unit: it hands lists of ports over, has them loaded, and sees that it was they."""

import threading
import time
from pathlib import Path
from typing import Final

from otppi.api.trials import CannotWrite
from otppi.kit import system_units
from otppi.kit.files import new_name
from otppi_firewall_nftables.kept import KEPT, DamagedError, read_kept
from otppi_firewall_nftables.ports import BUILT_IN, Ports, Row
from otppi_firewall_nftables.request import PORTS, SERVICES, Asked, Services
from otppi_firewall_nftables.state import LOADED_DAMAGED, LOADED_KEPT, TOLD, State, digest, loaded_at_boot, read_state
from otppi_firewall_nftables.text import _

UNIT: Final = "otppi-firewall.service"

_PATIENCE: Final = 60.0
"""Seconds for the unit: it is Python that starts, on a computer that may have just begun to run itself."""
_ATTEMPTS: Final = 3
_one_at_a_time: Final = threading.Lock()
"""systemd has one start of a unit for all who ask for it while it goes on, and the first one's lists may be read by
then."""


class InUse:
    """What of the device's firewall everybody may read. Any thread.

    Args:
        kept: The file that root keeps.
        told: The folder in which the unit tells what it has done.
    """

    def __init__(self, kept: Path = KEPT, told: Path = TOLD) -> None:
        self._kept = kept
        self._told = told

    def kept(self) -> Ports:
        """Return what is kept; where nothing usable is, what the device comes with."""
        try:
            return read_kept(self._kept) or BUILT_IN
        except DamagedError:
            return BUILT_IN

    def trial(self) -> State | None:
        """Return the unit's word on what is on trial now; None where nothing is, or the time for it is over."""
        state = read_state(self._told)
        return state if state is not None and state.trial is not None and boot_time() < state.expires else None

    def rows(self) -> tuple[Row, ...]:
        """Return the rows that are in use now."""
        trial = self.trial()
        return self.kept().rows if trial is None or trial.trial is None else trial.trial

    def was_damaged(self) -> bool:
        """Return whether what was kept could not be used when the device started, and nobody has kept it anew."""
        return loaded_at_boot(self._told) == LOADED_DAMAGED


class Firewall(InUse):
    """The device's firewall, as the gateway can change it. Any thread.

    Args:
        folder: Where the unit looks for what is handed over: the service's for ports, the writer's for rows.
        kept: The file that root keeps.
        told: The folder in which the unit tells what it has done.
    """

    def __init__(self, folder: Path, kept: Path = KEPT, told: Path = TOLD) -> None:
        super().__init__(kept, told)
        self._folder = folder

    def is_following(self, services: Services) -> bool:
        """Return whether a table is loaded and kept that has the ports of these services."""
        if read_state(self._told) is None and loaded_at_boot(self._told) != LOADED_KEPT:
            return False
        try:
            kept = read_kept(self._kept)
        except DamagedError:
            return False
        return kept is not None and (kept.services, kept.page) == (services.ports, services.page)

    def follow(self, services: Services) -> None:
        """Open the ports of services, and keep that; those that were theirs and are not any more are closed.

        Raises:
            UnitError: It is not known to be done; the sentence says why.
        """
        with _one_at_a_time:
            self._write(SERVICES, services.document())
            self._load(SERVICES)

    def ask(self, asked: Asked) -> None:
        """Use other rows, for a time or for good.

        Raises:
            UnitError: It is not known to be done; the sentence says why. What was asked for is taken back.
        """
        with _one_at_a_time:
            self._write(PORTS, asked.document())
            try:
                self._load(PORTS)
            except system_units.UnitError:
                self._take_back()
                raise
            if asked.expires is None:
                self._take_back()  # it is kept

    def end_trial(self) -> None:
        """Use what is kept, and nothing else.

        Raises:
            UnitError: It is not known to be done; the sentence says why.
        """
        with _one_at_a_time:
            self._take_back()
            self._load(PORTS)

    def forget(self) -> bool:
        """Forget what was asked for on trial, which is over; return whether there was any."""
        with _one_at_a_time:
            return self._take_back()

    def _write(self, name: str, document: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = new_name(path)
        new.write_bytes(document)
        new.replace(path)

    def _take_back(self) -> bool:
        path = self._folder / PORTS
        there = path.exists()
        path.unlink(missing_ok=True)
        return there

    def _load(self, name: str) -> None:
        """Have the unit started until it says that it has obeyed what is there now under a name."""
        wanted = digest(self._read(name))
        for _attempt in range(_ATTEMPTS):
            system_units.start(UNIT, _PATIENCE)
            state = read_state(self._told)
            if state is not None and wanted == (state.services if name == SERVICES else state.asked):
                return
        raise system_units.UnitError(_("{unit} has run, and did not do what it was asked for", unit=UNIT))

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None


def boot_time() -> float:
    """Return the seconds since the device was switched on."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def check_there() -> None:
    """Refuse where the firewall is somebody else's.

    Raises:
        CannotWrite: It is.
    """
    if not system_units.in_use():
        raise CannotWrite(_("OTP-Pi looks after the firewall in its card image only: here it is this computer's own"))
