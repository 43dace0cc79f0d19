"""Owns the faults that networks and modems were seen with in long messages and status reports (modems.md 13-15)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from otppi.simulator.fault_acts import lose_result, refuse_with_code, switch, table
from otppi.simulator.faults import Act, Fault, Moment, Stage

if TYPE_CHECKING:
    from otppi.simulator.peer import ModemPeer

_PENDING, _FAILED = 0x30, 0x46
_LAST_BUT_ONE = 254

Reports = list[tuple[float, int]]


def _is_later_part(moment: Moment) -> bool:
    """Whether the message is the second or a later part of a long one."""
    submit = moment.sms.submit
    concatenation = submit.user_data.concatenation if submit else None
    return concatenation is not None and concatenation.number > 1


def _wants_report(moment: Moment) -> bool:
    return moment.sms.submit is not None and moment.sms.submit.status_report_request


def _reports(change: Callable[[Reports, Moment], Reports]) -> Act:
    """Change the reports to come."""

    def act(moment: Moment) -> bool:
        moment.reports = change(moment.reports, moment)
        return False

    return act


def _status_is_the_code(reports: Reports, moment: Moment) -> Reports:
    return [(delay, moment.injection.code) for delay, _ in reports[:1]]


def _later(reports: Reports, moment: Moment) -> Reports:
    return [(delay + moment.injection.seconds, status) for delay, status in reports]


def _count_from(reference: int) -> Act:
    def act(moment: Moment) -> bool:
        moment.peer.sender.next_reference = reference
        return False

    return act


def _count_from_zero(peer: "ModemPeer") -> None:
    peer.sender.next_reference = 0


_Z, _T = Stage.SUBMIT, Stage.REPORT

REPORT_FAULTS = table(
    Fault("report-failed", 13, _T, _reports(_status_is_the_code), "the report says that it failed: TP-ST is `code`",
          code=_FAILED),
    Fault("report-pending-only", 13, _T, _reports(_status_is_the_code), "the only report says: still trying",
          code=_PENDING),
    Fault("report-before-result", 13, _T, _reports(lambda reports, _: [(0.0, status) for __, status in reports]),
          "+CDS comes before +CMGS"),
    Fault("report-twice", 13, _T, _reports(lambda reports, _: reports * 2), "each report comes twice"),
    Fault("report-late", 13, _T, _reports(_later), "reports come `seconds` late", seconds=2.0),
    Fault("reports-refused", 13, _Z, refuse_with_code("CMS"),
          "+CMS ERROR: `code` for a message that asks for a report", code=69, concerns=_wants_report),
    Fault("part-refused", 14, _Z, refuse_with_code("CMS"), "+CMS ERROR: `code` for a part that is not the first",
          code=41, times=1, concerns=_is_later_part),
    Fault("part-lost", 14, _Z, lose_result(sent=False), "such a part is lost, and +CMGS never comes", times=1,
          concerns=_is_later_part),
    Fault("reference-wraps", 15, Stage.SWITCH, _count_from(_LAST_BUT_ONE), "TP-MR counts on at 254", _count_from_zero),
    switch("reference-constant", 15, "TP-MR is always the same", reference_step=0),
)  # fmt: skip
"""What may happen to long messages and to reports."""
