"""What becomes a message: commands are checked, made records of, and taken in, or refused."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from otppi.api.egress import Channel
from otppi.api.errors import InvalidSettings
from otppi.api.ingress import Origin
from otppi.api.message import State
from otppi.host.messages.answers import Outcome, of_record, of_refusal
from otppi.host.messages.blocklist import Blocklist
from otppi.host.messages.dispatch import Dispatch
from otppi.host.messages.expiry import span
from otppi.host.messages.refusal import NotAccepted
from otppi.host.messages.settings import SmsValues
from otppi.host.numbering.numbers import numbers_of
from otppi.host.numbering.receivers import Receiver, masked, receiver_of
from otppi.host.records.record import Content, Record, Words
from otppi.text import _, words
from otppi.wire.envelope import Answer, Command, Envelope, Item, ResponseCode, malformed
from otppi.wire.errors import EnvelopeError, FieldError, WireError
from otppi.wire.msisdn import service_number
from otppi.wire.segment import segment

Enqueue = Callable[[Record], Record]
"""Takes a message in, or raises NotAccepted; returns the earlier record where it is a duplicate."""

_UTF16_PER_PART = 66
"""Code units of UCS-2 that fit in a part with the longest concatenation header (3GPP TS 23.040 9.2.3.24.8)."""
_FOR_GOOD = {ResponseCode.EXPIRED: State.EXPIRED, ResponseCode.BLOCKED: State.BLOCKED}


@dataclass(frozen=True, slots=True)
class Admitted:
    """What became of a command's messages, and which of them are duplicates."""

    items: list[Record | Outcome]
    duplicates: frozenset[int]


class Admission:
    """Admits the messages of commands (any thread), by values of section `sms` that `configure` replaces."""

    def __init__(self, blocklist: Blocklist, dispatch: Dispatch, sms: SmsValues) -> None:
        self._blocklist = blocklist
        self._dispatch = dispatch
        self.configure(sms)

    def configure(self, sms: SmsValues) -> None:
        """Go by other values of section `sms`."""
        self._sms = sms
        self.numbering = numbers_of(sms)

    def admit_all(self, envelope: Envelope, origin: Origin, enqueues: Sequence[Enqueue]) -> "Admitted | Answer":
        """Admit all messages, each queued by its own of `enqueues`; or say what is wrong with any, and admit none."""
        problems: list[FieldError] = []
        receivers = [self._receiver(envelope, index, problems) for index in range(len(envelope.items))]
        if problems:
            return malformed(EnvelopeError(problems), envelope.name)
        duplicates: set[int] = set()
        items: list[Record | Outcome] = []
        for index, (item, (receiver, parts), enqueue) in enumerate(
            zip(envelope.items, receivers, enqueues, strict=True)
        ):
            record = self._record(item, receiver, origin, bulk=len(envelope.items) > 1)
            record.parts = parts
            items.append(taken := self._enqueue(record, enqueue))
            if isinstance(taken, Record) and taken is not record:
                duplicates.add(index)
        return Admitted(items, frozenset(duplicates))

    def admit_by_hand(
        self, item: Item, modem: str | None, origin: Origin, *, without: Collection[str] = ()
    ) -> Record | Outcome:
        """Admit a message of a person at the device, by a modem of their choice if they name one, not by some others.

        A person may write to the operator's service numbers too: what those do (buy a package, end a subscription) is
        for whoever owns the SIM card to decide, and not for users of the API.

        Raises:
            InvalidSettings: The number, the text or the modem's name is not valid.
        """
        problems: list[FieldError] = []
        number = service_number(item.receiver or "")
        meant = Receiver(number, number) if number else self._meant(item, "", problems)
        record = self._record(item, meant, origin, bulk=False)
        record.amend(only=modem)
        record.excluded |= frozenset(without)
        if not item.message:
            problems.append(FieldError("message", _("is empty")))
        if item.flash and record.channel is not Channel.SMS:
            problems.append(FieldError("flash", _("is for SMS, and the receiver is an e-mail address")))
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
        return self._enqueue(record, self._dispatch.enqueue)

    def _receiver(self, envelope: Envelope, index: int, problems: list[FieldError]) -> tuple[Receiver, int]:
        """Check what the envelope's parser cannot; return the receiver, and the parts, 0 where nobody counted them."""
        item, path = envelope.items[index], path_of(envelope, index)
        if envelope.command is Command.SEND_MAIL or "@" in (item.receiver or ""):
            if item.flash:
                problems.append(FieldError(f"{path}flash", _("is for SMS, and the receiver is an e-mail address")))
            if item.modem_id is not None:
                problems.append(FieldError(f"{path}modem_id", _("is for SMS, and the receiver is an e-mail address")))
            return self._meant(item, path, problems), 1
        if item.subject:
            problems.append(FieldError(f"{path}subject", _("is for e-mails, and the receiver is a number")))
        if item.modem_id is not None:
            workers = self._dispatch.workers()
            names = [worker.name for worker in workers if worker.channel is Channel.SMS and worker.send_from_api]
            if item.modem_id not in names:
                reason = _(
                    "there is no active modem of this name that senders may use; there are {names}",
                    names=", ".join(names),
                )
                problems.append(FieldError(f"{path}modem_id", reason))
        parts = self._count_parts(item, path, problems)
        return self._meant(item, path, problems), parts

    def _meant(self, item: Item, path: str, problems: list[FieldError]) -> Receiver:
        """Read whom a message is to go to; what is wrong with that is added to the problems."""
        try:
            return receiver_of(item.receiver or "", self.numbering, sending=True)
        except WireError as error:
            problems.append(FieldError(f"{path}receiver", words(error)))
            return Receiver("", "")

    def _count_parts(self, item: Item, path: str, problems: list[FieldError]) -> int:
        """Check how many parts an SMS takes; return that, 0 where it is too short to be counted."""
        text, most = item.message or "", self._sms["max_segments"]
        # Two code units a character is the most there is; only a long text is worth being taken apart to be counted.
        if 2 * len(text) > _UTF16_PER_PART * most:
            try:
                return len(segment(text, max_parts=most))
            except WireError:
                reason = _.plural("is longer than {count} segment", "is longer than {count} segments", count=most)
                problems.append(FieldError(f"{path}message", reason))
        return 0

    def _record(self, item: Item, receiver: Receiver, origin: Origin, *, bulk: bool) -> Record:
        now, lifetime = time.time(), float(self._sms["default_lifetime"])
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
            masked(key) if self._sms["mask_receivers"] else key,
            "" if receiver.destination == key else receiver.destination,
            item.reference,
            item.priority == "bulk" or (item.priority is None and bulk),
            item.flash,
            item.modem_id,
        )
        record = Record(content, Words(item.message or "", item.subject or ""))
        if self._sms["duplicate_window"] and (item.id is not None or origin.kept_by_source):
            record.digest = self._dispatch.records.digest(item.id, key, _worded(item))
        return record

    def _enqueue(self, record: Record, enqueue: Enqueue) -> Record | Outcome:
        """Return the record that is sent, which is an earlier one's for a duplicate, or say why it is none."""
        try:
            self._admit(record)
            return enqueue(record)
        except NotAccepted as refused:
            return self._refuse(record, refused)

    def _admit(self, record: Record) -> None:
        """Check what can be refused before any egress is asked for.

        Raises:
            NotAccepted: It is too late, or its receiver is blocked.
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


def path_of(envelope: Envelope, index: int) -> str:
    """Name an item of a command, for the fields that are wrong."""
    return f"data[{index}]." if envelope.is_list else "data."


def _worded(item: Item) -> str:
    """Write what a duplicate has in common with the first one: no text has a NUL character."""
    return f"{item.subject}\0{item.message}" if item.subject else item.message or ""
