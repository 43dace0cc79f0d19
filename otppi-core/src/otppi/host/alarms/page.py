"""The page of the alarms, declared as those of plugins are."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otppi.api.operations import Role
from otppi.api.pages import Page, PageContext
from otppi.host.alarms.operations import SILENCE, TEST, TRY_SIGNAL
from otppi.host.alarms.settings import ALARMS
from otppi.text import Text, _, joined, labelled

if TYPE_CHECKING:
    from otppi.api.blocks import Block, Cell

_WAYS: Final[Mapping[str, Text]] = MappingProxyType(
    {"sms": _("SMS"), "webhook": _("Webhook"), "email": _("E-mail")},
)
_FAILED: Final = frozenset({"failed", "expired", "blocked", "undelivered"})
_LEFT: Final = frozenset({"queued", "sending", "unconfirmed"})


def _blocks(context: PageContext) -> "Iterator[Block]":
    from otppi.api.blocks import Form, Table  # with what only pages need

    alarms = context.perform("alarms")
    yield Table(
        title=_("Raised now"),
        columns=(_("What"), _("Since"), _("Told")),
        rows=[_raised(one) for one in alarms["raised"]],
        empty=_("No alarm is raised: all that is watched is well."),
    )
    yield from _signal(context)
    if context.actor.role.covers(Role.ADMINISTRATOR):
        yield from _ways(context)
    yield Table(
        title=_("What was"),
        columns=(_("Time"), _("What"), _("State")),
        rows=[_past(one) for one in alarms["history"]],
        empty=_("No alarm has been raised yet."),
        page_length=20,
    )
    yield Form(ALARMS.key)


def _signal(context: PageContext) -> "Iterator[Block]":
    """Show the buzzer's state and the buttons of both, where the device has one."""
    from otppi.api.blocks import Facts, Level, Mark, OperationButton, Operations
    from otppi.host.alarms.signal import BUZZER

    signal, role = context.perform("alarms_signal"), context.actor.role
    if not role.covers(TEST.role):
        # Whose page has no button would have the forms of all its operations at its end, also of a buzzer that is not
        # there: it places the one that they may not ask for, of which nothing is drawn.
        yield Operations((TEST.name,))
    if not signal["there"]:
        return
    facts: dict[str, Cell] = {}
    if BUZZER in signal["there"]:
        facts[_("Buzzer")] = (
            Mark(Level.WARN, _("beeps")) if signal["beeps"] else Mark(Level.OFF, _("does not beep now"))
        )
    if signal["beeps"] and role.covers(SILENCE.role):
        facts[_("Silence")] = OperationButton(SILENCE.name)
    if role.covers(TRY_SIGNAL.role):
        facts[_("Test")] = OperationButton(TRY_SIGNAL.name, title=_("Test"))
    if facts:
        yield Facts(facts, title=_("Light and buzzer"))


def _ways(context: PageContext) -> "Iterator[Block]":
    from otppi.api.blocks import Level, Notice, Table

    ways = context.perform("alarm_ways")
    if not any(one["on"] for one in ways):
        yield Notice(Level.WARN, _("Nobody is told of alarms yet. Choose below where they go."))
    yield Table(
        title=_("Where alarms go"),
        columns=(_("Way"), _("State"), _("Recipient"), _("Last one"), _("Cause"), _("Test")),
        rows=[_way(one) for one in ways],
    )


def _raised(one: Mapping[str, Any]) -> "tuple[Cell, ...]":
    from otppi.api.blocks import Level, Mark, Timestamp

    level = Level.BAD if one["level"] == "problem" else Level.WARN
    return (
        Mark(level, one["text"]),
        Timestamp(one["since"]),
        Timestamp(one["told"]) if one["told"] else _("to nobody"),
    )


def _past(one: Mapping[str, Any]) -> "tuple[Cell, ...]":
    from otppi.api.blocks import Level, Mark, Timestamp

    over = one["change"] == "ended"
    mark = Mark(Level.GOOD, _("over")) if over else Mark(Level.WARN, _("raised"))
    return (Timestamp(one["at"]), one["text"], mark)


def _way(one: Mapping[str, Any]) -> "tuple[Cell, ...]":
    from otppi.api.blocks import Level, Mark, OperationButton

    state = Mark(Level.GOOD, _("on")) if one["on"] else Mark(Level.OFF, _("off"))
    button = OperationButton(TEST.name, {"way": one["way"]}, _("Test"))
    causes = joined(", ", [each["cause"] for each in one["last"] if each["cause"]])
    recipients = ", ".join(one["recipients"]) or _("nobody")
    return (_WAYS[one["way"]], state, recipients, _last(one["last"]), causes, button)


def _last(sent: list[Mapping[str, Any]]) -> "Cell":
    from otppi.api.blocks import Level, Mark

    if not sent:
        return None
    states = {str(one["state"]) for one in sent}
    level = Level.BAD if states & _FAILED else Level.WARN if states & _LEFT else Level.GOOD
    return Mark(level, joined(", ", [labelled(one["recipient"], one["state"]) for one in sent]))


ALARM_LIST: Final = Page(
    key="alarm-list",
    title=_("Alarms"),
    blocks=_blocks,
    operations=(TEST, TRY_SIGNAL, SILENCE),
    sections=(ALARMS.key,),
)
