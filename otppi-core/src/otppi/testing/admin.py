"""Whether a page for the administration can be drawn: for the tests of who has written it."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeVar

from otppi.admin.blocks.declared import PATIENCE
from otppi.admin.blocks.guard import NotShownError
from otppi.admin.blocks.placing import OperationForm, Placed, buttons_of, placed, with_operations
from otppi.admin.blocks.reading import read_block, read_tile
from otppi.admin.blocks.shown import ShownBlock, ShownChart, ShownFacts, ShownForm, ShownOperations, ShownTable
from otppi.admin.forms import Shown, form_of
from otppi.admin.rendering.drawing import Drawing
from otppi.admin.rendering.statics import Statics
from otppi.admin.visit import Visit
from otppi.api.errors import OtpPiError
from otppi.api.operations import Actor, Call, Operation, Role
from otppi.api.pages import Page, PageContext
from otppi.api.settings import Kind, Section, Setting
from otppi.kit.threads import PromptThread
from otppi.text.languages import languages

T = TypeVar("T")

SOMEBODY: Final = Actor("somebody", "test", Role.ADMINISTRATOR)
A_MODEM: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "modem_id": "m0",
        "state": "ready",
        "detail": "",
        "unusable": "",
        "since": 1_750_000_000,
        "queued": 0,
        "sent": 7,
        "sent_today": 7,
        "imei": "490154203237518",
        "operator": "Operator",
        "registration": "home",
        "signal_dbm": -71,
        "recoveries": {"re-initialise": 0, "radio": 0, "reset": 0, "power": 0},
        "last_recovery": None,
        "next_step": None,
        "manufacturer": "Maker",
        "model": "Model",
        "revision": "1",
        "imsi": "",
        "iccid": "",
        "smsc": "",
        "msisdn": "",
        "sim_problem": "",
        "usage": {
            "unusable": "",
            "today": {"messages": 7, "segments": 8, "spent": 2800.0},
            "this_month": {"messages": 70, "segments": 80, "spent": 28000.0},
            "on_the_way": None,
            "receivers": None,
            "rate_per_minute": None,
            "daily_quota": None,
            "monthly_quota": None,
            "monthly_receivers": None,
            "quiet": False,
            "price": 350.0,
        },
    }
)
"""A modem as the operation `modems` tells of one."""
_STRANGE: Final = "no such <b>thing</b> & \u202e\n"
"""A text that fits no name."""


class StandInContext(PageContext):
    """Answers a page from a table.

    Args:
        answers: What operations give, by their names.
        settings: What is set, by the keys of sections.
    """

    def __init__(self, answers: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None) -> None:
        self.actor = SOMEBODY
        self._answers = {"modems": [dict(A_MODEM)], **(answers or {})}
        self._settings = dict(settings or {})

    def perform(self, name: str, /, **arguments: Any) -> Any:  # noqa: ARG002 - the answer is the same to all
        """Return what the table has."""
        if name not in self._answers:
            raise LookupError(f"there is no answer of the operation {name!r}: give walk one")
        return self._answers[name]

    def settings(self, section: str) -> Any:
        """Return what the table has."""
        if section not in self._settings:
            raise LookupError(f"there are no settings of the section {section!r}: give walk some")
        return self._settings[section]


class StandInCall(Call):
    """A call of an operation that answers further ones from a table.

    Args:
        answers: What operations give, by their names.
    """

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.actor = SOMEBODY
        self._answers = answers

    def perform(self, name: str, /, **arguments: Any) -> Any:  # noqa: ARG002 - the answer is the same to all
        """Return what the table has; an operation that it has not is refused, as by a gateway."""
        if name not in self._answers:
            raise OtpPiError(f"there is no answer of the operation {name!r}")
        return self._answers[name]


@dataclass
class Walk:
    """What came of it.

    Attributes:
        pages: The page as HTML, by languages.
        seconds: How long each call took, by what was called.
    """

    pages: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def walk(
    page: Page,
    *,
    answers: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    sections: Iterable[Section] = (),
    patience: float = PATIENCE,
) -> Walk:
    """Have a page drawn in all languages, and its operations asked for with what nobody expects.

    Args:
        page: The page.
        answers: What the operations give that it performs, by their names; of `modems` there is one already.
        settings: What is set in its sections, by their keys.
        sections: Those whose forms stand on it.
        patience: Seconds that each call may take.

    Raises:
        AssertionError: The page would not be shown whole: it raises, is late, gives what is no block, has a table, a
            column or a field without a title, or names an operation or section that is not its own; or an operation
            raises what is no `OtpPiError`, or gives what JSON cannot say.
    """
    walker = _Walker(page, StandInContext(answers, settings), {one.key: one for one in sections}, patience)
    for language in languages():
        walker.draw(language)
    for operation in page.operations:
        walker.check_fields(operation.name, operation.parameters)
        walker.ask_badly(operation, StandInCall(answers or {}))
    return walker.walk


class _Walker:
    def __init__(self, page: Page, context: StandInContext, sections: Mapping[str, Section], patience: float) -> None:
        self.walk = Walk()
        self._page = page
        self._context = context
        self._sections = sections
        self._patience = patience
        self._operations = {one.name: one for one in page.operations}
        self._drawing = Drawing(Statics())

    def draw(self, language: str) -> None:
        """Make the blocks and the tile, and draw them."""
        given = self._called("blocks", lambda: list(self._page.blocks(self._context)))
        shown = [self._read(f"block {number}", read_block, one, language) for number, one in enumerate(given, 1)]
        self._check(shown)
        if (tile := self._page.tile) is not None:
            said = self._called("tile", lambda: tile(self._context))
            if said is not None:
                self._read("tile", read_tile, said, language)
        self.walk.pages[language] = self._drawn(shown, language)

    def _read(self, what: str, read: Callable[[Any, str], T], given: object, language: str) -> T:
        try:
            return self._called(what, lambda: read(given, language))
        except NotShownError as error:
            raise AssertionError(f"page {self._page.key}, {what}: {error}") from error

    def _called(self, what: str, call: Callable[[], T]) -> T:
        """Call something on a thread, as the gateway does, and measure how long it takes."""
        outcome: list[T] = []
        failure: list[BaseException] = []

        def run() -> None:
            try:
                outcome.append(call())
            except BaseException as error:  # noqa: BLE001 - it is raised where the test is
                failure.append(error)
            ended.set()

        ended, began = threading.Event(), time.monotonic()
        PromptThread(run, f"{what} of page {self._page.key}").start()
        in_time = ended.wait(self._patience)
        self.walk.seconds[what] = max(self.walk.seconds.get(what, 0.0), time.monotonic() - began)
        if not in_time:
            raise AssertionError(f"page {self._page.key}, {what}: it takes more than {self._patience:g} s")
        if failure and isinstance(failure[0], NotShownError | OtpPiError):
            raise failure[0]
        if failure:
            raise AssertionError(f"page {self._page.key}, {what}: it raised {failure[0]!r}") from failure[0]
        return outcome[0]

    # -- what a page has to have --------------------------------------------------------------------------------------

    def _check(self, blocks: Iterable[ShownBlock]) -> None:
        """Look for what is without a title, and for names of what the page has not."""
        shown = list(blocks)
        wrong = [problem for number, one in enumerate(shown, 1) for problem in self._problems(one, f"block {number}")]
        for button in buttons_of(shown):
            operation = self._operations.get(button.operation)
            if operation is None:
                wrong.append(f"a button names {button.operation!r}, which is no operation of the page")
                continue
            known = {one.key for one in operation.parameters}
            wrong += [
                f"a button gives {button.operation} {name!r}" for name, _value in button.arguments if name not in known
            ]
        if wrong:
            raise AssertionError(f"page {self._page.key}: " + "; ".join(wrong))

    def _problems(self, block: ShownBlock, what: str) -> Iterator[str]:
        match block:
            case ShownTable() | ShownChart() if not block.title.strip():
                yield f"{what} has no title"
            case ShownTable() if not all(one.strip() for one in block.columns):
                yield f"{what} has a column without a title"
            case ShownFacts() if not all(name.strip() for name, _value in block.facts):
                yield f"{what} has a fact without a name"
            case ShownOperations():
                yield from (
                    f"{what} names no operation of the page: {one}"
                    for one in block.names
                    if one not in self._operations
                )
            case ShownForm() if block.section not in self._sections:
                yield f"{what} is the form of {block.section!r}, which is none of the sections"

    def check_fields(self, what: str, settings: Iterable[Setting]) -> None:
        """Look for fields without a title or help."""
        bare = [one.key for one in settings if not (one.title.strip() and one.help.strip())]
        if bare:
            raise AssertionError(f"page {self._page.key}, {what}: {', '.join(bare)} has no title or no help")

    # -- how it is drawn ----------------------------------------------------------------------------------------------

    def _drawn(self, blocks: list[ShownBlock], language: str) -> str:
        address = f"/pages/{self._page.key}"

        def ask(name: str) -> OperationForm:
            shown = Shown(prefix=name.replace("_", "-"), defaults=False)
            operation = self._operations[name]
            return OperationForm(operation, form_of(operation.section, {}, shown), f"{address}/{name}")

        def form(block: ShownForm, place: int) -> Placed:
            view = form_of(self._sections[block.section], {}, Shown(prefix=f"s{place}"))
            self.check_fields(block.section, self._sections[block.section].settings)
            return block, (view, {})

        visit = Visit(language, "192.0.2.1", secure=True, browser="", token="", path=address)
        return self._drawing.draw(
            "page.html",
            language,
            {
                "visit": visit,
                "menu": [],
                "notice": "",
                "safe_mode": False,
                "page": self._page,
                "address": address,
                "blocks": list(placed(with_operations(blocks, list(self._operations)), address, {}, ask, form)),
                "result": [],
                "why": "",
                "operations": self._operations,
            },
        ).decode()

    # -- what its operations make of anything -------------------------------------------------------------------------

    def ask_badly(self, operation: Operation, call: Call) -> None:
        """Ask for an operation with what nobody expects: it may refuse that, and may not fail by it."""
        for arguments in _bad(operation):
            what = f"operation {operation.name} with {sorted(arguments)}"
            try:
                result = self._called(what, lambda given=arguments: operation.handler(call, **operation.check(given)))  # type: ignore[misc]  # bound now
                json.dumps(result, allow_nan=False)
            except OtpPiError:
                continue
            except (TypeError, ValueError) as error:
                raise AssertionError(f"page {self._page.key}, {what}: it gave what JSON cannot say") from error


def _bad(operation: Operation) -> Iterator[dict[str, Any]]:
    """Yield arguments that are missing, none of its own, of another type, and valid but strange."""
    yield {}
    yield {"no_such_argument": 1}
    strange = {one.key: _strange(one) for one in operation.parameters}
    yield strange
    for one in operation.parameters:
        yield strange | {one.key: {"an": "object"}}
        yield strange | {one.key: None}


def _strange(setting: Setting) -> Any:
    """Return a value that the declaration of a setting allows, and that nobody would think of."""
    if setting.kind is Kind.TEXT:
        return setting.choices[-1] if setting.choices else _STRANGE
    if setting.kind is Kind.TEXT_LIST:
        return [_STRANGE]
    if setting.kind in (Kind.INTEGER, Kind.NUMBER):
        return setting.maximum if setting.maximum is not None else 10**9
    return setting.default
