"""The entry point of commands from every ingress, and their answers; messages go through `host.messages.admission`."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

from otppi.api.errors import NotPermitted
from otppi.api.ingress import Origin, Sender, Ticket
from otppi.api.services import Service
from otppi.host.encryption.reader import EnvelopeReader
from otppi.host.gateway.health import Overview
from otppi.host.messages.admission import Admission, path_of
from otppi.host.messages.answers import FixedTicket, MessageTicket, Outcome, assemble, of_record
from otppi.host.messages.blocklist import Blocklist, ListFull
from otppi.host.messages.dispatch import Dispatch
from otppi.host.messages.settings import SMS, SmsValues
from otppi.host.numbering.receivers import receiver_of
from otppi.host.otp.answers import OtpTicket, verify
from otppi.host.otp.one_time import OneTimePasswords
from otppi.host.storage.store import StoreDamaged
from otppi.host.users.api_users import Accounts
from otppi.host.ussd.answers import ask, of_exchange
from otppi.host.ussd.sessions import UssdSessions
from otppi.kit.token_bucket import TokenBucket
from otppi.text import _, words
from otppi.wire.envelope import CALLBACK_DELAY, Answer, Command, Envelope, Item, ResponseCode, malformed
from otppi.wire.errors import EnvelopeError, FieldError, WireError

logger = logging.getLogger(__name__)

_SENDING = frozenset({Command.SEND_SMS, Command.SEND_MAIL, Command.SEND_MESSAGE})
_BLOCKING = frozenset({Command.BLOCK_MSISDN, Command.UNBLOCK_MSISDN})
_FREE_ROTATIONS = 5
"""Times that the key of envelopes may be replaced at once, and then once a minute."""


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
        self._accounts = accounts
        self._reader = reader
        self._settings = sms
        self.sms = sms()
        self._admission = Admission(blocklist, dispatch, self.sms)
        self._otp = otp
        self._blocklist = blocklist
        self._dispatch = dispatch
        self.ussd = ussd
        self._keys = reader.keys
        self._rotations = TokenBucket(_FREE_ROTATIONS, 1 / 60)
        self.overview = overview

    def configure(self, changed: Collection[str]) -> None:  # noqa: ARG002 - there is one
        """Use other values of section `sms`."""
        self.sms = self._settings()
        self._admission.configure(self.sms)

    # -- who sends --------------------------------------------------------------------------------------------------

    def recognise(self, username: str, password: str) -> Sender | None:
        """Return the sender of a password that is known to be right."""
        return self._accounts.recognise(username, password)

    def recognise_token(self, token: str) -> Sender | None:
        """Return the sender of a bearer token."""
        return self._accounts.recognise_token(token)

    def authenticate(self, username: str, password: str, address: str) -> Sender | Future[Sender]:
        """Check a password; a login."""
        return self._accounts.authenticate(username, password, address)

    def authenticate_token(self, token: str, address: str) -> Sender:
        """Check a bearer token; a login."""
        return self._accounts.authenticate_token(token, address)

    # -- envelopes and their keys -----------------------------------------------------------------------------------

    def read(self, body: bytes, ingress: str) -> Envelope:
        """Read a command, encrypted or not."""
        return self._reader.read(body, ingress)

    def keys(self) -> Mapping[str, Any]:
        """Return the public key that envelopes may be encrypted to."""
        return self._keys.jwk_set()

    def rotate_keys(self, sender: Sender) -> Mapping[str, Any]:
        """Make a new key, if this user may."""
        if not sender.manage_keys or sender.metrics_only:
            raise NotPermitted(
                _("{sender} may not manage keys (setting api_users.{sender}.manage_keys)", sender=sender.name)
            )
        if not self._rotations.allows():  # each is written to the card, and pushes an older key out
            raise NotPermitted(_("the key was replaced several times in the last minutes: wait before it is again"))
        self._keys.rotate(sender.name)
        return self._keys.jwk_set()

    # -- commands ---------------------------------------------------------------------------------------------------

    def is_quick(self, envelope: Envelope) -> bool:
        """Return whether a command is taken in at once: one message, or an echo.

        A list takes its time. Changes of the blocking list are written to the card, one-time passwords are sealed and
        kept by a service of their own, USSD codes are a modem's matter.
        """
        if envelope.command in _SENDING:
            return len(envelope.items) == 1 and self._dispatch.is_quick()
        return envelope.command is Command.ECHO

    def submit(self, envelope: Envelope, origin: Origin) -> Ticket:
        """Take a command; every problem is in the ticket's answer."""
        command = envelope.command
        if origin.sender.metrics_only:
            cause = _("{user} may only read metrics (setting api_users.{user}.metrics_only)", user=origin.sender.name)
            return FixedTicket(Answer(envelope.name, ResponseCode.UNAUTHORIZED, data={"cause": cause}))
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
        taken = self._admission.admit_all(envelope, origin, [self._dispatch.enqueue] * len(envelope.items))
        if isinstance(taken, Answer):
            return FixedTicket(taken)
        return MessageTicket(envelope.name, taken.items, taken.duplicates, self._dispatch, as_list=envelope.is_list)

    def send_by_hand(
        self,
        receiver: str,
        text: str,
        modem: str | None,
        origin: Origin,
        *,
        subject: str = "",
        flash: bool = False,
        without: Collection[str] = (),
    ) -> Ticket:
        """Send for a person at the device, or for the gateway itself.

        Args:
            receiver: A number, or an e-mail address.
            text: The text.
            modem: The modem that is to send it, if somebody chose one.
            origin: Who sends it.
            subject: Of an e-mail.
            flash: Whether an SMS is shown at once and not kept (3GPP TS 23.038 class 0).
            without: Modems that are not to send it.

        Raises:
            InvalidSettings: The number, the text or the modem's name is not valid.
        """
        item = Item(receiver=receiver, message=text, subject=subject or None, flash=flash)
        taken = self._admission.admit_by_hand(item, modem, origin, without=without)
        return MessageTicket("send-sms", [taken], frozenset(), self._dispatch, as_list=False)

    # -- one-time passwords -----------------------------------------------------------------------------------------

    def _request_otp(self, envelope: Envelope, origin: Origin) -> Ticket:
        drafts = [self._otp.draft(item, direct=origin.direct) for item in envelope.items]
        filled = replace(envelope, items=tuple(draft.item for draft in drafts))
        taken = self._admission.admit_all(filled, origin, [partial(self._otp.submit, draft) for draft in drafts])
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
            verify(self._otp, item, receiver, path_of(envelope, index), origin)
            for index, (item, receiver) in enumerate(zip(envelope.items, receivers, strict=True))
        ]
        return FixedTicket(assemble(envelope.name, outcomes, as_list=envelope.is_list))

    # -- the other commands -----------------------------------------------------------------------------------------

    def _keys_of(self, envelope: Envelope, problems: list[FieldError]) -> list[str | None]:
        """Return the receivers in the form in which the gateway keeps them; None where there is none."""
        receivers: list[str | None] = []
        for index, item in enumerate(envelope.items):
            try:
                receivers.append(item.receiver and receiver_of(item.receiver, self._admission.numbering).key)
            except WireError as error:
                problems.append(FieldError(f"{path_of(envelope, index)}receiver", words(error)))
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
        """Return the state of a message, or of a USSD session by its number, to the one who sent it."""
        if (session := self.ussd.find(message_id, sender)) is not None:
            outcome = of_exchange(session, session.exchange)
            return Answer("get-message", outcome.code, data=outcome.data)
        record = self._dispatch.records.get(message_id)
        if record is None or record.origin.sender != sender:
            return None
        outcome = of_record(record)
        return Answer("get-message", outcome.code, data=outcome.data)

    def capacity(self) -> int:
        """Return how many messages the modems that work now can have at hand without waiting."""
        return self.overview.capacity()

    def health(self) -> Mapping[str, Any]:
        """Return whether messages can be sent."""
        return self.overview.health()

    def counters(self) -> Mapping[str, Mapping[str, float]]:
        """Count for metrics."""
        return self.overview.counters()


def _unanswerable(envelope: Envelope, origin: Origin) -> list[FieldError]:
    """Find the fields that ask for an answer where none can be published, such as over HTTP."""
    if origin.callback is not None or (envelope.callback_topic is None and envelope.callback_delay <= CALLBACK_DELAY):
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
