"""Owns the simulated modem with its faults: a healthy one, and what is at work in it."""

from otppi.simulator.dialogue import Recorder
from otppi.simulator.faults.board import FaultBoard, Injection
from otppi.simulator.faults.table import FAULTS
from otppi.simulator.healthy import HealthyPeer
from otppi.simulator.network import SimulatedNetwork
from otppi.simulator.profile import ModemProfile


class ModemPeer(HealthyPeer):
    """A GSM modem that may be ill.

    Attributes:
        faults: the faults at work; see `inject` and `heal`.
    """

    def __init__(
        self,
        profile: ModemProfile | None = None,
        network: SimulatedNetwork | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        super().__init__(profile, network, recorder)
        self.hooks = self.faults = FaultBoard(self)

    def inject(
        self,
        name: str,
        now: float = 0.0,
        *,
        at: int | None = None,
        times: int | None = None,
        command: str = "",
        code: int | None = None,
        seconds: float | None = None,
    ) -> None:
        """Put a fault of `FAULTS` to work.

        Args:
            name: the fault's name.
            now: the time.
            at: the occasion on which it strikes first, counted from 1 now: the n-th SMS for faults of sending, the
                n-th command line or answer for the others.
            times: on how many occasions; by default one if `at` is given, else as the fault's row says.
            command: only occasions of commands that begin so count, such as "+CSQ" or "+CMGS".
            code: the error code, for faults that tell one.
            seconds: the fault's time parameter.

        Raises:
            KeyError: there is no such fault.
        """
        fault = FAULTS[name]
        if times is None:
            times = fault.times if at is None else 1
        code = fault.code if code is None else code
        seconds = fault.seconds if seconds is None else seconds
        self.faults.add(Injection(fault, code, seconds, at or 1, times, command), now)

    def heal(self, name: str | None = None) -> None:
        """End the fault of that name, or all faults."""
        self.faults.remove(name)
