"""What authors test their pages with: each of its checks finds what it is for."""

import dataclasses
import threading
from typing import Any

import pytest

from otppi.api.blocks import (
    Block,
    Chart,
    Facts,
    Form,
    Level,
    Notice,
    OperationButton,
    Operations,
    Paragraph,
    Table,
)
from otppi.api.errors import NotSupported
from otppi.api.operations import Operation, Role
from otppi.api.pages import Page, Tile
from otppi.api.settings import Section, integer, text
from otppi.host.audit.page import AUDIT
from otppi.host.runtime.page import PLUGIN_LIST
from otppi.testing.admin import A_MODEM, walk
from otppi.testing.site import Site
from otppi.testing.waiting import PATIENCE
from otppi.text import _

STOCK = Section(
    key="stock", title="Stock", help="Of it.", reset_group="x", settings=(integer("limit", "Limit", "Of it.", 7),)
)
MODEM = text("modem", "Modem", "Its name.", required=True)


def top_up(call: Any, modem: str, amount: int) -> dict[str, Any]:
    if modem != "m0":
        raise NotSupported("there is no such modem")
    return {"modem": modem, "amount": amount}


def operation(**changed: Any) -> Operation:
    declared = Operation(
        name="top_up",
        title="Top up",
        help="Do it.",
        handler=top_up,
        parameters=(MODEM, integer("amount", "Amount", "Of it.", 5)),
        confirm="This costs money.",
    )
    return dataclasses.replace(declared, **changed)


def page(*blocks: Any, **more: Any) -> Page:
    return Page(key="x", title="X", blocks=more.pop("blocks", lambda context: list(blocks)), **more)


def test_a_good_page_is_drawn_in_both_languages_and_measured() -> None:
    found: list[Block] = [
        Notice(Level.WARN, _("yes")),
        Facts({"a": 1}),
        Table(title="T", columns=("a", "b"), rows=[("<b>", OperationButton("top_up", {"modem": "m0"}))]),
        Chart(title="C", points=[("a", 1)]),
        Form("stock"),
        Operations(),
    ]
    walked = walk(
        page(*found, operations=(operation(), operation(name="other")), tile=lambda context: Tile(Level.GOOD, "x")),
        sections=[STOCK],
    )
    assert set(walked.pages) == {"en", "id"}
    assert ">ya<" in walked.pages["id"]
    assert ">yes<" in walked.pages["en"]
    assert "&lt;b&gt;" in walked.pages["en"]
    assert {"blocks", "block 3", "tile"} <= walked.seconds.keys()
    assert max(walked.seconds.values()) < 2


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (page(Table(title="", columns=("a",), rows=[])), "block 1 has no title"),
        (page(Paragraph("x"), Chart(title=" ", points=[])), "block 2 has no title"),
        (page(Table(title="T", columns=("a", ""), rows=[])), "a column without a title"),
        (page(Facts({"": 1})), "a fact without a name"),
        (page(Table(title="T", columns=("a",), rows=[("x", "y")])), "row 1 has not a cell for each column"),
        (page("a text"), "no block, but of the type str"),
        (page(blocks=lambda context: 1 / 0), "blocks: it raised ZeroDivisionError"),
        (
            page(Table(title="T", columns=("a",), rows=([1 / 0] for _one in "x"))),
            "block 1: it raised ZeroDivisionError",
        ),
        (page(tile=lambda context: "a text"), "it is no tile"),
        (page(blocks=lambda context: context.perform("balances")), "no answer of the operation 'balances'"),
        (page(blocks=lambda context: context.settings("sms")), "no settings of the section 'sms'"),
        (page(Operations(["other"])), "names no operation of the page: other"),
        (page(Form("other")), "the form of 'other', which is none"),
        (page(Table(title="T", columns=("a",), rows=[(OperationButton("other"),)])), "a button names 'other'"),
        (
            page(
                Table(title="T", columns=("a",), rows=[(OperationButton("top_up", {"x": "y"}),)]),
                operations=(operation(),),
            ),
            "a button gives top_up 'x'",
        ),
        (page(operations=(operation(parameters=(text("modem", " ", "x"),)),)), "modem has no title or no help"),
        (page(operations=(operation(handler=lambda call, modem, amount: {}[modem]),)), "it raised KeyError"),
        (page(operations=(operation(handler=lambda call, modem, amount: {1, 2}),)), "it gave what JSON cannot say"),
        (page(operations=(operation(handler=lambda call, modem, amount: float("nan")),)), "what JSON cannot say"),
    ],
)
def test_what_would_not_be_shown_whole_is_refused(bad: Page, reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        walk(bad, sections=[STOCK])


def test_fields_of_sections_need_titles() -> None:
    bare = dataclasses.replace(STOCK, settings=(integer("limit", " ", "Of it.", 7),))
    with pytest.raises(AssertionError, match="limit has no title or no help"):
        walk(page(Form("stock")), sections=[bare])


@pytest.mark.parametrize("where", ["blocks", "tile", "operation"])
def test_what_takes_too_long_is_refused(where: str) -> None:
    held = threading.Event()

    def late(*_given: object, **_more: object) -> Any:
        held.wait(PATIENCE)

    made = {
        "blocks": page(blocks=late),
        "tile": page(tile=late),
        "operation": page(operations=(operation(handler=late),)),
    }[where]
    with pytest.raises(AssertionError, match=r"it takes more than 0\.2 s"):
        walk(made, patience=0.2)
    held.set()


def test_our_own_page_passes() -> None:
    plugin: dict[str, Any] = {"name": "x", "version": "1", "state": "loaded", "error": None}
    plugin |= {"offers": ["modem type x"], "titles": ["X"]}
    broken = plugin | {"name": "y", "state": "failed", "offers": [], "titles": [], "error": "ValueError: x"}
    walked = walk(PLUGIN_LIST, answers={"plugins": [plugin, broken]}, settings={"plugins": {"off": ["y"]}})
    assert "tipe modem: X" in walked.pages["id"]


def test_the_page_of_the_audit_trail_passes_and_shows_what_was_done(shared_site: Site) -> None:
    shared_site.call("block_add", receiver="08121112222")
    entries = shared_site.call("audit")
    walked = walk(AUDIT, answers={"audit": entries})
    assert ">Block a number<" in walked.pages["en"]
    assert "selesai" in walked.pages["id"]
    assert shared_site.inside(Role.OPERATOR).get("/pages/audit").status == 403
    page = shared_site.inside(Role.ADMINISTRATOR).get("/pages/audit")
    assert "Block a number" in page.words


def test_the_modem_of_the_table_is_as_those_of_a_gateway(shared_site: Site) -> None:
    told = shared_site.call("modems")[0]
    assert A_MODEM.keys() == told.keys()
    assert A_MODEM["usage"].keys() == told["usage"].keys()
