"""Routes and prices: what is set of each modem, which one would send to a number, and an example that is filled in."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import cherrypy

from otppi.admin.forms import spoken
from otppi.admin.forms.numbers import written
from otppi.admin.pages.answers import change, drawn, perform, see_other, text_of
from otppi.admin.pages.form_fields import trouble
from otppi.admin.pages.tried import Tried, tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import form
from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.operations import Role
from otppi.host.messages.settings import SMS
from otppi.host.meter.examples import EXAMPLES, FOUR
from otppi.host.modems.settings import MODEMS
from otppi.host.settings.revisions import ChangedMeanwhile
from otppi.text import _, joined, labelled

_REVISION: Final = re.compile("[0-9]{1,15}")
_OF: Final = "operator-of:"
"""With which the names of fields begin that say which operator a modem has."""


class RoutingPages:
    """`/routing`, and `/routing/example`; what is set of one modem is a part of its settings (`PARTS`)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @form(Role.ADMINISTRATOR)
    def index(self, **fields: Any) -> bytes:
        """Show what is set, and which modem would send to a number."""
        if cherrypy.request.method != "POST":
            return self._show("", Tried())
        receiver = text_of(fields, "receiver").strip()
        return self._show(receiver, tried(lambda: perform(self._parts, "route", receiver=receiver)))

    @form(Role.ADMINISTRATOR)
    def example(self, **fields: Any) -> bytes:
        """Choose which operator each modem has, look at what that would change, and save it."""
        # In this order: what changes in between is taken for a change by somebody else, and not overwritten.
        revision = perform(self._parts, "settings_revision")
        names = [str(one["name"]) for one in perform(self._parts, "settings_show")[MODEMS.key]]
        if cherrypy.request.method != "POST":
            return self._choose(revision, names, dict(zip(names, FOUR, strict=False)))
        chosen = {one: key for index, one in enumerate(names) if (key := text_of(fields, f"{_OF}{index}"))}
        seen = text_of(fields, "_revision")
        operators = [f"{modem}={key}" for modem, key in chosen.items()]
        # Nothing is saved that was not looked at as it is now: another choice is shown before, and so are other modems.
        if (
            "_save" not in fields
            or not _REVISION.fullmatch(seen)
            or text_of(fields, "_looked_at") != _mark(names, operators)
        ):
            return self._choose(revision, names, chosen, looked=True)
        try:
            change(self._parts, int(seen), "prices_fill", operators=operators)
        except InvalidSettings as error:
            told = {"": "; ".join(f"{one.field}: {one.reason}" for one in error.problems)}
            return self._choose(revision, names, chosen, looked=True, problems=told, status=422)
        except ChangedMeanwhile:
            told = {"": _("Not saved: somebody else has saved meanwhile. Look at it once more.")}
            return self._choose(revision, names, chosen, looked=True, problems=told, status=409)
        except (OtpPiError, OSError) as error:
            told = {"": trouble(error)}
            return self._choose(revision, names, chosen, looked=True, problems=told, status=503)
        return see_other("/routing", _("The example is filled in for {modems}.", modems=", ".join(chosen)))

    # -- pages ------------------------------------------------------------------------------------------------------

    def _show(self, receiver: str, outcome: Tried) -> bytes:
        document = perform(self._parts, "settings_show")
        sms = document[SMS.key]
        return drawn(
            self._parts,
            "routing.html",
            outcome.status,
            modems=document[MODEMS.key],
            routing=spoken(SMS["routing"], sms["routing"]),
            fail_over=sms["fail_over"],
            receiver=receiver,
            tried=outcome.result,
            problems=outcome.problems,
            price=written,
        )

    def _choose(
        self,
        revision: int,
        names: Sequence[str],
        chosen: Mapping[str, str],
        *,
        looked: bool = False,
        problems: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> bytes:
        """Ask which operator each modem has; where that was looked at, show what it changes."""
        known = {modem: key for modem, key in chosen.items() if key in EXAMPLES}
        operators = [f"{modem}={key}" for modem, key in known.items()]
        return drawn(
            self._parts,
            "routing_example.html",
            status,
            names=names,
            chosen=known,
            changes=[_change(one) for one in self._preview(operators)] if looked and operators else [],
            looked=looked,
            examples=EXAMPLES,
            revision=revision,
            mark=_mark(names, operators),
            problems=problems or {},
            price=written,
        )

    def _preview(self, operators: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = perform(self._parts, "prices_preview", operators=operators)
        return found


def _mark(names: Sequence[str], operators: Sequence[str]) -> str:
    """Return what a form was made of: which modems, and which operators they have in it."""
    return json.dumps([*names, *operators])


def _change(one: Mapping[str, Any]) -> tuple[str, list[tuple[str, str, str]]]:
    """Return a modem's name, and of each setting its title, its value before, and that which it would have."""
    before, after = one["before"], one["after"]
    rows = [
        (MODEMS[key].title, _said(key, before[key]), _said(key, value))
        for key, value in after.items()
        if value != before[key]
    ]
    return one["modem_id"], rows


def _said(key: str, value: Any) -> str:
    """Say a value in full: prices with what they are for."""
    if key != "prices" or not value:
        return spoken(MODEMS[key], value)
    return joined(", ", [labelled(row["prefix"], written(row["price"])) for row in value])
