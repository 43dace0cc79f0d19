"""An AT dialogue over a port: a command and its reply, the prompt and the PDU, with time-outs."""

import logging
import time
from collections.abc import Callable

from otppi.api.errors import ModemLost, OtpPiError, Trouble
from otppi.kit.at.port import Port
from otppi.text import _
from otppi.wire.at import AtConnection, DialogueState, FinalResult, Noise, Prompt, Reply, Urc

logger = logging.getLogger(__name__)

_QUIET = 0.03
"""A line that was silent for so long is taken to have said all that it was going to say."""
_SILENCE = 0.2
"""A text whose end has not come is told as it is after so long: no modem pauses within a line (gammu#179)."""
_PROBE_TIMEOUT = 0.8
_PROBES = 5
_BELIEVED = 2
_FINALS = ("OK", "ERROR", "+CME ERROR", "+CMS ERROR", "COMMAND NOT SUPPORT")


class AtTimeout(OtpPiError):  # noqa: N818
    """No final result in time. The channel is out of step until `synchronise`. `lines` are what came all the same."""

    def __init__(self, what: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.lines = lines


class AtRefused(OtpPiError):  # noqa: N818
    """A command ended with another final result than OK."""

    def __init__(self, result: FinalResult) -> None:
        super().__init__(result.kind.value)
        self.result = result


class AtChannel:
    """Owned by one thread. Everything raises ModemLost when the port is gone.

    Attributes:
        charset: In which character set the modem writes and reads strings (+CSCS); empty where it does not tell.
    """

    def __init__(self, port: Port, on_event: Callable[[Urc | Noise], None]) -> None:
        self._port = port
        self._on_event = on_event
        self._connection = AtConnection()
        self.charset = ""
        self._heard_at = 0.0

    @property
    def synchronised(self) -> bool:
        """Whether a command may be sent; if not, `synchronise` first."""
        return self._connection.synchronised

    @property
    def echoes(self) -> int:
        """How many commands and PDUs the modem has echoed so far."""
        return self._connection.echoes

    def command(self, line: str, timeout: float = 5.0, *, body_lines: bool = False) -> tuple[str, ...]:
        """Send a command line; return the information lines of its reply.

        Raises:
            AtRefused: The final result was not OK.
            AtTimeout: There was none in `timeout` seconds.
        """
        self._port.write(self._connection.command(line, body_lines=body_lines))
        reply = self._wait(timeout)
        if not isinstance(reply, Reply):
            command = line.partition("=")[0]  # not what follows: PINs and passwords
            raise AtTimeout(_("{command} was not answered", command=command), self._connection.abandon())
        if not reply.result.ok:
            raise AtRefused(reply.result)
        return reply.lines

    def attempt(self, line: str, timeout: float = 5.0) -> tuple[str, ...] | None:
        """Send a command that not every modem knows: None where it is refused."""
        try:
            return self.command(line, timeout)
        except AtRefused:
            return None

    def prompt(self, line: str, timeout: float, meanwhile: Callable[[], None]) -> None:
        """Send a command that is answered with a prompt, and wait for the prompt. `meanwhile` is called once.

        Whichever it is but the prompt, ESC is written before anything else: some modems wait for a PDU all the same,
        and would send the next command as a message (modems.md 5).

        Raises:
            AtRefused: The modem refused: no PDU may be written.
            AtTimeout: Neither came.
        """
        if self._connection.state is DialogueState.IDLE:  # in any other one `command` raises
            self._port.write(line.encode("ascii") + b"\r")  # before it is noted, which takes as long as the modem does
        self._connection.command(line, info_prefixes=(), expects_prompt=True)
        meanwhile()
        event = self._wait(timeout)
        if isinstance(event, Prompt):
            return
        self._port.write(self._connection.cancel())
        if isinstance(event, Reply):
            raise AtRefused(event.result)
        raise AtTimeout(_("no prompt came"))

    def leave_prompt(self) -> None:
        """Write ESC instead of a PDU; nothing is sent."""
        self._port.write(self._connection.cancel())

    def payload(
        self, pdu: str, timeout: float, meanwhile: Callable[[], None], hopeless: Callable[[], bool] = lambda: False
    ) -> tuple[str, ...]:
        """Write a PDU and Ctrl-Z after a prompt; return the information lines of the reply. `meanwhile` is called once.

        `hopeless` is asked whenever the modem says something: whether no reply can come any more.

        Raises:
            AtRefused: The final result was not OK.
            AtTimeout: There was none: the network may have the message.
        """
        self._port.write(self._connection.payload(pdu))
        meanwhile()
        reply = self._wait(timeout, hopeless)
        if not isinstance(reply, Reply):
            raise AtTimeout(_("the network did not answer"), self._connection.abandon())
        if not reply.result.ok:
            raise AtRefused(reply.result)
        return reply.lines

    def listen(self, timeout: float) -> None:
        """Wait for what the modem says of its own accord; ends early when something came or the port was woken."""
        # What came with the last reply in one read is here already: nothing need come any more for it to be heard.
        if not self._tell():
            self._read(timeout, may_wake=True)
            self._tell()

    def synchronise(self) -> None:
        """Get into step with a modem in whatever state it is: leave a prompt, drain, and probe (modems.md 2, 5, 8).

        A modem that ends the probes but does not say what they ask for is believed at the second time: no more than one
        final result can have been late.

        Raises:
            ModemLost: It answers nothing.
        """
        self._port.write(self._connection.cancel())
        unproven = 0
        for _probe in range(_PROBES):
            self._drain()
            self._port.write(self._connection.probe())
            answer = self._wait_for_probe()
            if isinstance(answer, Reply):
                return
            if answer is None:  # a prompt that came late: it waits for a PDU again
                self._port.write(self._connection.cancel())
            unproven += answer is not None
            if unproven == _BELIEVED:
                self._drain()
                self._connection.resynchronised()
                return
        self._connection.abandon()
        raise ModemLost(_("{path}: the modem does not answer", path=self._port.path), Trouble.SILENT)

    def _wait_for_probe(self) -> Reply | Noise | None:
        """Return the probe's proof; or a final result that proves nothing and after which nothing came; or None."""
        deadline = time.monotonic() + _PROBE_TIMEOUT
        final: Noise | None = None
        while True:
            while event := self._connection.next_event():
                if isinstance(event, Reply):
                    return event
                if isinstance(event, Urc | Noise):
                    self._on_event(event)
                if isinstance(event, Noise) and event.line.startswith(_FINALS):
                    final = event
                    deadline = min(deadline, time.monotonic() + _QUIET)
            left = deadline - time.monotonic()
            if left <= 0:
                return final
            self._read(left)

    def _drain(self) -> None:
        deadline = time.monotonic() + _PROBE_TIMEOUT
        while (data := self._port.read(_QUIET)) and time.monotonic() < deadline:
            self._hear(data)
            self._tell()

    def _wait(self, timeout: float, hopeless: Callable[[], bool] = lambda: False) -> Prompt | Reply | None:
        """Wait for the outstanding command's prompt or reply; None when time is up, or when it is hopeless."""
        deadline = time.monotonic() + timeout
        while True:
            while event := self._connection.next_event():
                if isinstance(event, Prompt | Reply):
                    return event
                self._on_event(event)
            left = deadline - time.monotonic()
            if hopeless():
                return None
            if left > 0:
                self._read(left)
            elif self._connection.in_doubt:
                self._connection.line_was_silent()
            else:
                return None

    def _read(self, timeout: float, *, may_wake: bool = False) -> None:
        """Wait for bytes, or for the silence after which a text that is open does not go on."""
        in_doubt = self._connection.in_doubt
        data = self._port.read(min(timeout, _SILENCE) if in_doubt else timeout, may_wake=may_wake)
        if data:
            self._hear(data)
        elif in_doubt and time.monotonic() - self._heard_at >= _SILENCE:
            self._connection.line_was_silent()

    def _hear(self, data: bytes) -> None:
        lost = self._connection.lines_dropped
        self._connection.receive_data(data)
        self._heard_at = time.monotonic()
        if not lost < self._connection.lines_dropped:
            return
        level = logging.DEBUG if lost else logging.WARNING  # a modem that floods the line does not flood the log
        logger.log(level, "%s: lines are dropped: too long, or too many at once", self._port.path)

    def _tell(self) -> bool:
        """Return what was read and not told yet; False where there was nothing."""
        told = False
        while event := self._connection.next_event():
            told = True
            if isinstance(event, Urc | Noise):
                self._on_event(event)
        return told
