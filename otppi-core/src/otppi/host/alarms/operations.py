"""The operations on alarms: which are raised, what became of others, which ways they go, and a test of a way."""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from otppi.api.errors import InvalidSettings, Throttled
from otppi.api.operations import Operation, Role
from otppi.api.settings import FieldError, text
from otppi.host.alarms.book import AlarmChange, AlarmLine
from otppi.host.alarms.conditions import BY_KEY, said_of
from otppi.host.alarms.service import Alarms
from otppi.host.inbox.operations import WAIT
from otppi.host.runtime.registry import HostCall
from otppi.text import _
from otppi.text.states import said

if TYPE_CHECKING:
    from otppi.host.alarms.ways import AlarmWay, HandedOver

_WAYS: Final = ("sms", "webhook", "email")
_LATER: Final = 60.0


def _described(line: AlarmLine, alarms: Alarms) -> dict[str, Any]:
    """Describe an alarm to people and programs; nothing of one that another version of the gateway kept."""
    ended = line.change is AlarmChange.ENDED
    try:
        told = said_of(line.condition, line.subject, line.facts, ended=ended)
    except LookupError:
        return {}
    return {
        "condition": line.condition,
        "subject": line.subject,
        "level": BY_KEY[line.condition].level.value,
        "text": told,
        "since": round(alarms.when(line.since)),
    }


def _list(call: HostCall) -> dict[str, Any]:
    """List the alarms that are raised, the longest first, and what became of alarms, newest first."""
    alarms = call.part(Alarms)
    raised = [(one, _described(one, alarms)) for one in alarms.raised()]
    past = [(one, _described(one.line, alarms)) for one in reversed(alarms.history())]
    return {
        "raised": [
            about | {"told": None if one.told is None else round(alarms.when(one.told))}
            for one, about in raised
            if about
        ],
        "history": [
            about | {"at": round(alarms.when(one.at)), "change": one.line.change.value} for one, about in past if about
        ],
    }


def _ways(call: HostCall) -> list[dict[str, Any]]:
    """List the ways that alarms can go, who is told by each, and what became of what went last."""
    from otppi.host.alarms.ways import AlarmWay

    alarms = call.part(Alarms)
    chosen, last = alarms.ways.chosen(), alarms.last_handed()
    return [
        {
            "way": each.value,
            "on": each in chosen,
            "recipients": alarms.ways.recipients(each),
            "last": [{"at": round(at), **_result(one, 0.0)} for at, one in last if one.way is each],
        }
        for each in AlarmWay
    ]


def _test(call: HostCall, way: str, wait: float) -> list[dict[str, Any]]:
    """Send a test by one way, or by all that are switched on; return what became of each after at most `wait` seconds.

    Raises:
        InvalidSettings: Nobody is told by it.
        Throttled: There were too many tests within the last minutes.
    """
    from otppi.host.alarms.ways import AlarmWay

    alarms = call.part(Alarms)
    ways = [AlarmWay(way)] if way else alarms.ways.chosen()
    if problem := _untestable(alarms, ways):
        raise InvalidSettings([FieldError("way", problem)])
    if not alarms.tests.allows():
        raise Throttled(_LATER)
    handed = [one for each in ways for one in alarms.ways.test(each, without=alarms.lost_modems())]
    alarms.handed_over(handed)
    return list(_results(handed, wait))


def _untestable(alarms: Alarms, ways: "Sequence[AlarmWay]") -> str:
    if not ways:
        return _("no way is switched on in the settings of alarms: name the one to be tested")
    empty = [one.value for one in ways if not alarms.ways.recipients(one)]
    return _("nobody is told by {ways}: see the settings of alarms", ways=", ".join(empty)) if empty else ""


def _results(handed: "Sequence[HandedOver]", wait: float) -> Iterator[dict[str, Any]]:
    until = time.monotonic() + wait
    for one in handed:
        yield {"way": one.way.value, **_result(one, max(0.0, until - time.monotonic()))}


def _result(one: "HandedOver", wait: float) -> dict[str, Any]:
    state = one.ask(wait)
    return {"recipient": one.recipient, "state": said(state.state), "cause": state.cause}


def _signal(call: HostCall) -> dict[str, Any]:
    """Tell which of light and buzzer the device has, and whether the buzzer beeps now."""
    signal = call.part(Alarms).signal
    return {"there": list(signal.there), "beeps": signal.is_beeping}


def _try_signal(call: HostCall) -> dict[str, Any]:
    return {"shown": list(call.part(Alarms).signal.test())}


def _silence(call: HostCall) -> dict[str, Any]:
    return {"silenced": call.part(Alarms).signal.silence()}


TRY_SIGNAL: Final = Operation(
    name="alarms_signal_test",
    title=_("Try light and buzzer"),
    help=_("Let the light of alarms blink for a few seconds, and the buzzer beep once."),
    handler=_try_signal,
    waits=True,
    command="alarms try",
    examples=("",),
)
SILENCE: Final = Operation(
    name="alarms_silence",
    title=_("Silence"),
    help=_("Have the buzzer be silent about the alarms that are raised now. One that is raised anew is heard again."),
    handler=_silence,
    role=Role.OPERATOR,
    command="alarms silence",
    examples=("",),
)

TEST: Final = Operation(
    name="alarms_test",
    title=_("Test alarms"),
    help=_("Send a test by one of the ways that alarms go, or by all that are switched on, and say what became of it."),
    handler=_test,
    parameters=(
        text(
            "way",
            _("Way"),
            _("by which a test goes; all that are switched on where it is left out"),
            choices=("", *_WAYS),
        ),
        WAIT,
    ),
    waits=True,
    subject="way",
    command="alarms test",
    positional=("way",),
    examples=("", "sms", "webhook --wait 30"),
)

OPERATIONS = (
    Operation(
        name="alarms",
        title=_("Alarms"),
        help=_("List the alarms that are raised, and what became of the last ones."),
        handler=_list,
        role=Role.VIEWER,
        reads_only=True,
        command="alarms list",
        default_command=True,
        examples=("", "--json"),
    ),
    Operation(
        name="alarm_ways",
        title=_("Ways of alarms"),
        help=_("List the ways that alarms can go, who is told by each, and what became of what went last."),
        handler=_ways,
        reads_only=True,
        command="alarms ways",
        examples=("",),
    ),
    Operation(
        name="alarms_signal",
        title=_("Light and buzzer"),
        help=_("Tell which of light and buzzer the device has for alarms, and whether the buzzer beeps now."),
        handler=_signal,
        role=Role.VIEWER,
        reads_only=True,
        command="alarms signal",
        examples=("",),
    ),
)
