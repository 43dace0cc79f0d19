"""`otppi alarms`: what is raised, where alarms go, and what became of a test."""

from collections.abc import Mapping
from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.language import _, spoken
from otppi.cli.output import columns, complain, moment, show

_RAISED = {"since": "SINCE", "told": "TOLD", "text": "ALARM"}
_PAST = {"at": "AT", "change": "CHANGE", "text": "ALARM"}
_WAYS = {"way": "WAY", "on": "ON", "recipients": "RECIPIENTS", "last": "LAST"}
_SENT = {"way": "WAY", "recipient": "RECIPIENT", "state": "STATE", "cause": "CAUSE"}
_CHANGES = {"raised": _("raised"), "ended": _("over")}
_FAILED = frozenset({"failed", "expired", "blocked", "undelivered"})


def _listed(options: Options, alarms: Any) -> int:
    raised = [_timed(one, "since", "told") for one in alarms["raised"]]
    past = [_timed(one, "at") | {"change": spoken(_CHANGES[one["change"]])} for one in alarms["history"]]
    lines = columns(raised, _RAISED) or [_("no alarm is raised")]
    show(options, alarms, [*lines, *(["", *columns(past, _PAST)] if past else [])])
    return Exit.DONE


def _timed(one: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {**one, **{key: moment(one[key]) if one[key] else None for key in keys}}


def _ways(options: Options, ways: Any) -> int:
    show(options, ways, columns([_way(one) for one in ways], _WAYS))
    return Exit.DONE


def _way(one: Mapping[str, Any]) -> dict[str, Any]:
    sent = [f"{each['recipient']}: {spoken(each['state'])} ({moment(each['at'])})" for each in one["last"]]
    return {**one, "last": sent}


def _tested(options: Options, sent: Any) -> int:
    show(options, sent, columns(sent, _SENT))
    failed = [one["recipient"] for one in sent if one["state"] in _FAILED]
    if failed:
        complain(_("the test reached these not: {recipients}", recipients=", ".join(failed)))
    return Exit.FAILED if failed else Exit.DONE


OWN = {"alarms list": Own(show=_listed), "alarms ways": Own(show=_ways), "alarms test": Own(show=_tested)}
