"""Which message a status report is about: matched by modem, TP-MR and receiver (modems.md 13, 15)."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from otppi.api.events import DeliveryOutcome, DeliveryReport
from otppi.host.records.record import Record
from otppi.wire.msisdn import mask, service_number

_EARLY = 256
_EARLY_SECONDS = 120.0
_ALIKE = 7
"""Digits at the end of a number that tell receivers apart where one form is national and the other international."""
_UNKNOWN = -1
"""Stands for the TP-MR of a part that the modem did not tell."""


@dataclass(slots=True)
class _Awaited:
    """A message with what became of its parts, by their index; `unknown` are those under a TP-MR that nobody saw."""

    record: Record
    unknown: list[int]
    outcomes: dict[int, DeliveryOutcome] = field(default_factory=dict)

    @property
    def outcome(self) -> DeliveryOutcome:
        """What became of the whole: failed with one part, delivered with all of them."""
        outcomes = list(self.outcomes.values())
        if DeliveryOutcome.FAILED in outcomes:
            return DeliveryOutcome.FAILED
        delivered = outcomes.count(DeliveryOutcome.DELIVERED)
        return DeliveryOutcome.DELIVERED if delivered >= self.record.segments else DeliveryOutcome.PENDING


class Receipts:
    """The messages that reports are waited for, by modem and TP-MR. The dispatcher's lock guards every call.

    TP-MR counts to 255 only, so the newest message to the receiver is meant. A report may come before it is known that
    its message went out: such ones are kept for a while.

    Args:
        known: Whether a message is still known, by its id: the reports on one that is not are waited for no more.
    """

    def __init__(self, known: Callable[[str], object]) -> None:
        self._known = known
        self._awaited: OrderedDict[str, _Awaited] = OrderedDict()
        self._parts: dict[tuple[str, int], list[tuple[_Awaited, int]]] = {}
        self._with_unknown: dict[str, _Awaited] = {}
        self._early: deque[tuple[float, str, DeliveryReport]] = deque(maxlen=_EARLY)

    def expect(self, record: Record) -> list[DeliveryReport]:
        """Wait for the reports on a message that went out, or may have; return those that came already."""
        references, status = record.progress.references, record.status
        unknown = [] if _UNKNOWN not in references else [n for n, one in enumerate(references) if one == _UNKNOWN]
        if status.segments > len(references):
            unknown.append(len(references))
        self._awaited[record.message_id] = awaited = _Awaited(record, unknown)
        for part, reference in enumerate(references):
            self._parts.setdefault((status.egress or "", reference), []).append((awaited, part))
        if unknown:
            self._with_unknown[record.message_id] = awaited
        while self._awaited and not self._known(next(iter(self._awaited))):
            self._forget(next(iter(self._awaited.values())))
        return self._came_early(awaited) if self._early else []

    def accepted(self, message_id: str, reference: int) -> Record | None:
        """Learn the TP-MR of a part that was unknown; return the message where the SMSC has all of its parts now."""
        awaited = self._with_unknown.get(message_id)
        if awaited is None:
            return None
        self._learn(awaited, reference)
        record = awaited.record
        return record if len(record.progress.references) >= record.segments and not awaited.unknown else None

    def match(self, modem: str, report: DeliveryReport) -> tuple[Record, DeliveryOutcome] | None:
        """Find the message that a report is about, and say what has become of the whole of it; None where unknown."""
        found = self._match(modem, report)
        if found is None:
            self._early.append((time.monotonic(), modem, report))
            return None
        awaited, part = found
        if awaited.outcomes.get(part) is not DeliveryOutcome.DELIVERED:  # a report that comes twice changes nothing
            awaited.outcomes[part] = report.outcome
        outcome = awaited.outcome
        if outcome is DeliveryOutcome.DELIVERED:
            self._forget(awaited)
        return awaited.record, outcome

    def _match(self, modem: str, report: DeliveryReport) -> tuple[_Awaited, int] | None:
        for awaited, part in reversed(self._parts.get((modem, report.reference), ())):
            if _alike(awaited.record.receiver, report.destination):
                return awaited, part
        # A part whose +CMGS never came: it is meant where there is just one such message to this receiver.
        lost = [
            awaited
            for awaited in self._with_unknown.values()
            if awaited.record.egress == modem
            and report.destination
            and _alike(awaited.record.receiver, report.destination)
        ]
        return (lost[0], self._learn(lost[0], report.reference)) if len(lost) == 1 else None

    def _learn(self, awaited: _Awaited, reference: int) -> int:
        part = awaited.unknown.pop(0)
        references = awaited.record.progress.references
        references[part : part + 1] = [reference]
        self._parts.setdefault((awaited.record.egress or "", reference), []).append((awaited, part))
        if not awaited.unknown:
            del self._with_unknown[awaited.record.message_id]
        return part

    def _came_early(self, awaited: _Awaited) -> list[DeliveryReport]:
        record, now = awaited.record, time.monotonic()
        meant, others = [], []
        for came, modem, report in self._early:
            if (
                modem == record.egress
                and report.reference in record.progress.references
                and _alike(record.receiver, report.destination)
            ):
                meant.append(report)
            elif now - came < _EARLY_SECONDS:
                others.append((came, modem, report))
        self._early = deque(others, maxlen=_EARLY)
        return meant

    def _forget(self, awaited: _Awaited) -> None:
        record = awaited.record
        del self._awaited[record.message_id]
        self._with_unknown.pop(record.message_id, None)
        egress = record.status.egress or ""
        for reference in record.progress.references:
            entries = self._parts.pop((egress, reference), ())
            if left := [entry for entry in entries if entry[0] is not awaited]:
                self._parts[egress, reference] = left


def _alike(receiver: str, destination: str) -> bool:
    """Whether two numbers may be one: in national and international form, or masked since a restart."""
    if not destination or receiver == destination:
        return True
    if service_number(receiver):
        return receiver == destination
    if "*" in receiver:
        return mask(destination) == receiver
    return receiver[-_ALIKE:] == destination[-_ALIKE:]
