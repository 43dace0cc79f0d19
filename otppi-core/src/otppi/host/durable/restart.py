"""What an earlier run of the gateway left: put together from the journal, the spool and the in-flight notes."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from otppi.host.durable.in_flight import InFlight
from otppi.host.durable.journal import Journal
from otppi.host.durable.report import Report
from otppi.host.durable.spool import Spool
from otppi.host.records.record import Record

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """The records, those that wait in the order in which they were taken in, and the ids among the in-flight notes.

    What ended with the crash or the power cut has no time of its end yet.
    """

    records: Sequence[Record]
    noted: Collection[str]


def left_behind(journal: Journal, spool: Spool, notes: InFlight, report: Report) -> LeftBehind:
    """Find out what became of each message that an earlier run took in.

    The journal says how far each one got, and the spool has the texts of those that only waited. A crash leaves both, a
    power cut none: what is noted on the card as on its way, and known to neither of them nor the report, is lost. The
    lines of the report that waited when the process died are made anew.
    """
    kept = spool.left_over()
    records = sorted(journal.replay(kept), key=lambda record: record.taken)
    waiting = set()
    for record in records:
        if record.state.final:
            continue
        waiting.add(record.message_id)
        if (held := kept.get(record.message_id)) is not None:
            held.give_back(record)
        record.restored = True
    spool.drop_others(kept.values(), waiting)
    if waiting:
        logger.info("%d messages of an earlier run wait and are queued again", len(waiting))
    ended = [record for record in records if record.finished is not None and record.follows is None]
    for record in _unreported(report, ended):
        report.append(record)
    noted, known = notes.left_over(), {record.message_id for record in records}
    lost = notes.lost_records(note for message_id, note in noted.items() if message_id not in known)
    if lost:
        logger.warning("the power took %d messages that were on their way", len(lost))
    return LeftBehind([*lost, *records], noted)


def _unreported(report: Report, ended: Sequence[Record]) -> Sequence[Record]:
    try:
        return report.missing(ended)
    except OSError as error:
        logger.error("the report cannot be read, it lacks what ended right before: %s", error.strerror or error)  # noqa: TRY400
        return ()
