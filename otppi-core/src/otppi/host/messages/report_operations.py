"""The operations on the report: its messages by pages, its sums, and those made anew."""

import re
import time
from datetime import date, timedelta
from typing import Any, Final

from otppi.api.errors import InvalidSettings
from otppi.api.message import State
from otppi.api.operations import Offline, Operation, Role
from otppi.api.settings import integer, text
from otppi.host.durable.day_sums import OTHERS
from otppi.host.durable.report import Report
from otppi.host.durable.report_folder import ReportFolder
from otppi.host.messages.settings import SMS
from otppi.host.numbering.numbers import numbers_of
from otppi.host.numbering.receivers import receiver_of
from otppi.host.runtime.registry import HostCall, NotRunning
from otppi.host.settings.config import Config
from otppi.text import _
from otppi.wire.errors import FieldError, WireError

LONGEST_SPAN: Final = 92
"""Days that are added up at once."""
BY: Final = ("day", "modem", "prefix", "user", "state")
"""What sums are told by."""
_LONG_NUMBER = 10
"""Digits from which on a number is taken for a whole one, not for its end."""
_YEARS: Final = range(1971, 2100)
"""Those of days that are asked for; what is reckoned with them stays far from where the calendar ends."""
_PLACE = re.compile(r"([0-9]{4}-[0-9]{2}:[0-9]{1,12})?")
_DIMENSIONS: Final = {"modem": "egress", "prefix": "prefix", "user": "user"}


def _day_problem(written: str) -> str | None:
    try:
        if not written or (len(written) == 10 and date.fromisoformat(written).year in _YEARS):
            return None
    except ValueError:
        pass
    return _("must be a day, such as 2026-11-30")


def _place_problem(written: str) -> str | None:
    return None if _PLACE.fullmatch(written) else _("is no place that the report has told")


# -- single messages ---------------------------------------------------------------------------------------------------


def _report(call: HostCall, receiver: str, place: str, limit: int, **filters: str) -> dict[str, Any]:
    """Return messages, newest first, and from where to go on."""
    from otppi.host.durable.report_search import ReportFilter

    egress = filters.pop("modem")
    wanted = ReportFilter(egress=egress, receiver=_end_of(call, receiver.strip()), **filters)
    page = call.part(ReportFolder).search(wanted, place, limit)
    return {
        "messages": [_described(one) for one in page.messages],
        "further": page.further,
        "stopped": page.stopped,
        "reached": round(page.reached) or None,
    }


def _described(found: Any) -> dict[str, Any]:
    one = found.message
    ingress, _slash, user = one.source.partition("/")
    mail = "@" in one.receiver
    return {
        "message_id": one.message_id,
        "client_id": one.client_id or None,
        "ended": one.at,
        "ingress": ingress,
        "user": user,
        "channel": "mail" if mail else "sms",
        "receiver": one.receiver,
        "egress": (one.egress.removeprefix("mail/") if mail else one.egress) or None,
        "segments": one.segments,
        "state": found.state.value,
        "changed": found.changed,
        "seconds": one.seconds,
        "code": one.code,
        "price": one.price,
    }


def _end_of(call: HostCall, typed: str) -> str:
    """Return how a receiver ends that somebody typed: a whole number as its key, whatever it was written like."""
    if "@" in typed:
        return typed.lower()
    digits = "".join(sign for sign in typed if sign.isascii() and sign.isdigit())
    if typed.startswith(("0", "+")) or len(digits) >= _LONG_NUMBER:
        try:
            return receiver_of(typed, numbers_of(call.part(Config).one(SMS))).key
        except WireError:
            pass
    return digits or typed


# -- sums --------------------------------------------------------------------------------------------------------------


def _sums(call: HostCall, since: str, until: str, by: str, state: str, **only: str) -> dict[str, Any]:
    """Return sums by one of `BY`, of all messages or of those of a modem, to a prefix, of a user."""
    first, last = _days(since, until)
    wanted = {_DIMENSIONS[key]: value for key, value in only.items() if value}
    asked = {*wanted, *([_DIMENSIONS[by]] if by in _DIMENSIONS else ())}
    sums, lacking = call.part(ReportFolder).sums(first, last, together=len(asked) > 1)
    days = [f"{first + timedelta(days=number)}" for number in range((last - first).days + 1)]
    rows: dict[str, dict[str, Any]] = {day: _row(day) for day in days} if by == "day" else {}
    total, mixed = _row(""), 0
    for day, names, its_state, cell in sums.told_by(asked, days):
        if state not in ("", its_state):
            continue
        if len(asked) > 1 and set(names.values()) == {OTHERS}:
            mixed += cell[0]
            continue
        if any(_shown(names[dimension]) != value for dimension, value in wanted.items()):
            continue
        key = {"day": day, "state": its_state}.get(by) or _shown(names[_DIMENSIONS[by]])
        for row in (rows.setdefault(key, _row(key)), total):
            _add(row, its_state, cell)
    ordered = list(rows.values()) if by == "day" else sorted(rows.values(), key=lambda row: -row["messages"])
    return {
        "since": days[0],
        "until": days[-1],
        "by": by,
        "rows": ordered,
        "total": {key: value for key, value in total.items() if key != "value"},
        "choices": {key: _values(sums, of, days) for key, of in _DIMENSIONS.items()},
        "months": call.part(ReportFolder).months(),
        "lacking": lacking,
        "mixed": mixed,
    }


def _days(since: str, until: str) -> tuple[date, date]:
    """Return the first and the last day; of neither those of this month."""
    today = date.fromisoformat(time.strftime("%Y-%m-%d"))
    last = date.fromisoformat(until) if until else max(today, date.fromisoformat(since) if since else today)
    first = date.fromisoformat(since) if since else last.replace(day=1)
    problems = []
    if first > last:
        problems.append(FieldError("until", _("is before the first day")))
    elif (last - first).days >= LONGEST_SPAN:
        if not until:
            return first, first + timedelta(days=LONGEST_SPAN - 1)
        problems.append(FieldError("until", _("is too far from the first day: {days} at most", days=LONGEST_SPAN)))
    if problems:
        raise InvalidSettings(problems)
    return first, last


def _row(value: str) -> dict[str, Any]:
    return {"value": value, "messages": 0, "segments": 0, "price": 0, "states": {}}


def _add(row: dict[str, Any], state: str, cell: Any) -> None:
    messages, segments, price = cell
    row["messages"] += messages
    row["segments"] += segments
    row["price"] = round(row["price"] + price, 4)
    row["states"][state] = row["states"].get(state, 0) + messages


def _shown(name: str) -> str:
    """Return a value as it is asked for: `-` for none."""
    return name or "-"


def _values(sums: Any, dimension: str, days: list[str]) -> list[str]:
    return sorted(map(_shown, sums.values(dimension, days)))


def _make(call: HostCall) -> dict[str, Any]:
    """Have the gateway make them, or do so at once where none runs."""
    folder = call.part(ReportFolder)
    try:
        make = call.part(Report).make_sums_anew
    except NotRunning:
        make = folder.make_sums
    make()
    return {"months": folder.months()}


_STATES = ("", *(one.value for one in State if one.final))
_STATE = text("state", _("State"), _("of messages in this state only"), choices=_STATES)

OPERATIONS = (
    Operation(
        name="report",
        title=_("Report"),
        help=_(
            "List the messages that ended, newest first, as the report on the card has them; never their texts. A "
            "search stops after a stretch, however little it found, and tells the place to go on from in `further`."
        ),
        handler=_report,
        parameters=(
            _STATE,
            text("modem", _("Modem"), _("of this modem or mail account only")),
            text("user", _("User"), _("of this user, this ingress, or both (ingress-rest/shop) only")),
            text("receiver", _("Receiver"), _("to this receiver only, or to those that end so")),
            text("message_id", _("Message id"), _("the one of this id, or of this number of its sender, only")),
            text("day", _("Day"), _("that ended on this day only, such as 2026-11-30"), check=_day_problem),
            text("place", _("Place"), _("go on from here, as an earlier answer told"), check=_place_problem),
            integer("limit", _("Limit"), _("so many messages at most, 1 to 200"), 50, minimum=1, maximum=200),
        ),
        role=Role.VIEWER,
        reads_only=True,
        waits=True,
        command="report list",
        examples=("--state failed", "--receiver 0812345 --day 2026-11-30 --json"),
        offline=Offline.YES,
    ),
    Operation(
        name="report_sums",
        title=_("Sums of the report"),
        help=_(
            "Tell how many messages, segments and what price there were, by day, modem, prefix of the receiver, user or"
            " state: of all messages, or of those of one modem, one prefix, one user, or of several of these at once."
        ),
        handler=_sums,
        parameters=(
            text("since", _("First day"), _("such as 2026-11-01; else the first of the month"), check=_day_problem),
            text("until", _("Last day"), _("such as 2026-11-30; else today"), check=_day_problem),
            text("by", _("By"), _("day, modem, prefix, user or state"), "day", choices=BY),
            _STATE,
            text("modem", _("Modem"), _("of this modem or mail account only")),
            text("prefix", _("Prefix"), _("to receivers of this prefix only")),
            text("user", _("User"), _("of this ingress and user only, such as ingress-rest/shop")),
        ),
        role=Role.VIEWER,
        reads_only=True,
        waits=True,
        command="report sums",
        examples=("", "--by modem --since 2026-11-01 --until 2026-11-30"),
        offline=Offline.YES,
    ),
    Operation(
        name="report_sums_make",
        title=_("Make the sums anew"),
        help=_("Have the sums of all months made anew from the report, in the background: until then they lack part."),
        handler=_make,
        changes="report",
        command="report make-sums",
        examples=("",),
        offline=Offline.YES,
    ),
)
