"""The device's network: what is in use of each part, and changes, which are on trial until they are confirmed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import cherrypy

from otppi.admin.forms import FormInput, Shown, changes, form_of, read_form
from otppi.admin.forms.values import entry_of
from otppi.admin.pages.answers import TITLES, PageError, drawn, own_session, perform, see_other, text_of, visit
from otppi.admin.pages.form_fields import sent
from otppi.admin.pages.network_pending import AskedFor, PendingChanges, wifi_picture
from otppi.admin.pages.old_forms import AGAIN
from otppi.admin.pages.tried import tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, form, page
from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.operations import Role
from otppi.api.settings import Section
from otppi.host.administrators.page import ADMINISTRATION
from otppi.text import Text, _, words

_ENDS: Final[Mapping[str, Text]] = {
    "expired": _("Nobody opened the new address in time. The old settings are in use; what you typed is still here."),
    "lost": _("The change could not be kept. The old settings are in use; what you typed is still here."),
    "reverted": _("The old settings are in use."),
    "confirmed": _("The new settings are kept."),
}
"""What is said of the last change, by how it ended."""


class NetworkPages:
    """`/network`, and below it a page for each part, and what is done with a change."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._pending = PendingChanges(parts.registry)

    @page(Role.ADMINISTRATOR)
    def index(self, **_fields: Any) -> bytes:
        """List the parts, and tell which change is on trial."""
        told = perform(self._parts, "network_show")
        parts = [(self._parts.config.sections[key], one) for key, one in told.items()]
        return drawn(self._parts, "network.html", listed=parts, status=self._status())

    @form(Role.ADMINISTRATOR, fresh=True)
    def default(self, *path: str, **fields: Any) -> bytes:
        """Show a part, or look at what a change of it would do."""
        told = perform(self._parts, "network_show")
        if len(path) != 1 or path[0] not in told:
            raise PageError(404, *TITLES[404])
        section = self._parts.config.sections[path[0]]
        status = self._status()
        if status["trial"] is not None:
            return see_other("/network/trial")
        now = told[section.key]
        values = now["kept"] if now["in_use"] is None else now["in_use"]
        if cherrypy.request.method != "POST":
            return self._show(section, values, now["problem"], self._typed_before(section, values))
        return self._look(section, values, fields)

    @page(Role.ADMINISTRATOR)
    def trial(self, **_fields: Any) -> bytes:
        """Show the change that is on trial, or how the last one ended."""
        return self._trial()

    @action(Role.ADMINISTRATOR, fresh=True)
    def apply(self, **fields: Any) -> bytes:
        """Use what was looked at: in a moment, so that this answer still comes by the old address."""
        asked = self._pending.begin(text_of(fields, "token"), own_session().name, visit().actor)
        if asked is None:
            raise PageError(409, _("This page is too old"), _("Open the page of the network anew."))
        return self._trial()

    @action(Role.ADMINISTRATOR, fresh=True)
    def kept(self, **fields: Any) -> bytes:
        """Look at what using the kept settings of a part would change, where others are in use."""
        section, told = self._differing(text_of(fields, "section"))
        kept = self._parts.config.one(section.key)
        values = {key: kept[key] for key in told["differs"]}
        try:
            found = perform(self._parts, "network_check", section=section.key, values=values)
        except OtpPiError as error:
            return self._show(section, told["in_use"], words(error), status=422)
        return self._review(section, told["in_use"], values, found, "")  # of a passphrase that nobody typed no picture

    @action(Role.ADMINISTRATOR, fresh=True)
    def adopt(self, **fields: Any) -> bytes:
        """Keep what is in use of a part."""
        section, _told = self._differing(text_of(fields, "section"))
        outcome = tried(lambda: perform(self._parts, "network_adopt", section=section.key))
        return see_other("/network", next(iter(outcome.problems.values()), _("What is in use is kept.")))

    @action(Role.ADMINISTRATOR)
    def accept(self, **_fields: Any) -> bytes:
        """Keep what is on trial."""
        return self._ended("network_confirm")

    @action(Role.ADMINISTRATOR)
    def revert(self, **_fields: Any) -> bytes:
        """Bring back what was before."""
        return self._ended("network_revert")

    # -- a part -----------------------------------------------------------------------------------------------------

    def _show(
        self, section: Section, values: Mapping[str, Any], trouble: str, shown: Shown | None = None, status: int = 200
    ) -> bytes:
        shown = replace(shown or Shown(), place=section.key)
        return drawn(
            self._parts,
            "network_section.html",
            status,
            section=section,
            view=form_of(section, values, shown),
            trouble=trouble,
            ended="" if shown.given is None or shown.problems or shown.given.pressed else self._end_of(section),
            hidden={"form_token": visit().token},
        )

    def _look(self, section: Section, values: Mapping[str, Any], fields: Mapping[str, Any]) -> bytes:
        """Show what a change would do, or what is wrong with it."""
        given = read_form(section, sent(fields), values, place=section.key)
        if given.pressed or text_of(fields, AGAIN):
            return self._show(section, values, "", Shown(given=given))
        if given.problems:
            return self._show(section, values, "", Shown(given=given, problems=given.problems), 422)
        try:
            found = perform(self._parts, "network_check", section=section.key, values=dict(given.values))
        except InvalidSettings as error:
            return self._show(section, values, "", Shown(given=given, problems=error.problems), 422)
        except OtpPiError as error:
            return self._show(section, values, words(error), Shown(given=given), 503)
        if not found["changed"]:
            return self._show(section, values, _("Nothing of it is new."), Shown(given=given))
        return self._review(section, values, given.values, found, wifi_picture(given.values, values))

    def _differing(self, key: str) -> tuple[Section, Any]:
        """Return a part whose kept settings are not those in use, and what is known of it.

        Raises:
            PageError: There is none of that name, or it is as it is kept.
        """
        told = perform(self._parts, "network_show").get(key)
        if told is None or not told["differs"]:
            raise PageError(409, _("This page is too old"), _("Open the page of the network anew."))
        return self._parts.config.sections[key], told

    def _review(
        self, section: Section, before: Mapping[str, Any], values: Mapping[str, Any], found: Any, picture: str
    ) -> bytes:
        """Show what would change, and how it is confirmed."""
        token = self._pending.add(AskedFor(section.key, dict(values), found, own_session().name))
        return drawn(
            self._parts,
            "network_review.html",
            section=section,
            rows=changes(section, before, {**before, **values}),
            found=found,
            links=self._links(found["address"], found["address_before"], token),
            pattern=self._link("ADDRESS", token),
            seconds=found["seconds"],
            picture=picture,
            ssid=values.get("ssid", before.get("ssid", "")),
            token=token,
        )

    def _typed_before(self, section: Section, values: Mapping[str, Any]) -> Shown | None:
        """Return what was typed for a change that nobody confirmed; of secrets nothing."""
        asked = self._pending.last
        if asked is None or asked.section != section.key or asked.by != own_session().name:
            return None
        if not asked.trouble and not self._end_of(section):
            return None
        secret = {one.key for one in section.settings if one.secret}
        typed = {key: value for key, value in asked.values.items() if key not in secret}
        entries = _entries(section, {**values, **typed})
        return Shown(given=FormInput(values=typed, typed=entries))

    def _end_of(self, section: Section) -> Text | str:
        """Say that the last change of a part was not kept; nothing where it was."""
        last, asked = self._status()["last"], self._pending.last
        if asked is not None and asked.section == section.key and asked.trouble:
            return asked.trouble
        ended = last["end"] if last is not None and last["section"] == section.key else ""
        return _ENDS[ended] if ended in ("expired", "lost") else ""

    # -- the trial --------------------------------------------------------------------------------------------------

    def _trial(self) -> bytes:
        status, asked = self._status(), self._pending.last
        going = status["trial"]
        key = going["section"] if going else asked.section if asked else (status["last"] or {}).get("section")
        last = status["last"]
        waits = going is None and asked is not None and not asked.begun and not asked.trouble
        return drawn(
            self._parts,
            "network_trial.html",
            section=self._parts.config.sections.get(key) if key else None,
            going=going,
            waits=waits,
            trouble=asked.trouble if asked is not None and going is None else "",
            ended=_ENDS[last["end"]] if last is not None and not waits and going is None else "",
            links=[]
            if asked is None
            else self._links(asked.found["address"], asked.found["address_before"], asked.token),
            seconds=asked.found["seconds"] if asked else 0,
        )

    def _ended(self, operation: str) -> bytes:
        outcome = tried(lambda: perform(self._parts, operation))
        if outcome.problems:
            return see_other("/network/trial", next(iter(outcome.problems.values())))
        end = "confirmed" if operation == "network_confirm" else "reverted"
        return see_other("/network", _ENDS[end])

    def _status(self) -> Any:
        return perform(self._parts, "network_status")

    def _links(self, address: str | None, before: str | None, token: str) -> list[str]:
        """Return where the change can be confirmed: at the new address, and at the present one where that stays.

        None where nobody knows: the network's router gives the address.
        """
        arrived = visit().arrival
        stays = arrived.address if arrived.address != before or address == before else ""
        hosts = dict.fromkeys(one for one in (address if address != before else "", stays) if one)
        return [self._link(one, token) for one in hosts]

    def _link(self, host: str, token: str) -> str:
        port = visit().arrival.port or self._parts.config.one(ADMINISTRATION.key)["port"]
        scheme = "https" if visit().secure else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/confirm/{token}"


def _entries(section: Section, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what stands in the fields of a form, for values."""
    return {one.key: entry_of(one, values[one.key]) for one in section.settings if not one.secret and one.key in values}
