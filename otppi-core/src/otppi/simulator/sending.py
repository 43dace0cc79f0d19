"""Owns the AT+CMGS dialogue of the simulated modem: prompt, TPDU, what the network says of it."""

from otppi.simulator import inbox
from otppi.simulator.answers import RefusedError, render
from otppi.simulator.device import SimulatedDevice
from otppi.simulator.dialogue import Dialogue, Recorder
from otppi.simulator.stages import Moment, Stage
from otppi.wire.address import Address
from otppi.wire.errors import WireError
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsSubmit, parse_pdu_line

_CONTROLS = b"\x1a\x1b"
_OTHERS = bytes(code for code in range(256) if code not in _CONTROLS)


class SmsSender:
    """Sends what AT+CMGS brings, one message at a time.

    Attributes:
        next_reference: the TP-MR of the next message.
    """

    def __init__(self, peer: SimulatedDevice, recorder: Recorder | None) -> None:
        self._peer = peer
        self._recorder = recorder
        self.next_reference = 0

    @property
    def editing(self) -> bool:
        """Whether everything that is written to the modem is taken for a PDU until Ctrl-Z or ESC."""
        return self._peer.dialogue is not None

    def heard(self, data: bytes, now: float) -> bytes:
        """Return what the modem gets of these bytes while it may not be ready for a PDU."""
        dialogue = self._peer.dialogue
        if dialogue is None or now >= max(dialogue.ready, dialogue.deaf_until):
            return data
        return b"" if now < dialogue.ready else data.translate(None, _OTHERS)

    def start(self, line: str, first_byte: float, now: float) -> None:
        """Answer AT+CMGS=<length> (3GPP TS 27.005 4.3) with the prompt."""
        peer = self._peer
        try:
            peer.sim.require(now)
            number = line[8:].partition(",")[0].strip('"') if peer.session.text_mode else ""
            length = 0 if number else int(line[8:])
        except RefusedError as refusal:
            self._end(Dialogue(0, first_byte), refusal.for_messages().line(peer.session.cmee), now)
            return
        except ValueError:
            self._end(Dialogue(0, first_byte), "+CMS ERROR: 304", now)
            return
        dialogue = Dialogue(length, first_byte, number=number)
        if peer.hooks.strike(Stage.CMGS, Moment(now, line, dialogue)):
            return
        self.edit(dialogue, now + peer.profile.prompt_time + peer.take_extra_delay())
        peer.emit(peer.session.prompt, dialogue.ready)
        peer.hooks.strike(Stage.PROMPTED, Moment(now, line, dialogue))

    def edit(self, dialogue: Dialogue, ready: float) -> None:
        """Take what comes from the time `ready` on for this dialogue's PDU."""
        dialogue.ready = ready
        self._peer.dialogue = dialogue

    def submit(self, payload: bytes, now: float) -> None:
        """Take the PDU that Ctrl-Z ended, and hand it to the network."""
        dialogue = self._peer.dialogue
        assert dialogue is not None  # noqa: S101 - the peer asks `editing` first
        self._peer.dialogue = None
        dialogue.ctrl_z = now
        try:
            dialogue.submit = self._decode(payload, dialogue)
        except RefusedError as refusal:
            self._end(dialogue, refusal.line(self._peer.session.cmee), now)
            return
        if not self._peer.hooks.strike(Stage.SUBMIT, Moment(now, "AT+CMGS", dialogue)):
            self._to_network(dialogue, now)

    def cancel(self, now: float) -> None:
        """Leave edit mode, sending nothing: the answer to ESC is OK."""
        self._peer.dialogue = None
        self._peer.reply(render(["OK"]), now)

    def refuse(self, dialogue: Dialogue, line: str, now: float) -> None:
        """End the dialogue with this final result; after Ctrl-Z it takes as long as a good one."""
        self._end(dialogue, line, now, self._peer.profile.network_time if dialogue.ctrl_z else 0.0)

    def vanish(self, dialogue: Dialogue, now: float, *, sent: bool) -> None:
        """Never answer; the message may have gone out all the same."""
        if sent:
            self._accept(dialogue, now)
        self._record(dialogue, "", now)

    def _decode(self, payload: bytes, dialogue: Dialogue) -> SmsSubmit:
        peer = self._peer
        if dialogue.number:
            return _as_text(payload, dialogue.number)
        try:
            smsc, tpdu = parse_pdu_line(payload.decode("ascii", "replace").strip())
            submit = SmsSubmit.decode(tpdu)
        except WireError:
            raise RefusedError(304, "CMS") from None
        if len(tpdu) != dialogue.length or submit.user_data.dcs.compressed:
            raise RefusedError(304, "CMS")
        if smsc is None and not peer.sim.smsc:
            raise RefusedError(330, "CMS")
        if peer.session.full_blocks_sending and peer.memory_received.full:
            raise RefusedError(322, "CMS")
        if not peer.registered:
            raise RefusedError(331, "CMS")
        return submit

    def _to_network(self, dialogue: Dialogue, now: float) -> None:
        """Let the network take its time; only then has the message arrived, and the answer goes out."""
        profile = self._peer.profile

        def accepted(now: float) -> None:
            reference = self._accept(dialogue, now)
            self._record(dialogue, f"+CMGS: {reference}", now + self._peer.extra_delay)
            self._peer.reply(render([f"+CMGS: {reference}", "OK"]), now, 0.0, "AT+CMGS")

        self._peer.occupy(now + profile.network_time + profile.command_time, accepted)

    def _accept(self, dialogue: Dialogue, now: float) -> int:
        submit = dialogue.submit
        assert submit is not None  # noqa: S101 - only good TPDUs come here
        reference = self.next_reference
        # The modem counts TP-MR itself and overrides what the TPDU says, as most models do.
        self.next_reference = (reference + self._peer.session.reference_step) % 256
        self._peer.network.accept(self._peer.profile.name, submit, reference)
        if submit.status_report_request:
            inbox.expect_reports(self._peer, dialogue, reference, now)
        return reference

    def _end(self, dialogue: Dialogue, line: str, now: float, network_time: float = 0.0) -> None:
        peer = self._peer
        answered = now + network_time + peer.profile.command_time
        self._record(dialogue, line, answered)
        peer.reply(render([line]), now, answered - now, "AT+CMGS")

    def _record(self, dialogue: Dialogue, result: str, now: float) -> None:
        if self._recorder:
            self._recorder(self._peer.profile.name, dialogue, result, now)


def _as_text(payload: bytes, number: str) -> SmsSubmit:
    """Send whatever was typed as text, to the number that stood behind AT+CMGS (3GPP TS 27.005 3.5.1)."""
    part = segment(payload.decode("ascii", "replace").strip()[:160])[0]
    return SmsSubmit(destination=Address.parse(number), user_data=part)
