"""The settings: a page for every section that there is, drawn from its declaration."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import cherrypy

from otppi.admin.forms import FormInput, FormView, Shown, changes, form_of, read_form, saved
from otppi.admin.pages.answers import TITLES, PageError, change, drawn, local, perform, see_other, text_of, visit
from otppi.admin.pages.form_fields import sent
from otppi.admin.pages.form_fields import trouble as why_not
from otppi.admin.pages.old_forms import AGAIN, LACKS
from otppi.admin.pages.own_session import password_first
from otppi.admin.pages.section_lists import (
    ADDED_AT,
    BESIDE,
    EMPTY,
    LIST_PAGES,
    PARTS,
    TEMPLATES,
    about,
    depends_on,
    depends_on_modem,
)
from otppi.admin.parts import Parts
from otppi.admin.security.guard import form, page
from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.operations import Role
from otppi.api.settings import FieldError, Section, Suggest
from otppi.host.modems.settings import MODEMS
from otppi.host.settings.revisions import ChangedMeanwhile
from otppi.text import Text, _

OWN_PAGES: Final[Mapping[str, str]] = {"administrators": "/administrators", "plugins": "/pages/plugin-list"}
"""Sections that have pages of their own: these say more than a form can."""
_ITEM: Final = "_item"
_SEEN: Final = "_seen"
_BACK: Final = "_back"
"""The page that a form stands on, where that is another one than its section's."""
_PART: Final = "_part"
_VERBS: Final = ("", "add", "edit", "remove")
_TOO_OLD: Final = (
    _("This page was too old. What you typed is still here; press Save once more."),
    _("This page was too old. What you typed is still here, but for passwords and keys; press Save once more."),
)

Values = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What a form shows: a section, or an object of a list.

    Attributes:
        section: Its section.
        revision: Of the settings that it was read of.
        document: All settings, redacted.
        item: The name of the object; None of a new one, and of a section that is one object.
        index: Its place in the list; that of a new one behind all others.
        part: The key of the part of its settings that is shown (`PARTS`); empty where that is all of them.
    """

    section: Section
    revision: int
    document: Mapping[str, Any]
    item: str | None = None
    index: int = 0
    part: str = ""

    @property
    def kept(self) -> Values:
        """What is kept of it, redacted; of a new one nothing."""
        values = self.document[self.section.key]
        if isinstance(values, Mapping):
            return dict(values)
        return dict(values[self.index]) if self.item is not None else {}

    @property
    def named(self) -> str:
        """What problems call it (`SettingsChanges`)."""
        if self.section.identity is None:
            return self.section.key
        return f"{self.section.key}.{self.item}" if self.item is not None else f"{self.section.key}[{self.index}]"

    @property
    def seen(self) -> str:
        """A digest of what the form shows, by which it is found out whether somebody else has changed that."""
        return hashlib.sha256(json.dumps(self.kept, sort_keys=True).encode()).hexdigest()[:32]

    @property
    def hidden(self) -> dict[str, str]:
        """The fields of its form that nobody sees."""
        own = {_ITEM: self.item} if self.item is not None else {}
        return {_SEEN: self.seen} | own | ({_PART: self.part} if self.part else {})

    @property
    def back(self) -> str:
        """The page that one goes back to."""
        if self.part:
            return PARTS[self.part][0]
        if self.section.identity is None:
            return "/settings"
        return LIST_PAGES.get(self.section.key, f"/settings/{self.section.key}")

    @property
    def title(self) -> str:
        """What the page is called."""
        if self.section.identity is None:
            return self.section.title
        return self.item if self.item is not None else _("{section}: add one", section=self.section.title)

    def operation(self, values: Mapping[str, Any]) -> tuple[str, Values]:
        """Return the operation that saves values, and its arguments."""
        key = self.section.key
        if self.section.identity is None:
            return "settings_put", {"path": key, "values": dict(values)}
        if self.item is None:
            return "settings_add", {"section": key, "values": dict(values)}
        return "settings_put", {"path": f"{key}.{self.item}", "values": dict(values)}


class SectionPages:
    """`/settings` and `/settings/SECTION`; of a list also `.../add`, and `.../edit` and `.../remove` of an `_item`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page(Role.ADMINISTRATOR)
    def index(self, **_fields: Any) -> bytes:
        """List the sections."""
        sections = self._parts.config.sections.values()
        listed = [(one, OWN_PAGES.get(one.key, _page_of(one))) for one in sections]
        return drawn(self._parts, "settings.html", sections=listed, problems=perform(self._parts, "settings_problems"))

    @form(Role.ADMINISTRATOR)
    def default(self, *path: str, **fields: Any) -> bytes:
        """Show a section, or save it."""
        section, verb = self._named(path)
        if _is_tried(section):
            return see_other(_page_of(section))
        if section.asks_again and (verb or section.identity is None) and not self._parts.sessions.is_fresh(_session()):
            return password_first(self._parts, visit().path, fields)
        place = self._place(section, verb, text_of(fields, _ITEM))
        if section.key == MODEMS.key and place.item is not None and text_of(fields, _PART) in PARTS:
            place = replace(place, part=text_of(fields, _PART))
        posted = cherrypy.request.method == "POST"
        if section.identity is not None and not verb:
            if posted:
                raise PageError(405, *TITLES[405], {"Allow": "GET, HEAD"})
            return self._list(place)
        if verb == "remove":
            return self._remove(place, text_of(fields, _SEEN)) if posted else self._ask(place)
        return self._save(place, fields) if posted else self._show(place, Shown())

    def embedded(self, section: Section, prefix: str, back: str) -> tuple[FormView | None, Mapping[str, str]]:
        """Return the form of a section for another page, and the fields of it that nobody sees.

        Args:
            section: The section.
            prefix: With which the ids of its fields begin.
            back: The page that one comes back to when it is saved.

        Returns:
            No form where the section has a page that does more, and where the visitor may not change it.
        """
        own_page = section.identity is not None or section.own_operations or section.key in OWN_PAGES
        if own_page or not visit().may(Role.ADMINISTRATOR):
            return None, {}
        if section.asks_again and not self._parts.sessions.is_fresh(_session()):
            return None, {}
        place = self._place(section, "", "")
        shown = Shown(place=place.named, suggestions=self._suggestions(place), prefix=prefix)
        hidden = {"form_token": visit().token, _BACK: back, **place.hidden}
        return form_of(section, place.kept, shown), hidden

    # -- what is asked for ------------------------------------------------------------------------------------------

    def _named(self, path: Sequence[str]) -> tuple[Section, str]:
        section = self._parts.config.sections.get(path[0]) if 1 <= len(path) <= 2 else None
        verb = path[1] if len(path) == 2 else ""
        if section is None or section.key in OWN_PAGES or verb not in _VERBS or (verb and section.identity is None):
            raise PageError(404, *TITLES[404])
        return section, verb

    def _place(self, section: Section, verb: str, item: str) -> _Place:
        # In this order: what changes in between is taken for a change by somebody else, and not overwritten.
        revision = perform(self._parts, "settings_revision")
        place = _Place(section=section, revision=revision, document=perform(self._parts, "settings_show"))
        if section.identity is None:
            return place
        names = [str(one[section.identity]) for one in place.document[section.key]]
        if verb not in ("edit", "remove"):
            return replace(place, index=len(names))
        if item not in names:
            raise PageError(404, _("It is not there"), _("It may have another name now, or none."))
        return replace(place, item=item, index=names.index(item))

    # -- forms ------------------------------------------------------------------------------------------------------

    def _show(self, place: _Place, shown: Shown, status: int = 200, trouble: str = "") -> bytes:
        shown = replace(shown, place=place.named, suggestions=self._suggestions(place))
        if place.part:
            shown = replace(shown, only=PARTS[place.part][1], unfolded=True)
        return drawn(
            self._parts,
            "section.html",
            status,
            place=place,
            view=form_of(place.section, place.kept, shown),
            trouble=trouble,
            beside=BESIDE.get(place.section.key),
            hidden={"form_token": visit().token, **place.hidden},
        )

    def _save(self, place: _Place, fields: Mapping[str, Any]) -> bytes:
        given = read_form(place.section, sent(fields), place.kept, place=place.named)
        if again := text_of(fields, AGAIN):
            return self._show(place, Shown(given=given), trouble=_TOO_OLD[again == LACKS])
        if given.pressed:
            return self._show(place, Shown(given=given))
        if text_of(fields, _SEEN) != place.seen:
            return self._conflict(place, given)
        if problems := given.problems:
            return self._show(place, Shown(given=given, problems=problems), 422)
        try:
            operation, arguments = place.operation(given.values)
            change(self._parts, place.revision, operation, **arguments)
        except InvalidSettings as error:
            return self._show(place, Shown(given=given, problems=error.problems), 422)
        except ChangedMeanwhile:
            verb = "edit" if place.item is not None else "add"
            now = replace(self._place(place.section, verb, place.item or ""), part=place.part)
            return self._conflict(now, given)
        except (OtpPiError, OSError) as error:
            return self._show(place, Shown(given=given), 503, why_not(error))
        one_object = place.section.identity is None and not place.part
        back = text_of(fields, _BACK) or (f"/settings/{place.section.key}" if one_object else place.back)
        return see_other(local(back), self._told(place, given))

    def _conflict(self, place: _Place, given: FormInput) -> bytes:
        """Show both values beside each other: what was typed, and what somebody else has saved meanwhile."""
        problems = given.problems
        return self._show(place, Shown(given=given, problems=problems, changed_meanwhile=True), 409)

    def _told(self, place: _Place, given: FormInput) -> Text | str:
        """Say what was saved: from which value to which."""
        section = place.section
        if section.identity is not None and place.item is None:
            return _("{name} is added.", name=str(given.values.get(section.identity, "")))
        kept = perform(self._parts, "settings_show")[section.key]
        if section.identity is None:
            now: Mapping[str, Any] = kept
        else:
            name = given.values.get(section.identity, place.item)
            now = next((one for one in kept if one[section.identity] == name), {})
        secret = {one.key for one in section.of(place.kept).settings if one.secret}
        typed = {key: value for key, value in given.values.items() if key in secret}
        return saved(changes(section, place.kept, {**now, **typed}))

    # -- lists ------------------------------------------------------------------------------------------------------

    def _list(self, place: _Place) -> bytes:
        section = place.section
        items = [
            (str(one[str(section.identity)]), one, about(section.of(one), one)) for one in place.document[section.key]
        ]
        empty = EMPTY.get(section.key, _("There is none yet."))
        add = ADDED_AT.get(section.key, f"/settings/{section.key}/add")
        template = TEMPLATES.get(section.key, "section_list.html")
        return drawn(self._parts, template, section=section, items=items, empty=empty, add=add)

    def _ask(self, place: _Place, status: int = 200, problems: Sequence[FieldError] = (), trouble: str = "") -> bytes:
        """Ask whether an object is to be removed, and show what depends on it."""
        modems = perform(self._parts, "modem_overview") if place.section.key == "modems" else []
        return drawn(
            self._parts,
            "section_remove.html",
            status,
            place=place,
            facts=depends_on(place.section.of(place.kept), place.kept),
            goes_along=depends_on_modem(modems, place.item or ""),
            problems=problems,
            trouble=trouble,
            hidden={"form_token": visit().token, **place.hidden},
        )

    def _remove(self, place: _Place, seen: str) -> bytes:
        if seen != place.seen:
            return self._ask(place, 409, trouble=_("Somebody else has changed it meanwhile. Look at it once more."))
        try:
            path = f"{place.section.key}.{place.item}"
            change(self._parts, place.revision, "settings_remove", path=path)
        except InvalidSettings as error:
            return self._ask(place, 422, error.problems)
        except (OtpPiError, OSError) as error:
            return self._ask(place, 503, trouble=why_not(error))
        return see_other(place.back, _("{name} is removed.", name=place.item))

    # -- what is offered --------------------------------------------------------------------------------------------

    def _suggestions(self, place: _Place) -> Mapping[Suggest, Sequence[tuple[str, str]]]:
        document = place.document
        ingresses = [key for key in document if key.startswith("ingress-")]
        return {
            Suggest.MODEMS: [(one["name"], "") for one in document.get("modems", ())],
            Suggest.INGRESSES: [(one, "") for one in ingresses],
            Suggest.SERIAL_PORTS: self._ports() if place.section.key == "modems" else [],
        }

    def _ports(self) -> list[tuple[str, str]]:
        """Return the serial ports that are there; none where nothing watches for them."""
        try:
            devices = perform(self._parts, "devices")
        except OtpPiError:
            return []
        return [(str(one["port"]), str(one.get("model") or "")) for one in devices if one.get("port")]


def _is_tried(section: Section) -> bool:
    """Whether a section is one of the network's, which is changed on trial."""
    return section.own_operations and section.identity is None


def _page_of(section: Section) -> str:
    return f"/network/{section.key}" if _is_tried(section) else f"/settings/{section.key}"


def _session() -> Any:
    session = visit().session
    assert session is not None  # noqa: S101 - the pages are for who is logged in
    return session
