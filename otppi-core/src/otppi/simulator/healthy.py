"""Owns the healthy modem's side of the AT line: bytes in, bytes out with the times at which they are due."""

from collections.abc import Collection, Sequence

from otppi.simulator import data as packet_data
from otppi.simulator import inbox, registration
from otppi.simulator.answers import render
from otppi.simulator.commands import execute
from otppi.simulator.device import SimulatedDevice
from otppi.simulator.dialogue import Recorder
from otppi.simulator.network import SimulatedNetwork
from otppi.simulator.profile import ModemProfile
from otppi.simulator.sending import SmsSender
from otppi.simulator.session import MAX_INPUT
from otppi.simulator.stages import Moment, Stage
from otppi.wire.udh import Ports

CTRL_Z = b"\x1a"
ESC = b"\x1b"
_IGNORED = ESC + CTRL_Z + b"\0"
_OK, _ERROR = render(["OK"]), render(["ERROR"])


class HealthyPeer(SimulatedDevice):
    """A GSM modem seen from its serial line (ITU-T V.250, 3GPP TS 27.005 in PDU mode, 27.007), without any I/O.

    Give it what was written to the line with `receive`, write to the line what `advance` returns, and call `advance`
    again when `next_due` is reached. It is not thread-safe. All times are seconds of one monotonic clock.

    Args:
        profile: who the modem is and how long it takes.
        network: where its messages arrive; a network of its own by default.
        recorder: told of every sending dialogue, for measurements.

    Attributes:
        sender: sends what AT+CMGS brings.
    """

    def __init__(
        self,
        profile: ModemProfile | None = None,
        network: SimulatedNetwork | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        super().__init__(profile, network)
        self.sender = SmsSender(self, recorder)

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes that were written to the modem's line."""
        if not self.plugged or now < self.session.deaf_until:
            return
        if not self.understands:
            self.garble(now)
            return
        if self.data.online:
            packet_data.heard(self, data, now)
            return
        if self.session.boot_noise:
            self.emit(self.session.boot_noise, now)
            self.session.boot_noise = b""
        data = self.sender.heard(data[: self.session.input_limit], now)
        if not self._input.strip():
            self._input.clear()
            self._line_started = now
        self._input += data[: MAX_INPUT - len(self._input)]
        self.go_on(now)

    def deliver(self, originator: str, text: str, now: float = 0.0, *, flash: bool = False) -> None:
        """Let an SMS come in, in parts if it is long.

        Args:
            originator: a number, or an alphanumeric originator.
            text: its text.
            now: the time.
            flash: class 0: for showing at once, not for storing.
        """
        inbox.deliver(self, originator, text, now, flash=flash)

    def deliver_parts(
        self,
        originator: str,
        text: str,
        now: float = 0.0,
        *,
        reference: int = 0,
        wide: bool = False,
        order: Sequence[int] | None = None,
        missing: Collection[int] = (),
    ) -> None:
        """Let the parts of a long SMS come in out of order, twice, or not all.

        Args:
            originator: a number, or an alphanumeric originator.
            text: the whole text.
            now: the time.
            reference: what the parts have in common.
            wide: the reference has 16 bits instead of 8.
            order: the numbers of the parts, from 1, in the order in which they come; a number may stand there twice.
            missing: the numbers of parts that never come.

        Raises:
            ValueError: the text has no part of that number.
        """
        inbox.deliver_parts(self, originator, text, now, reference=reference, wide=wide, order=order, missing=missing)

    def deliver_binary(self, originator: str, payload: bytes, now: float = 0.0, *, ports: Ports | None = None) -> None:
        """Let an SMS of 8 bit data come in, for an application port where `ports` are given."""
        inbox.deliver_binary(self, originator, payload, now, ports)

    def set_coverage(self, covered: bool, now: float) -> None:
        """Let the modem find or lose its network."""
        registration.set_coverage(self, covered, now)

    def go_on(self, now: float) -> None:
        """Go on reading what has come in, until it is used up or something keeps the modem busy."""
        while self.plugged and self._input and not self._busy:
            if not (self._edit(now) if self.dialogue else self._command(now)):
                return

    def _command(self, now: float) -> bool:
        raw, end, rest = self._input.partition(b"\r")
        if not end:
            return False
        self._input = rest
        if self.session.echo:
            self.emit(bytes(raw + end), now)
        line = raw.translate(None, _IGNORED).decode("latin-1").strip()
        begin = line.upper().find("AT")
        if begin >= 0 and self.session.lines_to_lose:
            self.session.lines_to_lose -= 1
        elif begin >= 0:
            self._obey(line[begin:], now)
        self._line_started = now
        return True

    def _obey(self, line: str, now: float) -> None:
        if self.hooks.strike(Stage.LINE, Moment(now, line)):
            return
        before, cmgs, length = line.upper().rpartition("+CMGS=")
        if not cmgs or length == "?":
            self.reply(execute(self, line, now), now, line=line)
            return
        # Commands of one line are obeyed in their order, up to the first that is refused (3GPP TS 27.007 4.2).
        joined = before != "AT"
        answer = _ERROR if joined and self.session.joins_refused else execute(self, before.rstrip(";"), now)
        if answer != _OK:
            self.reply(answer, now, line=line)
        else:
            self._input.clear()
            self.sender.start(f"AT+CMGS={length}", self._line_started, now)

    def _edit(self, now: float) -> bool:
        """Take the PDU up to Ctrl-Z, or to ESC, which cancels it (3GPP TS 27.005 4.3)."""
        ends = [index for index in (self._input.find(CTRL_Z), self._input.find(ESC)) if index >= 0]
        if not ends:
            return False
        end = min(ends)
        payload, terminator = bytes(self._input[:end]), self._input[end : end + 1]
        del self._input[: end + 1]
        if self.session.echo:
            self.emit(payload, now)
        if terminator == CTRL_Z:
            self.sender.submit(payload, now)
        else:
            self.sender.cancel(now)
        return True
