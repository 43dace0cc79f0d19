"""Rows of settings: each row is a small object, and the text that it once was is still read."""

from typing import Any

import jsonschema_rs
import pytest

from otppi.api.settings import Section, Setting, number, rows, text
from otppi.wire.errors import FieldError


def parse(written: str) -> dict[str, Any]:
    prefix, found, price = written.partition("=")
    if not found:
        raise ValueError(f"{written!r} is not written as 62=50")
    return {"prefix": prefix, "price": float(price)}


COLUMNS = (
    text("prefix", "Prefix", "First digits.", required=True, pattern="[0-9]+"),
    number("price", "Price", "What it costs.", 0, required=True, minimum=0),
)
PRICES = rows("prices", "Prices", "By prefix.", COLUMNS, unique=("prefix",), parse=parse)
SECTION = Section(key="thing", title="Thing", help="A thing.", settings=(PRICES,), reset_group="things")


def problems(value: object) -> dict[str, str]:
    return {one.field: one.reason for one in SECTION.validate({"prices": value})[1]}


def test_rows_are_objects_and_the_earlier_form_is_read() -> None:
    kept = [{"prefix": "62", "price": 50.0}, {"prefix": "65", "price": 1}]
    assert SECTION.validate({"prices": ["62=50", {"prefix": "65", "price": 1}]}) == ({"prices": kept}, [])
    assert SECTION.validate({}) == ({"prices": []}, [])


def test_every_problem_of_every_row_is_named_by_its_place() -> None:
    given = [{"prefix": "x", "price": -1}, {"price": 1, "prise": 2}, "62", 7]
    assert problems(given) == {
        "thing.prices[0].prefix": "must match [0-9]+",
        "thing.prices[0].price": "must be at least 0",
        "thing.prices[1].prise": "is not a setting; did you mean price?",
        "thing.prices[1].prefix": "is required",
        "thing.prices[2]": "'62' is not written as 62=50",
        "thing.prices[3]": "must be an object",
    }
    assert SECTION.validate({"prices": given})[0] == {"prices": []}


@pytest.mark.parametrize("value", [None, "62=50", {"62": 50}, 7])
def test_rows_are_a_list(value: object) -> None:
    assert problems(value) == {"thing.prices": "must be a list of rows"}


def test_rows_differ_in_what_is_unique() -> None:
    assert problems(["62=50", "65=1", "62=60"]) == {"thing.prices[2].prefix": "'62' is there twice"}


def test_there_is_an_end_to_rows() -> None:
    assert problems([f"{one}=1" for one in range(1, 1002)]) == {"thing.prices": "must be at most 1000 rows"}


def test_nobody_can_change_what_is_kept_by_what_was_given() -> None:
    row = {"prefix": "62", "price": 50}
    values, _ = SECTION.validate({"prices": [row]})
    row["price"] = 0
    assert values["prices"] == [{"prefix": "62", "price": 50}]


def test_rows_are_typed_as_texts_or_as_json() -> None:
    assert PRICES.from_text("62=50, 65=1") == ["62=50", "65=1"]
    assert PRICES.from_text('[{"prefix": "62", "price": 50}]') == [{"prefix": "62", "price": 50}]


def test_the_schema_takes_both_forms_and_nothing_else() -> None:
    schema = SECTION.json_schema()
    jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    for value in (["62=50"], [{"prefix": "62", "price": 50}], []):
        assert jsonschema_rs.is_valid(schema, {"prices": value})
    for wrong in ([{"prefix": "62"}], [7], "62=50", [{"prefix": "62", "price": 50, "more": 1}]):
        assert not jsonschema_rs.is_valid(schema, {"prices": wrong})


def test_the_reference_shows_the_columns() -> None:
    page = SECTION.reference()
    assert "| `prices` | Prices | rows of `prefix`, `price` | `[]` | By prefix. |" in page
    assert "Each row of `prices`:" in page
    assert "| `price` | Price | number from 0 | required | What it costs. |" in page


@pytest.mark.parametrize(
    ("columns", "unique"),
    [
        ((), ()),
        (COLUMNS, ("zone",)),
        ((*COLUMNS, COLUMNS[0]), ()),
        ((text("pin", "PIN", "Nobody sees it.", secret=True),), ()),
        ((PRICES,), ()),
    ],
    ids=["no columns", "unique is none", "twice", "secret", "rows in rows"],
)
def test_rows_that_cannot_be_declared(columns: tuple[Setting, ...], unique: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="'a'"):
        rows("a", "A", "An a.", columns, unique=unique)


def test_only_rows_have_columns() -> None:
    with pytest.raises(ValueError, match="only rows"):
        Setting(key="a", title="A", help="An a.", default="", columns=COLUMNS)


def test_a_check_of_all_rows() -> None:
    most = rows("a", "A", "An a.", COLUMNS, check=lambda all_: "is too much" if len(all_) > 1 else None)
    assert most.read([{"prefix": "1", "price": 1}] * 2, "x.a") == ([], [FieldError("x.a", "is too much")])
