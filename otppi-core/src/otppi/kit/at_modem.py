"""A modem that speaks 3GPP TS 27.005 and 27.007 in PDU mode over a port: opening, sending, looking after it."""

import logging
import random
import re
import time
from contextlib import suppress
from typing import NoReturn

from otppi.api.errors import ModemLost, ModemUnfit, NotSent, Rejected, Trouble, Unconfirmed
from otppi.api.message import OutgoingMessage
from otppi.api.modem import Modem, ModemContext, ModemIdentity
from otppi.api.settings import number
from otppi.kit.at_channel import AtChannel, AtRefused, AtTimeout
from otppi.kit.at_start import PinMemory, Profile, Start
from otppi.kit.chores import Chore, NetworkWatch
from otppi.kit.port import Port, Wake
from otppi.wire.address import Address
from otppi.wire.at import FinalResult, Noise, ResultKind, Urc
from otppi.wire.cme_cms import Advice, cme_advice, cme_meaning, cms_advice, cms_meaning
from otppi.wire.errors import WireError
from otppi.wire.segment import segment
from otppi.wire.tpdu import SmsSubmit, pdu_line
from otppi.wire.user_data import UserData
from otppi.wire.validity import Validity

logger = logging.getLogger(__name__)

_WAIT_RETRY = 2.0
_INVALID_PDU = 304
_PROMPT_PAUSE = 0.1


AT_SETTINGS = (
    number(
        "prompt_timeout",
        "Prompt time-out",
        "How long the modem may take to ask for the message (the prompt of +CMGS).",
        10.0,
        minimum=0.1,
        maximum=60,
        unit="s",
    ),
    number(
        "result_timeout",
        "Result time-out",
        "How long the network may take to answer; then the message is unconfirmed. Networks have answered after 100 s.",
        90.0,
        minimum=0.5,
        maximum=600,
        unit="s",
    ),
)
"""The settings that every type of modem has which is driven by `AtModem`."""


class AtModem(Modem):
    """See `otppi.api.modem.Modem` for the contract.

    Args:
        context: Section `modems` and `AT_SETTINGS`, where it is remembered which PIN was tried, and who is told.
        profile: What this model does in its own way.
    """

    def __init__(self, context: ModemContext, profile: Profile | None = None) -> None:
        self._context = context
        self._settings = context.settings
        self._profile = profile or Profile()
        self._prompt_pause = self._profile.prompt_pause
        self._pin_memory = PinMemory(context.boot_folder, self._settings["name"])
        self._wake = Wake()
        self._port: Port | None = None
        self._channel: AtChannel | None = None
        self._watch = NetworkWatch()
        self._chores: tuple[Chore, ...] = (self._watch,)
        self._prepared: tuple[str, list[tuple[str, int]]] = ("", [])
        self._reference = random.randrange(256)  # noqa: S311 - a label, not a secret

    # -- any thread -------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """End a running or the next `idle`."""
        self._wake.set()

    def identity(self) -> ModemIdentity:
        """Say what was read from the modem when it was opened or last looked after."""
        return self._watch.identity

    # -- the modem's thread -----------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the port and make the modem ready to send."""
        self._port = Port(self._path(), self._settings, self._wake)
        self._channel = AtChannel(self._port, self._heard)
        start = Start(self._channel, self._settings, self._profile, self._pin_memory, self._channel.listen)
        try:
            identity = start.run()
            for chore in self._chores:
                chore.opened(self._channel, identity)
        except AtTimeout as error:
            raise _silent(error) from error

    def _path(self) -> str:
        """Where the port is; a type that finds it in its own way overrides this."""
        return str(self._settings["port"])

    def idle(self, timeout: float) -> None:
        """Do the chores that are due, and listen to the modem until the next one is."""
        channel = self._ready_channel()
        until = time.monotonic() + timeout
        due = self._do_chore(channel)
        if due > (now := time.monotonic()):
            channel.listen(min(until, due) - now)

    def _do_chore(self, channel: AtChannel) -> float:
        """Do a piece of the most urgent chore, if it is due; give when the next one is."""
        chore = min(self._chores, key=_due)
        if chore.due <= time.monotonic():
            try:
                chore.work(channel)
            except AtTimeout as error:
                raise _silent(error) from error
        return min(map(_due, self._chores))

    def close(self) -> None:
        """Release the port."""
        port, self._port, self._channel = self._port, None, None
        self._prepared = ("", [])
        if port is not None:
            port.close()
            for chore in self._chores:
                chore.closed()

    def _ready_channel(self) -> AtChannel:
        if self._channel is None:
            raise ModemLost("the modem is not open")
        if not self._channel.synchronised:
            self._channel.synchronise()
        return self._channel

    def _heard(self, event: Urc | Noise) -> None:
        if not any(chore.heard(event) for chore in self._chores):
            name = event.name if isinstance(event, Urc) else "a line of no command"
            logger.debug("modem %s said %s", self._settings["name"], name)

    # -- sending ----------------------------------------------------------------------------------------------------

    def prepare(self, message: OutgoingMessage) -> None:
        """Write the PDUs of the message that probably comes next while the network has the one before."""
        with suppress(WireError):  # `send` finds it too, and tells
            self._prepared = (message.message_id, self._pdus(message))

    def send(self, message: OutgoingMessage) -> None:
        """Send each part that has not gone out, in order (3GPP TS 27.005 3.5.1 and 4.3)."""
        channel = self._ready_channel()
        self._do_chore(channel)
        (message_id, pdus), self._prepared = self._prepared, ("", [])
        try:
            if message_id != message.message_id:
                pdus = self._pdus(message)
        except WireError as error:
            raise Rejected(f"it cannot be written as SMS: {error}") from error
        progress = message.progress
        progress.segments = len(pdus)
        for pdu, length in pdus[len(progress.references) :]:
            progress.references.append(self._send_part(channel, pdu, length, message))

    def _pdus(self, message: OutgoingMessage) -> list[tuple[str, int]]:
        progress = message.progress
        if progress.concatenation_reference is None:
            self._reference = (self._reference + 1) % 256
            progress.concatenation_reference = self._reference
        parts = segment(message.text, reference=progress.concatenation_reference, flash=message.flash)
        return [pdu_line(_submit(message, part)) for part in parts]

    def _send_part(self, channel: AtChannel, pdu: str, length: int, message: OutgoingMessage) -> int:
        try:
            channel.prompt(f"AT+CMGS={length}", self._settings["prompt_timeout"], message.progress.meanwhile)
        except AtRefused as error:
            self._refused(error.result, dispatched=False)
        except AtTimeout as error:
            raise NotSent("the modem gave no prompt") from error
        if self._prompt_pause:
            self._pause(channel)
        message.progress.before_dispatch()
        try:
            lines = channel.payload(pdu, self._settings["result_timeout"], message.progress.meanwhile)
        except AtRefused as error:
            self._refused(error.result, dispatched=True)
        except AtTimeout as error:
            raise Unconfirmed("the network did not answer in time") from error
        except ModemLost as error:
            self.close()  # the dialogue cannot go on, and the next message is to find that out
            raise Unconfirmed(f"the modem was lost before the network answered: {error.cause}") from error
        return _reference_of(lines)

    def _pause(self, channel: AtChannel) -> None:
        """Give the modem time between the prompt and the PDU; a wake-up or a URC does not shorten it."""
        until = time.monotonic() + self._prompt_pause
        while (left := until - time.monotonic()) > 0:
            channel.listen(left)

    def _refused(self, result: FinalResult, *, dispatched: bool) -> NoReturn:
        """Turn a final result into "may it be sent again?" (modems.md 10).

        Before the PDU was written nothing can have gone out; after it, only an error with a meaning says so.
        """
        advice, meaning, code = _advice(result), _meaning(result), result.text[:64]
        if advice is Advice.AMBIGUOUS and dispatched:
            raise Unconfirmed(meaning, code=code)
        if dispatched and result.code == _INVALID_PDU and not self._prompt_pause:
            # The PDU is a good one, so the modem lost its beginning: it was not ready for it (modems.md 4).
            self._prompt_pause = _PROMPT_PAUSE
            raise NotSent(meaning, code=code)
        if advice is Advice.NEVER:
            raise Rejected(meaning, code=code)
        if advice is Advice.SET_SMSC and (smsc := self._settings["sms_center"] or self._watch.identity.smsc):
            # The modem forgot it with the network (modems.md 21).
            with suppress(AtTimeout):
                self._ready_channel().attempt(f'AT+CSCA="+{smsc.lstrip("+")}",145')
            raise NotSent(meaning, code=code)
        if advice in (Advice.OTHER, Advice.FREE_STORAGE, Advice.SET_SMSC):
            raise ModemUnfit(meaning, code=code)
        raise NotSent(meaning, code=code, retry_after=_WAIT_RETRY if advice is Advice.WAIT else 0.0)


def _due(chore: Chore) -> float:
    return chore.due


def _silent(error: AtTimeout) -> ModemLost:
    return ModemLost(f"the modem stopped answering: {error}", Trouble.SILENT)


def _advice(result: FinalResult) -> Advice:
    if result.kind is ResultKind.CMS:
        return cms_advice(result.code)
    return cme_advice(result.code) if result.kind is ResultKind.CME else Advice.AMBIGUOUS


def _meaning(result: FinalResult) -> str:
    if result.code is None or result.kind not in (ResultKind.CMS, ResultKind.CME):
        return "the modem gave no reason"
    return cms_meaning(result.code) if result.kind is ResultKind.CMS else cme_meaning(result.code)


def _submit(message: OutgoingMessage, part: UserData) -> SmsSubmit:
    return SmsSubmit(
        destination=Address.parse(f"+{message.destination}"),
        user_data=part,
        validity=Validity.from_seconds(int(message.validity)),
        status_report_request=message.report,
        reject_duplicates=message.again,
    )


def _reference_of(lines: tuple[str, ...]) -> int:
    """Read TP-MR from `+CMGS: <mr>`; some modems forget the line, but OK says that the SMSC has it."""
    for line in lines:
        if found := re.match(r"\+CMGS: *(\d+)", line):
            return int(found[1]) & 0xFF
    return -1
