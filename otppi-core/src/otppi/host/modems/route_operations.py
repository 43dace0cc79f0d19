"""The operations on routes and prices: which modem would send to a number, and examples that are filled in."""

from collections.abc import Sequence
from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Offline, Operation, Role
from otppi.api.settings import text, text_list
from otppi.host.messages.dispatch import Dispatch
from otppi.host.messages.settings import SMS
from otppi.host.meter.examples import EXAMPLES, filled
from otppi.host.modems.settings import MODEMS
from otppi.host.numbering.numbers import numbers_of
from otppi.host.runtime.registry import SETTINGS, HostCall
from otppi.host.settings.changes import SettingsChanges
from otppi.host.settings.config import Config
from otppi.text import _, words
from otppi.wire.errors import FieldError, WireError

_OPERATORS = text_list(
    "operators",
    _("Operators"),
    _("which operator's example each modem gets, MODEM=OPERATOR; `otppi prices examples` lists them"),
    required=True,
)


def _route(call: HostCall, receiver: str) -> dict[str, Any]:
    """Return which modem a one-time password to a number would go by now, and the price of a segment by each."""
    sms = call.part(Config).one(SMS)
    try:
        number = numbers_of(sms).receiver(receiver)
    except WireError as error:
        raise InvalidSettings([FieldError("receiver", words(error))]) from error
    modems = [
        {
            "modem_id": one.name,
            "place": one.place or None,
            "prefix": one.prefix,
            "default": one.default,
            "price": one.price,
            "why": one.why,
        }
        for one in call.part(Dispatch).tried(number)
    ]
    return {"receiver": number, "routing": sms["routing"], "modems": modems}


def _examples(call: HostCall) -> list[dict[str, Any]]:  # noqa: ARG001 - every handler gets the call
    return [
        {"operator": key, "title": one.title, "prefixes": list(one.prefixes), "price": one.own, "others": one.others}
        for key, one in EXAMPLES.items()
    ]


def _preview(call: HostCall, operators: Sequence[str]) -> list[dict[str, Any]]:
    """Return what filling in would change of each modem: `before` and `after`."""
    modems = {one["name"]: one for one in call.part(Config).many(MODEMS)}
    return [
        {"modem_id": name, "before": {key: dict(modems[name])[key] for key in values}, "after": values}
        for name, values in filled(_chosen(call, operators)).items()
    ]


def _fill(call: HostCall, operators: Sequence[str]) -> list[str]:
    """Fill the examples in, all of them or nothing."""
    values = filled(_chosen(call, operators))
    modems = [{**one, **values.get(one["name"], {})} for one in call.part(Config).many(MODEMS)]
    call.has_changed(f"{MODEMS.key}.{name}.{key}" for name, one in values.items() for key in one)
    return call.part(SettingsChanges).update({MODEMS.key: modems}, call.revision)


def _chosen(call: HostCall, operators: Sequence[str]) -> dict[str, str]:
    """Read `MODEM=OPERATOR`; a modem's name may hold a = of its own.

    Raises:
        InvalidSettings: There is no such modem, or no such operator.
    """
    names, chosen = {one["name"] for one in call.part(Config).many(MODEMS)}, dict[str, str]()
    for one in operators:
        modem, _equals, operator = one.rpartition("=")
        if modem not in names:
            reason = _("there is no modem {modem!r}; there are {modems}", modem=modem, modems=", ".join(sorted(names)))
            raise InvalidSettings([FieldError("operators", reason)])
        if operator not in EXAMPLES:
            known = ", ".join(EXAMPLES)
            reason = _("there is no operator {operator!r}; there are {known}", operator=operator, known=known)
            raise InvalidSettings([FieldError("operators", reason)])
        chosen[modem] = operator
    return chosen


OPERATIONS = (
    Operation(
        name="route",
        title=_("Try a route"),
        help=_(
            "Say which modem a one-time password to a number would go by now, which ones after it, and what a segment "
            "by each would cost. Nothing is sent."
        ),
        handler=_route,
        parameters=(text("receiver", _("Receiver"), _("telephone number: 0812…, 62812… or +62812…"), required=True),),
        role=Role.OPERATOR,
        reads_only=True,
        command="route",
        positional=("receiver",),
        examples=("081234567890", "081234567890 --json | jq -r '.modems[0].modem_id'"),
    ),
    Operation(
        name="prices_examples",
        title=_("Examples of operators"),
        help=_("List the operators whose prefixes, and prices where there are any, can be filled in as an example."),
        handler=_examples,
        role=Role.VIEWER,
        reads_only=True,
        command="prices examples",
        examples=("", "--json"),
        offline=Offline.ANYWHERE,
    ),
    Operation(
        name="prices_preview",
        title=_("Look at an example"),
        help=_("Say what filling in examples of operators would change. Nothing is changed."),
        handler=_preview,
        parameters=(_OPERATORS,),
        reads_only=True,
        command="prices preview",
        positional=("operators",),
        examples=("m0=operator-1 m1=operator-2",),
        offline=Offline.YES,
    ),
    Operation(
        name="prices_fill",
        title=_("Fill an example in"),
        help=_(
            "Fill in the example of an operator for one or several modems: recipient prefixes, and prices where the "
            "example has any. What was there of these is replaced."
        ),
        handler=_fill,
        parameters=(_OPERATORS,),
        changes=SETTINGS,
        command="prices fill",
        positional=("operators",),
        examples=("m0=operator-1 m1=operator-2 m2=operator-3 m3=operator-4", "m0=telkomsel"),
        offline=Offline.YES,
    ),
)
