"""Owns the faults that networks and modems were seen with in long messages and status reports (modems.md 13-15)."""

from collections.abc import Callable

from otppi.simulator.faults.acts import lose_result, refuse_with_code, switch, table
from otppi.simulator.faults.board import Act, Fault, Strike
from otppi.simulator.healthy import HealthyPeer
from otppi.simulator.stages import Stage
from otppi.text import _

_PENDING, _FAILED = 0x30, 0x46
_LAST_BUT_ONE = 254

Reports = list[tuple[float, int]]


def _is_later_part(strike: Strike) -> bool:
    """Whether the message is the second or a later part of a long one."""
    submit = strike.sms.submit
    concatenation = submit.user_data.concatenation if submit else None
    return concatenation is not None and concatenation.number > 1


def _wants_report(strike: Strike) -> bool:
    return strike.sms.submit is not None and strike.sms.submit.status_report_request


def _reports(change: Callable[[Reports, Strike], Reports]) -> Act:
    """Change the reports to come."""

    def act(strike: Strike) -> bool:
        strike.moment.reports = change(strike.moment.reports, strike)
        return False

    return act


def _status_is_the_code(reports: Reports, strike: Strike) -> Reports:
    return [(delay, strike.injection.code) for delay, _ in reports[:1]]


def _later(reports: Reports, strike: Strike) -> Reports:
    return [(delay + strike.injection.seconds, status) for delay, status in reports]


def _count_from(reference: int) -> Act:
    def act(strike: Strike) -> bool:
        strike.peer.sender.next_reference = reference
        return False

    return act


def _count_from_zero(peer: HealthyPeer) -> None:
    peer.sender.next_reference = 0


_Z, _T = Stage.SUBMIT, Stage.REPORT

REPORT_FAULTS = table(
    Fault("report-failed", 13, _T, _reports(_status_is_the_code), _("the report says that it failed: TP-ST is `code`"),
          code=_FAILED),
    Fault("report-pending-only", 13, _T, _reports(_status_is_the_code), _("the only report says: still trying"),
          code=_PENDING),
    Fault("report-before-result", 13, _T, _reports(lambda reports, _: [(0.0, status) for __, status in reports]),
          _("+CDS comes before +CMGS")),
    Fault("report-twice", 13, _T, _reports(lambda reports, _: reports * 2), _("each report comes twice")),
    Fault("report-late", 13, _T, _reports(_later), _("reports come `seconds` late"), seconds=2.0),
    Fault("reports-refused", 13, _Z, refuse_with_code("CMS"),
          _("+CMS ERROR: `code` for a message that asks for a report"), code=69, concerns=_wants_report),
    Fault("part-refused", 14, _Z, refuse_with_code("CMS"), _("+CMS ERROR: `code` for a part that is not the first"),
          code=41, times=1, concerns=_is_later_part),
    Fault("part-lost", 14, _Z, lose_result(sent=False), _("such a part is lost, and +CMGS never comes"), times=1,
          concerns=_is_later_part),
    Fault("reference-wraps", 15, Stage.SWITCH, _count_from(_LAST_BUT_ONE),
          _("TP-MR counts on at 254"), _count_from_zero),
    switch("reference-constant", 15, _("TP-MR is always the same"), reference_step=0),
)  # fmt: skip
"""What may happen to long messages and to reports."""
