"""A simulated modem: a modem peer on a pty, and the ordinary AT driver at its other end."""

from collections.abc import Sequence

from otppi.api.modem import ModemContext, PhoneMessage
from otppi.kit.at_modem import AtModem
from otppi.testing.modem import ModemProfile, ModemRack, SimulatedNetwork

_SHOWN = 100


class SimulatedModem(AtModem):
    """The driver of any AT modem, but for the port: that belongs to a peer, which exists while the modem is open."""

    def __init__(self, context: ModemContext) -> None:
        super().__init__(context)
        self._network = SimulatedNetwork(keep=_SHOWN)
        self._rack: ModemRack | None = None

    def open(self) -> None:
        """Plug the peer in, and open it."""
        self._rack = ModemRack(profiles=[self._profile_of_peer()], network=self._network)
        for fault in self._settings["faults"]:
            self._rack.modems[0].inject(fault)
        super().open()

    def close(self) -> None:
        """Release the port, and unplug the peer."""
        super().close()
        rack, self._rack = self._rack, None
        if rack is not None:
            rack.close()

    def phone(self) -> Sequence[PhoneMessage]:
        """Show what arrived, in RAM only, the last hundred messages."""
        return [
            PhoneMessage(message.wall, message.modem, message.destination, message.text)
            for message in self._network.messages
        ]

    def _path(self) -> str:
        if self._rack is None:
            raise AssertionError("the port is opened after the peer was plugged in")
        return str(self._rack.paths[0])

    def _profile_of_peer(self) -> ModemProfile:
        return ModemProfile(
            name=self._settings["name"].replace("/", "-"),
            pin=self._settings["sim_card_pin"] or None,
            network_time=self._settings["network_time"],
        )
