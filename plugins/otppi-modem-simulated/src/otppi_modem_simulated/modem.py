"""A simulated modem: a modem peer on a pty, and the ordinary AT driver at its other end."""

from collections.abc import Sequence

from otppi.api.errors import ModemLost
from otppi.api.modem import ModemContext, PhoneMessage, RecoveryStep
from otppi.kit.at.modem import AtModem
from otppi.simulator import ModemProfile, ModemRack, RackedModem, SimulatedNetwork
from otppi_modem_simulated.text import _

_SHOWN = 100


class SimulatedModem(AtModem):
    """The driver of any AT modem, but for the port: that belongs to a peer, which exists while the modem is open."""

    def __init__(self, context: ModemContext) -> None:
        super().__init__(context)
        self._network = SimulatedNetwork(keep=_SHOWN)
        self._rack: ModemRack | None = None
        self._faults = list(self._settings["faults"])

    def open(self) -> None:
        """Plug the peer in, and open it."""
        self._plug()
        super().open()

    def close(self) -> None:
        """Release the port, and take the peer away; the faults that nothing has cured are there again the next time."""
        super().close()
        rack, self._rack = self._rack, None
        if rack is not None:
            rack.close()
            self._faults = [fault for fault in self._faults if fault in rack.modems[0].faults]

    def recover(self, step: RecoveryStep) -> bool:
        """Cure it as a real one; to cut its power is to plug the peer out and in."""
        peer = self._plug()
        try:
            done = step is RecoveryStep.POWER or self._cure(step)
            if done and step in (RecoveryStep.RESET, RecoveryStep.POWER):
                peer.unplug()
                peer.replug()
            return done
        finally:
            self.close()

    def _plug(self) -> RackedModem:
        self._rack = ModemRack(profiles=[self._profile_of_peer()], network=self._network)
        (peer,) = self._rack.modems
        for fault in self._faults:
            peer.inject(fault)
        return peer

    def phone(self) -> Sequence[PhoneMessage]:
        """Show what arrived, in RAM only, the last hundred messages."""
        return [
            PhoneMessage(one.wall, one.modem, one.destination, one.text, one.flash) for one in self._network.messages
        ]

    def _path(self) -> str:
        if self._rack is None:
            raise ModemLost(_("the simulated modem is not plugged in"))
        return str(self._rack.paths[0])

    def _profile_of_peer(self) -> ModemProfile:
        return ModemProfile(
            name=self._settings["name"].replace("/", "-"),
            imei=self._settings["imei"] or ModemProfile().imei,
            pin=self._settings["sim_card_pin"] or None,
            network_time=self._settings["network_time"],
        )
