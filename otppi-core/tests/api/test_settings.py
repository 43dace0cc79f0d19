"""The declaration of settings: what cannot be declared, and what comes out of one that can."""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.api.settings import REDACTED, Kind, Section, Setting, boolean, integer, number, text, text_list
from otppi.wire.errors import FieldError


def even(value: int) -> str | None:
    return "must be even" if value % 2 else None


SETTINGS = (
    text("name", "Name", "What it is called.", required=True, pattern=r"[a-z]+"),
    text("colour", "Colour", "Of the case.", "red", choices=("red", "green")),
    text("code", "Code", "Digits.", pattern=r"[0-9]{2,4}", aliases=("number", "digits")),
    text("password", "Password", "Nobody sees it.", secret=True),
    integer("count", "Count", "How many.", 2, minimum=0, maximum=10, unit="pieces", check=even),
    number("delay", "Delay", "How long.", 1.5, minimum=0, unit="s"),
    boolean("active", "Active", "Whether.", True),
    text_list("tags", "Tags", "Words.", pattern=r"\w+"),
    text_list("keys", "Keys", "Nobody sees them.", secret=True),
)
SECTION = Section(key="thing", title="Thing", help="A thing.", settings=SETTINGS, reset_group="things")
THINGS = Section(key="things", title="Things", help="Things.", settings=SETTINGS, reset_group="things", identity="name")


def problems(raw: object, path: str | None = None) -> dict[str, str]:
    return {problem.field: problem.reason for problem in SECTION.validate(raw, path)[1]}


# -- declaring ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["key", "title", "help", "default"])
def test_a_setting_needs_key_title_help_and_default(missing: str) -> None:
    values: dict[str, Any] = {"key": "a", "title": "A", "help": "An a.", "default": ""}
    Setting(**values)
    with pytest.raises(TypeError, match=missing):
        Setting(**{key: value for key, value in values.items() if key != missing})
    if missing != "default":
        with pytest.raises(ValueError, match="setting"):
            Setting(**{**values, missing: ""})


@pytest.mark.parametrize("key", ["", "A", "a-b", "a b", "1a", "é"])
def test_a_key_is_snake_case(key: str) -> None:
    with pytest.raises(ValueError, match="snake case"):
        text(key, "A", "An a.")


@pytest.mark.parametrize(
    ("make", "default", "rules"),
    [
        (integer, 11, {"maximum": 10}),
        (integer, 1.5, {}),
        (integer, True, {}),
        (number, float("nan"), {}),
        (text, "blue", {"choices": ("red",)}),
        (text, "a", {"pattern": "[0-9]+"}),
        (boolean, 1, {}),
        (integer, 3, {"check": even}),
    ],
)
def test_a_default_is_valid(make: Any, default: object, rules: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the default of setting 'a' is not valid"):
        make("a", "A", "An a.", default, **rules)


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": (text("a", "A", "An a."), text("a", "A", "An a."))},
        {"settings": (text("a", "A", "An a."), text("b", "B", "A b.", aliases=("a",)))},
        {"key": "../etc"},
        {"key": ""},
        {"settings": (text("a", "A", "An a."),), "identity": "b"},
        {"settings": (text("a", "A", "An a."),), "identity": "a"},
    ],
    ids=["twice", "twice by alias", "key", "no key", "identity is nowhere", "identity is not required"],
)
def test_a_section_that_cannot_be_declared(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="section"):
        Section(**{"key": "a", "title": "A", "help": "An a.", "settings": (), "reset_group": "a", **changes})


def test_a_setting_is_found_by_its_key() -> None:
    assert SECTION["count"].title == "Count"
    with pytest.raises(KeyError, match="nothing"):
        SECTION["nothing"]


# -- validating --------------------------------------------------------------------------------------------------------


def test_all_problems_at_once_with_their_paths() -> None:
    raw = {
        "colour": "blue",
        "code": "x",
        "password": 5,
        "count": 11,
        "delay": "long",
        "active": 1,
        "tags": ["good", "not good"],
        "colur": "red",
        "zzz": 1,
    }
    assert problems(raw, "things[3]") == {
        "things[3].name": "is required",
        "things[3].colour": "must be one of: red, green",
        "things[3].code": "must match [0-9]{2,4}",
        "things[3].password": "must be text",
        "things[3].count": "must be at most 10 pieces",
        "things[3].delay": "must be a number",
        "things[3].active": "must be true or false",
        "things[3].tags": r"must match \w+",
        "things[3].colur": "is not a setting; did you mean colour?",
        "things[3].zzz": "is not a setting",
    }


@pytest.mark.parametrize("raw", [None, [], "x", 7])
def test_an_object_is_wanted(raw: object) -> None:
    values, found = SECTION.validate(raw)
    assert found == [FieldError("thing", "must be an object")]
    assert values == SECTION.defaults()


@pytest.mark.parametrize("name", ["", None, 5])
def test_what_is_required_is_there(name: object) -> None:
    assert "thing.name" in problems({"name": name})


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("count", True, "must be a whole number"),
        ("count", 2.0, "must be a whole number"),
        ("count", "2", "must be a whole number"),
        ("count", -1, "must be at least 0 pieces"),
        ("count", 3, "must be even"),
        ("delay", float("nan"), "must be a finite number"),
        ("delay", float("inf"), "must be a finite number"),
        ("delay", True, "must be a number"),
        ("active", "true", "must be true or false"),
        ("tags", "a,b", "must be a list of texts"),
        ("tags", ["a", 1], "must be a list of texts"),
        ("tags", {"a": 1}, "must be a list of texts"),
        ("password", "a\0b", "is too long, or holds a NUL character or half of a surrogate pair"),
        ("password", "\ud800", "is too long, or holds a NUL character or half of a surrogate pair"),
        ("password", "x" * 10_001, "is too long, or holds a NUL character or half of a surrogate pair"),
        ("code", "12\n", "must match [0-9]{2,4}"),
    ],
)
def test_types_and_limits(key: str, value: object, reason: str) -> None:
    assert problems({"name": "a", key: value}) == {f"thing.{key}": reason}


def test_good_values_are_taken_and_the_rest_are_defaults() -> None:
    values, found = SECTION.validate({"name": "a", "delay": 3, "tags": ("x",), "code": ""})
    assert found == []
    assert values == SECTION.defaults() | {"name": "a", "delay": 3, "tags": ["x"], "code": ""}


def test_aliases_are_taken_but_not_together() -> None:
    assert SECTION.validate({"name": "a", "digits": "12"})[0]["code"] == "12"
    assert problems({"name": "a", "digits": "12", "code": "34"}) == {"thing.code": "is given twice, under two names"}
    assert problems({"name": "a", "digits": "x"}) == {"thing.code": "must match [0-9]{2,4}"}


def test_nobody_can_change_a_default_by_its_value() -> None:
    values, _ = SECTION.validate({"name": "a"})
    values["tags"].append("x")
    SECTION.defaults()["tags"].append("x")
    given_tags = ["y"]
    SECTION.validate({"name": "a", "tags": given_tags})[0]["tags"].append("z")
    assert SECTION.defaults()["tags"] == []
    assert given_tags == ["y"]


@given(
    st.dictionaries(
        st.sampled_from([one.key for one in SETTINGS] + ["zzz"]),
        st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=4),
    )
)
def test_whatever_comes_is_told_and_never_raises(raw: dict[str, Any]) -> None:
    values, found = SECTION.validate(raw)
    assert values.keys() == SECTION.defaults().keys()
    json.dumps(values)
    for setting in SETTINGS:
        assert setting.problem(values[setting.key]) is None or setting.required
    assert {problem.field for problem in found} <= {f"thing.{key}" for key in [*raw, "name"]}


def test_a_secret_is_never_quoted() -> None:
    wrong = Setting(key="pin", title="PIN", help="A PIN.", default="", secret=True, pattern="[0-9]+")
    assert "abcd" not in (wrong.problem("abcd") or "")


def test_redaction() -> None:
    values = SECTION.defaults() | {"name": "a", "password": "secret", "keys": ["k"]}
    assert SECTION.redact(values) == values | {"password": REDACTED, "keys": REDACTED}
    assert SECTION.redact(SECTION.defaults()) == SECTION.defaults()


# -- what a person types -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("active", "Yes", True),
        ("active", "off", False),
        ("active", "perhaps", "perhaps"),
        ("count", "4", 4),
        ("count", "4.5", "4.5"),
        ("delay", "4.5", 4.5),
        ("delay", "soon", "soon"),
        ("tags", " a, b ,,", ["a", "b"]),
        ("tags", "", []),
        ("name", " a", " a"),
    ],
)
def test_from_text(key: str, typed: str, value: object) -> None:
    read = SECTION[key].from_text(typed)
    assert read == value
    assert type(read) is type(value)


# -- schema and reference ----------------------------------------------------------------------------------------------


def test_the_schema_is_one_and_takes_the_defaults() -> None:
    schema = SECTION.json_schema()
    jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    validator = jsonschema_rs.Draft202012Validator(schema)
    assert validator.is_valid(SECTION.defaults() | {"name": "a"})
    for key, property_ in schema["properties"].items():
        if "default" in property_:
            assert jsonschema_rs.is_valid(property_, property_["default"]), key
    assert schema["required"] == ["name"]
    assert schema["properties"]["password"]["writeOnly"]
    assert "default" not in schema["properties"]["keys"]
    assert jsonschema_rs.Draft202012Validator(THINGS.json_schema()).is_valid([SECTION.defaults() | {"name": "a"}])


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"name": ""},
        {"name": "A"},
        {"name": "a", "colour": "blue"},
        {"name": "a", "code": "12345"},
        {"name": "a", "code": "x12"},
        {"name": "a", "count": 11},
        {"name": "a", "count": "2"},
        {"name": "a", "delay": -1},
        {"name": "a", "active": 1},
        {"name": "a", "tags": ["a b"]},
        {"name": "a", "tags": "a"},
        {"name": "a", "zzz": 1},
    ],
    ids=str,
)
def test_the_schema_refuses_what_validation_refuses(raw: dict[str, Any]) -> None:
    assert problems(raw)
    assert not jsonschema_rs.is_valid(SECTION.json_schema(), raw)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_name_and_a_type(kind: Kind) -> None:
    defaults: dict[Kind, Any] = {
        Kind.TEXT: "",
        Kind.INTEGER: 1,
        Kind.NUMBER: 1.5,
        Kind.BOOLEAN: True,
        Kind.TEXT_LIST: [],
        Kind.ROWS: [],
        Kind.ANY: None,
    }
    columns = (text("b", "B", "A b."),) if kind is Kind.ROWS else ()
    setting = Setting(key="a", title="A", help="An a.", default=defaults[kind], kind=kind, columns=columns)
    assert (setting.problem(object()) is None) == (kind is Kind.ANY)
    assert jsonschema_rs.is_valid(setting.json_schema(), defaults[kind])


def test_the_reference_names_everything_and_no_secret() -> None:
    page = SECTION.reference()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == len(SETTINGS)
    assert "| `count` | Count | integer from 0 to 10 pieces | `2` | How many. |" in rows
    assert '| `colour` | Colour | `red` or `green` | `"red"` | Of the case. |' in rows
    assert "| `password` | Password | text | secret | Nobody sees it. |" in rows
    assert "| `name` | Name | text | required | What it is called. |" in rows
    assert "Reset group: `things`." in page


def test_what_a_text_has_to_be_is_said_in_words_where_the_declaration_has_some() -> None:
    plain = text("imei", "IMEI", "Its number.", pattern="[0-9]{14,16}")
    worded = text("imei", "IMEI", "Its number.", pattern="[0-9]{14,16}", pattern_says="14 to 16 digits")
    assert plain.problem("1") == "must match [0-9]{14,16}"
    assert worded.problem("1") == "must be 14 to 16 digits"


def test_a_file_in_base64_is_as_long_as_its_own_check_allows() -> None:
    content = Setting(key="content", title="Content", help="A file.", default=None, kind=Kind.ANY)
    assert content.problem("A" * 1_000_000) is None
    assert content.problem("a NUL \0") is not None
    assert Setting(key="name", title="Name", help="A text.", default="").problem("A" * 20_000) is not None
