"""The one door: takes commands from every ingress, checks them, and answers."""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from otppi.api.egress import Channel
from otppi.api.errors import InvalidSettings, NotPermitted
from otppi.api.ingress import Origin, Sender, Ticket
from otppi.api.message import State
from otppi.api.services import Service
from otppi.host.encryption.reader import EnvelopeReader
from otppi.host.gateway.health import Overview
from otppi.host.messages.blocklist import Blocklist, ListFull
from otppi.host.messages.dispatch import Dispatch, NotAccepted
from otppi.host.messages.expiry import span
from otppi.host.messages.settings import SMS, SmsValues
from otppi.host.messages.tickets import FixedTicket, MessageTicket, Outcome, assemble, of_record, of_refusal
from otppi.host.meter.token_bucket import TokenBucket
from otppi.host.modems.worker import modem_workers
from otppi.host.numbering.numbers import numbers_of
from otppi.host.numbering.receivers import Receiver, masked, receiver_of
from otppi.host.otp.answers import OtpTicket, verify
from otppi.host.otp.passwords import OneTimePasswords
from otppi.host.records.record import Content, Record, Words
from otppi.host.storage.store import StoreDamaged
from otppi.host.users.api_users import Accounts
from otppi.host.ussd.answers import ask, of_exchange
from otppi.host.ussd.sessions import UssdSessions
from otppi.text import _, words
from otppi.wire.envelope import CALLBACK_DELAY, Answer, Command, Envelope, Item, ResponseCode, malformed
from otppi.wire.errors import EnvelopeError, FieldError, WireError
from otppi.wire.msisdn import service_number
from otppi.wire.segment import segment

logger = logging.getLogger(__name__)

Take = Callable[[Record], Record]
"""Takes a message in, or raises Refused; gives the earlier record where it is a duplicate."""

_SENDING = frozenset({Command.SEND_SMS, Command.SEND_MAIL, Command.SEND_MESSAGE})
_BLOCKING = frozenset({Command.BLOCK_MSISDN, Command.UNBLOCK_MSISDN})
_FREE_ROTATIONS = 5
"""Times that the key of envelopes may be replaced at once, and then once a minute."""
_UTF16_PER_PART = 66
"""Code units of UCS-2 that fit in a part with the longest concatenation header (3GPP TS 23.040 9.2.3.24.8)."""


class HostGateway(Service):
    """The gateway that ingresses see (`otppi.api.ingress.Gateway`). Any thread.

    Args:
        sms: Gives the values of section `sms`.
        accounts, blocklist, dispatch, otp, ussd: What commands are for.
        reader: Reads envelopes.
        overview: Says how the gateway is.
    """

    name = "gateway"
    sections: Collection[str] = (SMS.key,)

    def __init__(
        self,
        sms: Callable[[], SmsValues],
        accounts: Accounts,
        blocklist: Blocklist,
        dispatch: Dispatch,
        otp: OneTimePasswords,
        ussd: UssdSessions,
        reader: EnvelopeReader,
        overview: Overview,
    ) -> None:
        self._settings = sms
        self.configure(())
        self._otp = otp
        self._blocklist = blocklist
        self._dispatch = dispatch
        self.ussd = ussd
        self.recognise = accounts.recognise
        self.recognise_token = accounts.recognise_token
        self.authenticate = accounts.authenticate
        self.authenticate_token = accounts.authenticate_token
        self.read = reader.read
        self._keys = reader.keys
        self._rotations = TokenBucket(_FREE_ROTATIONS, 1 / 60)
        self.overview = overview
        self.health = overview.health
        self.counters = overview.counters
        self.capacity = overview.capacity

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Use other values of section `sms`."""
        self.sms = self._settings()
        self._numbering = numbers_of(self.sms)

    def keys(self) -> Mapping[str, Any]:
        """Give the public key that envelopes may be encrypted to."""
        return self._keys.jwk_set()

    def rotate_keys(self, sender: Sender) -> Mapping[str, Any]:
        """Make a new key, if this user may."""
        if not sender.manage_keys:
            raise NotPermitted(
                _("{sender} may not manage keys (setting api_users.{sender}.manage_keys)", sender=sender.name)
            )
        if not self._rotations.allows():  # each is written to the card, and pushes an older key out
            raise NotPermitted(_("the key was replaced several times in the last minutes: wait before it is again"))
        self._keys.rotate(sender.name)
        return self._keys.jwk_set()

    def submit(self, envelope: Envelope, origin: Origin) -> Ticket:
        """Take a command; every problem is in the ticket's answer."""
        command = envelope.command
        if envelope.sealed:  # a replay is not made just now
            origin = replace(origin, direct=False)
        if problems := _unanswerable(envelope, origin):
            return FixedTicket(malformed(EnvelopeError(problems), envelope.name))
        if command in _SENDING:
            return self._send(envelope, origin)
        if command in _BLOCKING:
            return self._block(envelope, origin)
        if command is Command.REQUEST_OTP:
            return self._request_otp(envelope, origin)
        if command is Command.REQUEST_USSD:
            return ask(self.ussd, envelope, origin)
        if command is Command.GET_MODEM_LIST:
            return FixedTicket(Answer(envelope.name, ResponseCode.SUCCESS, data=self.overview.modem_list()))
        if command is Command.ECHO:
            return FixedTicket(Answer(envelope.name, ResponseCode.SUCCESS, data={"echo": envelope.data}))
        return self._verify_otp(envelope, origin)

    # -- sending ----------------------------------------------------------------------------------------------------

    def _send(self, envelope: Envelope, origin: Origin) -> Ticket:
        taken = self._take_all(envelope, origin, [self._dispatch.take] * len(envelope.items))
        if isinstance(taken, Answer):
            return FixedTicket(taken)
        return MessageTicket(envelope.name, taken.items, taken.duplicates, self._dispatch, as_list=envelope.is_list)

    def _take_all(self, envelope: Envelope, origin: Origin, takes: Sequence[Take]) -> "_Taken | Answer":
        """Take the messages in, each by its own `takes`; or say what is wrong with any, and take none."""
        problems: list[FieldError] = []
        receivers = [self._receiver(envelope, index, problems) for index in range(len(envelope.items))]
        if problems:
            return malformed(EnvelopeError(problems), envelope.name)
        duplicates: set[int] = set()
        items: list[Record | Outcome] = []
        for index, (item, (receiver, parts), take) in enumerate(zip(envelope.items, receivers, takes, strict=True)):
            record = self._record(item, receiver, origin, bulk=len(envelope.items) > 1)
            record.parts = parts
            items.append(taken := self._take(record, take))
            if isinstance(taken, Record) and taken is not record:
                duplicates.add(index)
        return _Taken(items, frozenset(duplicates))

    def send_by_hand(self, receiver: str, text: str, modem: str | None, origin: Origin) -> Ticket:
        """Send for a person at the device, by a modem of their choice if they name one.

        A person may write to the operator's service numbers too: what those do (buy a package, end a subscription) is
        for whoever owns the SIM card to decide, and not for users of the API.

        Raises:
            InvalidSettings: The number, the text or the modem's name is not valid.
        """
        item, problems = Item(receiver=receiver, message=text), list[FieldError]()
        number = service_number(receiver)
        meant = Receiver(number, number) if number else self._meant(item, "", problems)
        record = self._record(item, meant, origin, bulk=False)
        record.amend(only=modem)
        if not text:
            problems.append(FieldError("message", _("is empty")))
        if record.channel is Channel.SMS:
            record.parts = self._count_parts(item, "", problems)
        names = [worker.name for worker in self._dispatch.workers() if worker.channel is record.channel]
        if modem is not None and modem not in names:
            reason = _(
                "there is no active {noun} of this name; there are {names}",
                noun=record.channel.noun,
                names=", ".join(names),
            )
            problems.append(FieldError("modem", reason))
        if problems:
            raise InvalidSettings(problems)
        return MessageTicket(
            "send-sms", [self._take(record, self._dispatch.take)], frozenset(), self._dispatch, as_list=False
        )

    def _receiver(self, envelope: Envelope, index: int, problems: list[FieldError]) -> tuple[Receiver, int]:
        """Check what the envelope's parser cannot; return the receiver, and the parts, 0 where nobody counted them."""
        item, path = envelope.items[index], _path(envelope, index)
        if envelope.command is Command.SEND_MAIL or "@" in (item.receiver or ""):
            if item.flash:
                problems.append(FieldError(f"{path}flash", _("is for SMS, and the receiver is an e-mail address")))
            if item.modem_id is not None:
                problems.append(FieldError(f"{path}modem_id", _("is for SMS, and the receiver is an e-mail address")))
            return self._meant(item, path, problems), 1
        if item.subject:
            problems.append(FieldError(f"{path}subject", _("is for e-mails, and the receiver is a number")))
        names = [worker.name for worker in modem_workers(self._dispatch.workers()) if worker.send_from_api]
        if item.modem_id is not None and item.modem_id not in names:
            reason = _(
                "there is no active modem of this name that senders may use; there are {names}", names=", ".join(names)
            )
            problems.append(FieldError(f"{path}modem_id", reason))
        parts = self._count_parts(item, path, problems)
        return self._meant(item, path, problems), parts

    def _meant(self, item: Item, path: str, problems: list[FieldError]) -> Receiver:
        """Read whom a message is to go to; what is wrong with that is added to the problems."""
        try:
            return receiver_of(item.receiver or "", self._numbering, sending=True)
        except WireError as error:
            problems.append(FieldError(f"{path}receiver", words(error)))
            return Receiver("", "")

    def _count_parts(self, item: Item, path: str, problems: list[FieldError]) -> int:
        """Check how many parts an SMS takes; return that, 0 where it is too short to be counted."""
        text, most = item.message or "", self.sms["max_segments"]
        # Two code units a character is the most there is; only a long text is worth being taken apart to be counted.
        if 2 * len(text) > _UTF16_PER_PART * most:
            try:
                return len(segment(text, max_parts=most))
            except WireError:
                problems.append(FieldError(f"{path}message", _("is longer than {most} segments", most=most)))
        return 0

    def _record(self, item: Item, receiver: Receiver, origin: Origin, *, bulk: bool) -> Record:
        now, lifetime = time.time(), float(self.sms["default_lifetime"])
        if origin.direct and item.date_time is not None:
            self._dispatch.clock.compare(item.date_time)
        expires, ends_at = span(now, lifetime, item.date_time, item.expiration, direct=origin.direct)
        key = receiver.key
        content = Content(
            origin,
            item.id,
            key,
            expires,
            ends_at,
            masked(key) if self.sms["mask_receivers"] else key,
            "" if receiver.destination == key else receiver.destination,
            item.reference,
            item.priority == "bulk" or (item.priority is None and bulk),
            item.flash,
            item.modem_id,
        )
        record = Record(content, Words(item.message or "", item.subject or ""))
        if self.sms["duplicate_window"] and (item.id is not None or origin.kept_by_source):
            record.digest = self._dispatch.records.digest(item.id, key, _worded(item))
        return record

    def _take(self, record: Record, take: Take) -> Record | Outcome:
        """Give the record that is sent, which is an earlier one's for a duplicate, or say why it is none."""
        try:
            self._admit(record)
            return take(record)
        except NotAccepted as refused:
            return self._refuse(record, refused)

    def _admit(self, record: Record) -> None:
        """Check what can be refused before any egress is asked for.

        Raises:
            Refused: It is too late, or its receiver is blocked.
        """
        if record.expires <= record.created:
            clock = self._dispatch.clock
            late = _(
                "{created:.0f} s before, by the clock of this device ({shown})",
                created=record.created - record.expires,
                shown=clock.shown(),
            )
            raise NotAccepted(
                ResponseCode.EXPIRED,
                _("it had expired when it came in, {late}{suspicion}", late=late, suspicion=clock.suspicion()),
            )
        if record.receiver in self._blocklist:
            raise NotAccepted(ResponseCode.BLOCKED, _("the receiver is on the blocking list"))

    def _refuse(self, record: Record, refused: NotAccepted) -> Outcome:
        """Describe a refusal; report and log have those for good, not those that senders try again and again."""
        state = _FOR_GOOD.get(refused.code)
        if state is None:
            return of_refusal(refused, record.client_id)
        if not self._dispatch.refuse(record, state, refused):
            return of_refusal(refused, record.client_id)
        return of_record(record)

    # -- one-time passwords -----------------------------------------------------------------------------------------

    def _request_otp(self, envelope: Envelope, origin: Origin) -> Ticket:
        drafts = [self._otp.draft(item, direct=origin.direct) for item in envelope.items]
        filled = replace(envelope, items=tuple(draft.item for draft in drafts))
        taken = self._take_all(filled, origin, [partial(self._otp.take, draft) for draft in drafts])
        if isinstance(taken, Answer):
            return FixedTicket(taken)
        asked = [
            {"reference": item.reference, "receiver": item.receiver}  # as it was sent: to its own sender
            for item in envelope.items
        ]
        return OtpTicket(
            envelope.name, taken.items, taken.duplicates, self._dispatch, as_list=envelope.is_list, asked=asked
        )

    def _verify_otp(self, envelope: Envelope, origin: Origin) -> Ticket:
        problems: list[FieldError] = []
        receivers = self._keys_of(envelope, problems)
        if problems:
            return FixedTicket(malformed(EnvelopeError(problems), envelope.name))
        outcomes = [
            verify(self._otp, item, receiver, _path(envelope, index), origin)
            for index, (item, receiver) in enumerate(zip(envelope.items, receivers, strict=True))
        ]
        return FixedTicket(assemble(envelope.name, outcomes, as_list=envelope.is_list))

    # -- the other commands -----------------------------------------------------------------------------------------

    def _keys_of(self, envelope: Envelope, problems: list[FieldError]) -> list[str | None]:
        """Give the receivers in the form in which the gateway keeps them; None where there is none."""
        receivers: list[str | None] = []
        for index, item in enumerate(envelope.items):
            try:
                receivers.append(item.receiver and receiver_of(item.receiver, self._numbering).key)
            except WireError as error:
                problems.append(FieldError(f"{_path(envelope, index)}receiver", words(error)))
        return receivers

    def _block(self, envelope: Envelope, origin: Origin) -> Ticket:
        problems: list[FieldError] = []
        receivers = self._keys_of(envelope, problems)
        if problems:
            return FixedTicket(malformed(EnvelopeError(problems), envelope.name))
        blocking = envelope.command is Command.BLOCK_MSISDN
        numbers = [receiver for receiver in receivers if receiver]
        outcomes = self._change_blocklist(numbers, blocking=blocking, by=f"{origin.ingress}/{origin.sender.name}")
        ids = [item.id for item, receiver in zip(envelope.items, receivers, strict=True) if receiver]
        outcomes = [_with_id(one, client_id) for one, client_id in zip(outcomes, ids, strict=True)]
        return FixedTicket(assemble(envelope.name, outcomes, as_list=envelope.is_list))

    def _change_blocklist(self, numbers: Sequence[str], *, blocking: bool, by: str) -> list[Outcome]:
        try:
            changes = self._blocklist.change(numbers, blocked=blocking, by=by)
        except (OSError, StoreDamaged, ListFull) as error:
            logger.error("the blocking list cannot be changed: %s", error)  # noqa: TRY400 - the reason says it all
            why = words(error) if isinstance(error, ListFull) else _("the blocking list cannot be written")
            cause = _("{why}; nothing was changed", why=why)
            return [Outcome(ResponseCode.FAILED, {"receiver": number, "cause": cause}) for number in numbers]
        return [
            Outcome(ResponseCode.SUCCESS, {"receiver": number, "blocked": blocking, "changed": changed})
            for number, changed in zip(numbers, changes, strict=True)
        ]

    # -- asking -----------------------------------------------------------------------------------------------------

    def message(self, message_id: str, sender: Sender) -> Answer | None:
        """Give the state of a message, or of a USSD session by its number, to the one who sent it."""
        if (session := self.ussd.find(message_id, sender)) is not None:
            outcome = of_exchange(session, session.exchange)
            return Answer("get-message", outcome.code, data=outcome.data)
        record = self._dispatch.records.get(message_id)
        if record is None or record.origin.sender != sender:
            return None
        outcome = of_record(record)
        return Answer("get-message", outcome.code, data=outcome.data)


@dataclass(frozen=True, slots=True)
class _Taken:
    """What became of a command's messages, and which of them are duplicates."""

    items: list[Record | Outcome]
    duplicates: frozenset[int]


_FOR_GOOD = {ResponseCode.EXPIRED: State.EXPIRED, ResponseCode.BLOCKED: State.BLOCKED}


def _path(envelope: Envelope, index: int) -> str:
    """Name an item of a command, for the fields that are wrong."""
    return f"data[{index}]." if envelope.is_list else "data."


def _unanswerable(envelope: Envelope, origin: Origin) -> list[FieldError]:
    """Find the fields that ask for an answer where none can be published, such as over HTTP."""
    if origin.callback is not None:
        return []
    reason = _("answers are not published by this ingress: they come as the response")
    asked = {
        "callback_topic": envelope.callback_topic is not None,
        "callback_delay": envelope.callback_delay > CALLBACK_DELAY,  # a shorter one is kept by any answer
    }
    return [FieldError(name, reason) for name, is_asked in asked.items() if is_asked]


def _with_id(outcome: Outcome, client_id: str | None) -> Outcome:
    """Give the sender's own id back, where there is one."""
    return outcome if client_id is None else replace(outcome, data={"id": client_id, **outcome.data})


def _worded(item: Item) -> str:
    """Write what a duplicate has in common with the first one: no text has a NUL character."""
    return f"{item.subject}\0{item.message}" if item.subject else item.message or ""
