"""A page that is declared (`otppi.api.pages`), as one visit sees it: drawn from its blocks, and what is done there."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import cherrypy

from otppi.admin.blocks.guard import NotShownError, failed
from otppi.admin.blocks.placing import OperationForm, Placed, placed, with_operations
from otppi.admin.blocks.reading import read_block
from otppi.admin.blocks.shown import ShownBlock, ShownForm, ShownTable, ShownTrouble
from otppi.admin.blocks.tables import as_csv
from otppi.admin.forms import FormInput, Shown, form_of, read_form
from otppi.admin.pages.answers import TITLES, PageError, drawn, perform, see_other, text_of, visit
from otppi.admin.pages.downloads import CSV, downloaded
from otppi.admin.pages.form_fields import sent, trouble
from otppi.admin.pages.menu import SYSTEM
from otppi.admin.pages.own_session import password_first
from otppi.admin.pages.sections import SectionPages
from otppi.admin.parts import Parts
from otppi.api.blocks import Facts, Table
from otppi.api.errors import InvalidSettings, OtpPiError
from otppi.api.operations import Operation
from otppi.api.pages import Page
from otppi.api.settings import FieldError
from otppi.text import Text, _
from otppi.text.languages import translated
from otppi.web.faults import log_fault

logger = logging.getLogger(__name__)

_CSV: Final = "csv"
_CONFIRMED: Final = "_confirmed"
_RESULT: Final = 100
"""The number of a table of what an operation gave: no page has so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """What came of an operation that was asked for on the page.

    Attributes:
        operation: Its name.
        given: What was typed.
        problems: What is wrong with that.
        why: Why it was not done.
        result: What it gave, as blocks.
        status: The HTTP status.
    """

    operation: str = ""
    given: FormInput | None = None
    problems: Sequence[FieldError] = ()
    why: Text | str = ""
    result: Sequence[ShownBlock] = ()
    status: int = 200


class BlockPage:
    """`/pages/KEY`, `/pages/KEY/csv` of one of its tables, and `/pages/KEY/OPERATION` for who sends its form."""

    def __init__(self, parts: Parts, sections: SectionPages) -> None:
        self._parts = parts
        self._sections = sections

    def answer(self, page: Page, rest: str, fields: Mapping[str, Any]) -> bytes:
        """Show the page, or do what is to be done there."""
        if cherrypy.request.method == "POST":
            return self._carry_out(page, rest, fields)
        if rest == _CSV:
            return self._csv(page, fields)
        if rest:
            raise PageError(405, *TITLES[405], {"Allow": "POST"})
        return self._show(page, fields, _Tried())

    # -- what is looked at --------------------------------------------------------------------------------------------

    def _blocks(self, page: Page) -> list[ShownBlock]:
        with self._parts.waiting():
            return self._parts.pages.blocks(page, visit().actor, visit().language)

    def _show(self, page: Page, fields: Mapping[str, Any], tried: _Tried) -> bytes:
        blocks = self._blocks(page)
        operations = self._operations(page)
        if not self._parts.pages.trouble(page):
            blocks = with_operations(blocks, list(operations))
        asked = {name: text_of(fields, name) for name in fields if name.startswith(("sort", "from")) and len(name) < 8}

        def ask(name: str) -> OperationForm | None:
            return self._ask(page, operations[name], tried) if name in operations else None

        def form(block: ShownForm, place: int) -> Placed:
            return self._form(page, block, f"s{place}")

        return drawn(
            self._parts,
            "page.html",
            tried.status,
            page=page,
            of_system=any(one.path == _address(page) for one in SYSTEM),
            address=_address(page),
            blocks=list(placed(blocks, _address(page), asked, ask, form)),
            result=list(placed(tried.result, "", {}, ask, form, first=_RESULT)),
            why=tried.why,
            operations=operations,
        )

    def _csv(self, page: Page, fields: Mapping[str, Any]) -> bytes:
        """Give one of the tables, whole."""
        tables = [one for one in self._blocks(page) if isinstance(one, ShownTable)]
        wanted = text_of(fields, "table")
        if not (wanted.isdecimal() and len(wanted) < 3 and int(wanted) < len(tables)):
            raise PageError(404, *TITLES[404])
        return downloaded(f"{page.key}.csv", CSV, as_csv(tables[int(wanted)]))

    def _operations(self, page: Page) -> dict[str, Operation]:
        """Return what the visitor may do there."""
        return {one.name: one for one in page.operations if visit().may(one.role)}

    def _form(self, page: Page, block: ShownForm, prefix: str) -> Placed:
        section = self._parts.config.sections.get(block.section)
        if section is None:
            told = _("This part of the page cannot be shown: {reason}.", reason=_("there is no such section"))
            return ShownTrouble(translated(told, visit().language)), None
        return block, self._sections.embedded(section, prefix, _address(page))

    # -- what is done -------------------------------------------------------------------------------------------------

    def _ask(self, page: Page, operation: Operation, tried: _Tried) -> OperationForm:
        shown = Shown(prefix=operation.name.replace("_", "-"), defaults=False)
        if tried.operation == operation.name:
            shown = replace(shown, given=tried.given, problems=tried.problems)
        action = f"{_address(page)}/{operation.name}"
        return OperationForm(operation, form_of(operation.section, {}, shown), action)

    def _carry_out(self, page: Page, name: str, fields: Mapping[str, Any]) -> bytes:
        """Do what a form asks for, and say what came of it."""
        operation = self._operations(page).get(name)
        if operation is None:
            known = any(one.name == name for one in page.operations)
            raise PageError(403 if known else 404, *TITLES[403 if known else 404])
        session = visit().session
        if operation.asks_again and not (session and self._parts.sessions.is_fresh(session)):
            return password_first(self._parts, _address(page), fields)
        given = read_form(operation.section, sent(fields), {})
        tried = _Tried(operation=name, given=given, problems=given.problems)
        if given.pressed or given.problems:
            return self._again(page, operation, replace(tried, status=422 if given.problems else 200))
        if operation.confirm and not text_of(fields, _CONFIRMED):
            return self._again(page, operation, tried)
        return self._perform(page, operation, tried)

    def _perform(self, page: Page, operation: Operation, tried: _Tried) -> bytes:
        given = tried.given.values if tried.given else {}
        try:
            result = perform(self._parts, operation.name, **given)
        except PageError:
            raise
        except InvalidSettings as error:
            return self._again(page, operation, replace(tried, problems=error.problems, status=422))
        except (OtpPiError, OSError) as error:
            return self._again(page, operation, replace(tried, why=trouble(error), status=503))
        except Exception as error:  # noqa: BLE001 - a plugin's may raise anything: logged, without its words
            log_fault(logger, f"Operation {operation.name} failed")
            return self._again(page, operation, replace(tried, why=failed(error), status=500))
        done = _("{operation}: done.", operation=operation.title)
        blocks = _of_result(result, operation, visit().language)
        if not blocks:
            return see_other(_address(page), result if isinstance(result, str) and result else done)
        return self._show(page, {}, _Tried(result=blocks))

    def _again(self, page: Page, operation: Operation, tried: _Tried) -> bytes:
        """Ask for an operation once more, and for nothing else."""
        asked = self._ask(page, operation, tried)
        return drawn(self._parts, "page_operation.html", tried.status, page=page, asked=asked, why=tried.why)


def _address(page: Page) -> str:
    return f"/pages/{page.key}"


def _of_result(result: Any, operation: Operation, language: str) -> list[ShownBlock]:
    """Return what an operation gave as blocks; none of a sentence, and of nothing."""
    block: Facts | Table
    title = operation.title
    if isinstance(result, Mapping) and result:
        block = Facts({_named(key, operation): _plain(value) for key, value in result.items()}, title=title)
    elif isinstance(result, list) and result and all(isinstance(one, Mapping) for one in result):
        keys = list(dict.fromkeys(key for one in result for key in one))
        rows = [[_plain(one.get(key)) for key in keys] for one in result]
        block = Table(title=title, columns=[_named(key, operation) for key in keys], rows=rows)
    elif isinstance(result, list) and result:
        block = Table(title=title, columns=[title], rows=[[_plain(one)] for one in result])
    else:
        return []
    try:
        return [read_block(block, language)]
    except NotShownError:
        return []


def _named(key: object, operation: Operation) -> Text:
    """Return what people call a key of a result, in their language where the operation's package has the word."""
    return Text(str(key).replace("_", " ").capitalize(), domain=operation.package)


def _plain(value: Any) -> str | int | float | bool | None:
    known = value is None or isinstance(value, str | int | float | bool)
    return value if known else json.dumps(value, ensure_ascii=False, default=str)
