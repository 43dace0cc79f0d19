"""Receiving through ModemManager: what the Sms objects hold that it makes of messages and status reports."""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from otppi.api.errors import ModemLost, Trouble
from otppi.api.events import DeliveryOutcome, DeliveryReport, InboundPart, ModemEvents
from otppi.wire.status_report import status_outcome
from otppi_modem_modemmanager.bus import BusError, Signal
from otppi_modem_modemmanager.managed import ManagedModem
from otppi_modem_modemmanager.names import MESSAGING, SMS, PduType, SmsState
from otppi_modem_modemmanager.refusals import short
from otppi_modem_modemmanager.text import _

logger = logging.getLogger(__name__)

_ASK_AGAIN = 60.0
"""Seconds until a message that is not held is offered again."""
_INCOMPLETE = 3 * 86_400.0
"""Seconds for which the rest of a message is waited for. ModemManager shows none of its parts, which fill the SIM."""
_NEVER = float("inf")


class Inbox:
    """The Sms objects of one modem that are not known to be dealt with: when to look at each next."""

    def __init__(self, modem: ManagedModem, events: ModemEvents, delete: Callable[[str], None]) -> None:
        self._modem = modem
        self._events = events
        self._delete = delete
        self._due: dict[str, float] = {}
        self._since: dict[str, float] = {}

    def opened(self) -> None:
        """Look at all that is there, after what came before it was asked for."""
        try:
            (paths,) = self._modem.call(MESSAGING, "List")
        except BusError as error:
            raise ModemLost(_("the messages cannot be listed: {short}", short=short(error)), Trouble.FAULTY) from error
        for path in paths:
            self._due.setdefault(str(path), 0.0)

    def heard(self, signal: Signal) -> None:
        """Take note of a message that came, was completed, or was deleted."""
        match signal.member, signal.args:
            case "Added", [path, received] if signal.path == self._modem.path and received:
                self._due[str(path)] = 0.0
            case "Deleted", [path] if signal.path == self._modem.path:
                self._due.pop(str(path), None)
                self._since.pop(str(path), None)
            case "PropertiesChanged", [interface, *_] if interface == SMS and signal.path in self._due:
                self._due[signal.path] = 0.0

    @property
    def due(self) -> float:
        """When `work` is wanted next, by the monotonic clock."""
        return min(self._due.values(), default=_NEVER)

    def work(self) -> None:
        """Look at one Sms object."""
        path = min(self._due, key=lambda path: self._due[path])
        try:
            properties = self._modem.properties_of(path, SMS)
        except BusError as error:
            logger.debug("an SMS went away before it was read: %s", short(error))
            self._due.pop(path, None)
            return
        pdu_type, state = int(properties.get("PduType", 0)), int(properties.get("State", 0))
        if pdu_type == PduType.SUBMIT or state in (SmsState.STORED, SmsState.SENT):
            # What an earlier run of this gateway left behind: messages are deleted as soon as they are sent.
            self._done(path)
        elif state == SmsState.RECEIVED:
            self._received(path, pdu_type, properties)
        else:
            self._incomplete(path)

    def _received(self, path: str, pdu_type: int, properties: Mapping[str, Any]) -> None:
        if pdu_type == PduType.STATUS_REPORT:
            self._events.reported(_report(properties))
            self._done(path)
        elif self._events.received(_part(path, properties)):
            self._done(path)
        else:
            self._due[path] = time.monotonic() + _ASK_AGAIN

    def _incomplete(self, path: str) -> None:
        now = time.monotonic()
        until = self._since.setdefault(path, now) + _INCOMPLETE
        if until <= now:
            logger.warning("a message of several parts is deleted: the rest did not come for three days")
            self._done(path)
        else:
            self._due[path] = until

    def _done(self, path: str) -> None:
        self._due.pop(path, None)
        self._since.pop(path, None)
        self._delete(path)


def _part(path: str, properties: Mapping[str, Any]) -> InboundPart:
    text, data = str(properties.get("Text", "")), bytes(properties.get("Data", b""))
    binary = bool(data) and not text
    return InboundPart(
        originator=str(properties.get("Number", "")),
        text=data.hex() if binary else text,
        sent=_unix(str(properties.get("Timestamp", ""))) or 0.0,
        binary=binary,
        offer=path,
    )


def _report(properties: Mapping[str, Any]) -> DeliveryReport:
    """DeliveryState is TP-ST as it came (3GPP TS 23.040 9.2.3.15); above are states of CDMA, and 256 for "unknown"."""
    status = int(properties.get("DeliveryState", 0x100))
    return DeliveryReport(
        destination=str(properties.get("Number", "")).lstrip("+"),
        reference=int(properties.get("MessageReference", 0)) & 0xFF,
        outcome=DeliveryOutcome(status_outcome(status).value) if status <= 0xFF else DeliveryOutcome.PENDING,
        status=min(status, 0xFF),
        discharged=_unix(str(properties.get("DischargeTimestamp", ""))),
    )


def _unix(timestamp: str) -> float | None:
    """Read ISO 8601 as ModemManager writes it, e.g. `2026-05-01T08:30:00+07`; None where it is no time."""
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except ValueError:
        return None
