"""The blocking list: who blocked which number and when, searched and paged, and whole lists taken and given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import cherrypy

from otppi.admin.pages.answers import drawn, local, own_session, perform, see_other, text_of
from otppi.admin.pages.downloads import CSV, downloaded
from otppi.admin.pages.form_fields import sent
from otppi.admin.pages.kept_files import KeptFiles
from otppi.admin.pages.paging import ListPart, place_of
from otppi.admin.pages.tried import tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, form, page
from otppi.admin.uploads import uploaded
from otppi.api.operations import Role
from otppi.kit.spreadsheets import BYTE_ORDER_MARK
from otppi.text import _

_PATH: Final = "/messages/blocked"
_ON_A_PAGE: Final = 50
_LONGEST_SHOWN: Final = 50_000
"""Characters of a text that was pasted which are shown again: a page has 100 kB at most."""


@dataclass(frozen=True, slots=True)
class _TriedFile:
    """A file of numbers that was tried, and whether it is to replace the whole list."""

    content: bytes = field(repr=False)
    replace: bool


class BlockedPages:
    """`/messages/blocked`, and what is below it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._files = KeptFiles[_TriedFile]()

    # -- one by one ---------------------------------------------------------------------------------------------------

    @form(Role.OPERATOR)
    def index(self, **fields: Any) -> bytes:
        """List a part of the blocked numbers, what was blocked last first, and block another one."""
        if cherrypy.request.method != "POST":
            return self._show(text_of(fields, "search").strip(), place_of(text_of(fields, "first")))
        number = text_of(fields, "receiver").strip()
        outcome = tried(lambda: perform(self._parts, "block_add", receiver=number))
        if outcome.problems:
            return self._show("", 1, number, outcome.problems, outcome.status)
        blocked = outcome.result["receiver"]
        if not outcome.result["changed"]:
            return see_other(_PATH, _("{receiver} was blocked already.", receiver=blocked))
        return see_other(_PATH, _("{receiver} is blocked.", receiver=blocked))

    @action(Role.OPERATOR)
    def unblock(self, **fields: Any) -> bytes:
        """Take a number off the list, whose button was pressed, or all that were chosen."""
        given = sent(fields)
        back = local(text_of(fields, "next")) if "next" in fields else _PATH
        if one := text_of(fields, "receiver"):
            done = perform(self._parts, "block_remove", receiver=_as_kept(one))
            return see_other(back, _("{receiver} is no longer blocked.", receiver=done["receiver"]))
        chosen = [_as_kept(number) for number in given.get("chosen", ()) if isinstance(number, str)]
        if not chosen:
            return see_other(back, _("Choose numbers first."))
        changed = perform(self._parts, "block_remove_several", receivers=chosen)["changed"]
        return see_other(
            back,
            _.plural(
                "{count} number is no longer blocked.", "{count} numbers are no longer blocked.", count=changed
            ),
        )  # fmt: skip

    def _show(
        self,
        search: str,
        first: int,
        number: str = "",
        problems: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> bytes:
        found = perform(self._parts, "blocked_search", search=search, first=first, limit=_ON_A_PAGE)
        if not found["numbers"] and found["found"]:  # the last page has gone
            first = (found["found"] - 1) // _ON_A_PAGE * _ON_A_PAGE + 1
            found = perform(self._parts, "blocked_search", search=search, first=first, limit=_ON_A_PAGE)
        part = ListPart(first, len(found["numbers"]), found["found"], _ON_A_PAGE)

        def address(place: int) -> str:
            asked = ({"search": search} if search else {}) | ({"first": place} if place > 1 else {})
            return f"{_PATH}?{urlencode(asked)}" if asked else _PATH

        return drawn(
            self._parts, "blocked.html", status, numbers=found["numbers"], total=found["total"], part=part,
            address=address, search=search, typed=number, problems=problems or {},
        )  # fmt: skip

    # -- as a whole ---------------------------------------------------------------------------------------------------

    @page(Role.OPERATOR)
    def export(self, **_fields: Any) -> bytes:
        """Give the whole list as CSV."""
        written = BYTE_ORDER_MARK + perform(self._parts, "block_export")
        return downloaded("blocking-list.csv", CSV, written.encode())

    @form(Role.OPERATOR, uploads=True)
    def file(self, **fields: Any) -> bytes:
        """Ask for a file of numbers, or a text; try it, and say what it would do."""
        if cherrypy.request.method != "POST":
            return self._ask("", replace=False)
        typed, replace = text_of(fields, "numbers"), bool(text_of(fields, "replace"))
        content = uploaded(fields, "file") or typed.encode()
        if not content.strip():
            problems = {"": _("Choose a file, or paste numbers into the field.")}
            return self._ask(typed, replace=replace, problems=problems, status=422)
        outcome = tried(lambda: perform(self._parts, "block_try", lines=_lines(content), replace=replace))
        if outcome.problems:
            return self._ask(typed, replace=replace, problems=_as_one(outcome.problems), status=outcome.status)
        if outcome.result["wrong"]:
            return self._ask(typed, replace=replace, found=outcome.result, status=422)
        kept = self._files.add(own_session(), _TriedFile(content, replace))
        return drawn(self._parts, "blocked_try.html", found=outcome.result, kept=kept, replace=replace)

    @action(Role.OPERATOR)
    def confirm(self, **fields: Any) -> bytes:
        """Take a file that was tried."""
        name = text_of(fields, "kept")
        kept = self._files.find(own_session(), name)
        if kept is None:
            problems = {"": _("The file is not here any more. Choose it once more.")}
            return self._ask("", replace=False, problems=problems, status=409)
        outcome = tried(lambda: self._import(kept))
        if outcome.problems:
            return self._ask("", replace=kept.replace, problems=_as_one(outcome.problems), status=outcome.status)
        self._files.drop(own_session(), name)
        added, known, removed = (outcome.result[name] for name in ("added", "known", "removed"))
        done = _(
            "Imported. {added:,} numbers are new, {known:,} were known, {removed:,} are no longer blocked.",
            added=added, known=known, removed=removed,
        )  # fmt: skip
        return see_other(_PATH, done)

    def _import(self, kept: _TriedFile) -> Any:
        return perform(self._parts, "block_import", lines=_lines(kept.content), replace=kept.replace)

    def _ask(
        self,
        typed: str,
        *,
        replace: bool,
        problems: Mapping[str, str] | None = None,
        found: Mapping[str, Any] | None = None,
        status: int = 200,
    ) -> bytes:
        return drawn(
            self._parts, "blocked_file.html", status, typed=typed if len(typed) <= _LONGEST_SHOWN else "",
            replace=replace, problems=problems or {}, found=found,
        )  # fmt: skip


def _as_one(problems: Mapping[str, str]) -> dict[str, str]:
    """Return the first of some problems as the form's own: their fields are not the page's."""
    return {"": next(iter(problems.values()))}


def _as_kept(receiver: str) -> str:
    """Return what the list calls a receiver as it is read again: a number of abroad needs its +."""
    return f"+{receiver}" if receiver.isdecimal() else receiver


def _lines(content: bytes) -> list[str]:
    from otppi.host.messages.blocklist_csv import lines_of  # with what few ever need

    return lines_of(content)
