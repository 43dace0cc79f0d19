"""Sections: checks across settings, objects and types; what an input means; groups, effects and typed values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import pytest

from otppi.api.settings import (
    Effect,
    FieldError,
    Group,
    Input,
    Section,
    Setting,
    TypedSection,
    boolean,
    integer,
    number,
    rows,
    text,
    text_list,
)


def apart(values: Mapping[str, Any]) -> Iterable[FieldError]:
    if values["source"] == values["target"]:
        yield FieldError("target", "must not be the same as source")


def shared(items: Sequence[Mapping[str, Any]]) -> Iterable[FieldError]:
    sources = [item["source"] for item in items]
    for index, source in enumerate(sources):
        if source in sources[:index]:
            yield FieldError(f"[{index}].source", "is used already")


SETTINGS = (
    text("name", "Name", "Its name.", required=True),
    text("type", "Type", "Its type.", "plain"),
    text("source", "Source", "Where from.", "a", pattern="[a-z]"),
    text("target", "Target", "Where to.", "b"),
)
SECTION = Section(key="pipe", title="Pipe", help="A pipe.", settings=SETTINGS, reset_group="x", checks=(apart,))
PIPES = Section(
    key="pipes",
    title="Pipes",
    help="Pipes.",
    settings=SETTINGS,
    reset_group="x",
    identity="name",
    checks=(apart,),
    check_items=(shared,),
    typed_by="type",
)


@dataclass(frozen=True)
class Typed:
    key: str = "wide"
    title: str = "wide pipe"
    help: str = "A pipe that is wide."
    settings: tuple[Setting, ...] = (integer("width", "Width", "How wide.", 2, minimum=1),)
    checks: tuple[Any, ...] = (lambda values: [FieldError("width", "is even")] if values["width"] == 4 else [],)


def told(section: Section, raw: Any) -> dict[str, str]:
    found = section.validate_items(raw)[1] if section.identity else section.validate(raw)[1]
    return {problem.field: problem.reason for problem in found}


# -- across settings ---------------------------------------------------------------------------------------------------


def test_what_does_not_go_together_is_told_with_its_field() -> None:
    assert told(SECTION, {"name": "x", "target": "a"}) == {"pipe.target": "must not be the same as source"}
    assert told(SECTION, {"name": "x", "target": "c"}) == {}


def test_nothing_follows_from_a_value_that_is_not_valid() -> None:
    assert told(SECTION, {"name": "x", "source": "B", "target": "a"}) == {"pipe.source": "must match [a-z]"}
    assert told(SECTION, {"target": "a"}) == {
        "pipe.name": "is required",
        "pipe.target": "must not be the same as source",
    }
    assert told(SECTION, 7) == {"pipe": "must be an object"}


def test_a_check_that_fails_by_a_mistake_of_its_own_refuses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    broken = Section(
        key="a", title="A", help="An a.", settings=SETTINGS, reset_group="x", checks=(lambda values: values["gone"],)
    )
    assert told(broken, {"name": "x"}) == {}
    assert "a check of section a failed" in caplog.text


def test_objects_of_a_list_are_held_against_each_other() -> None:
    items = [{"name": "x"}, {"name": "y", "target": "a"}, {"name": "z", "source": "B"}]
    assert told(PIPES, items[:2]) == {
        "pipes[1].target": "must not be the same as source",
        "pipes[1].source": "is used already",
    }
    assert told(PIPES, items[::2]) == {"pipes[1].source": "must match [a-z]"}
    assert told(PIPES, [{"name": "x"}, {"name": "x", "source": "c"}]) == {"pipes[1].name": "is used twice"}
    assert told(PIPES, {}) == {"pipes": "must be a list"}
    with pytest.raises(ValueError, match="one object"):
        SECTION.validate_items([])


def test_a_change_of_a_valid_list_may_be_refused(caplog: pytest.LogCaptureFixture) -> None:
    def fewer(change: tuple[Sequence[Any], Sequence[Any]]) -> Iterable[FieldError]:
        before, after = change
        if len(after) < len(before):
            yield FieldError("[0].name", "one is missing")

    def broken(change: tuple[Sequence[Any], Sequence[Any]]) -> Iterable[FieldError]:
        yield FieldError(change[0][7], "is none")

    guarded = replace(PIPES, check_changes=(fewer, broken))
    (refused,) = guarded.problems_of_change([{"name": "x"}], [])
    assert (refused.field, refused.reason) == ("pipes[0].name", "one is missing")
    assert guarded.problems_of_change([], [{"name": "x"}]) == []
    assert "a check of section pipes failed" in caplog.text
    assert PIPES.problems_of_change([{"name": "x"}], []) == []


# -- types -------------------------------------------------------------------------------------------------------------


def test_a_type_adds_settings_and_checks() -> None:
    types: dict[str, Typed] = {}
    section = PIPES.with_types(types)
    assert told(section, [{"name": "x", "type": "wide"}]) == {"pipes[0].type": "there is no such type; there are "}
    types["wide"] = Typed()
    items, problems = section.validate_items([{"name": "x", "type": "wide"}])
    assert (items[0]["width"], problems) == (2, [])
    assert told(section, [{"name": "x", "type": "wide", "width": 0}]) == {"pipes[0].width": "must be at least 1"}
    assert told(section, [{"name": "x", "type": "wide", "width": 4}]) == {"pipes[0].width": "is even"}
    assert [one.key for one in section.of({"type": "wide"}).settings][-1] == "width"
    assert section.of({"type": "plain"}) is section.of(7) is section
    assert "where `type` is `wide`" in section.reference()
    (schema,) = section.json_schema()["items"]["anyOf"]
    assert schema["properties"]["type"]["const"] == "wide"
    assert schema["required"] == ["name", "type"]


def test_a_type_declares_nothing_anew() -> None:
    with pytest.raises(ValueError, match="source twice"):
        PIPES.extended(Typed(settings=(text("source", "Source", "Again."),)))


# -- declaring ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": (text("a", "A", "An a.", group="no"),), "groups": (Group("yes", "Yes"),)},
        {"settings": (text("a", "A", "An a.", enabled_by="b"),)},
        {"settings": (text("a", "A", "An a.", secret=True, hashed_in="b"),)},
        {"settings": (text("renamed_from", "A", "An a."),)},
        {"settings": (text("a", "A", "An a."),), "typed_by": "a"},
    ],
    ids=["group", "switch", "hash", "reserved", "type of no list"],
)
def test_a_section_that_cannot_be_declared(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="section 'a'"):
        Section(**{"key": "a", "title": "A", "help": "An a.", "settings": (), "reset_group": "a", **changes})


@pytest.mark.parametrize("rules", [{"input": Input.PASSWORD}, {"hashed_in": "hash"}])
def test_what_has_to_be_secret_is(rules: Any) -> None:
    with pytest.raises(ValueError, match="secret"):
        text("a", "A", "An a.", **rules)


def test_groups_give_the_page_its_parts_and_the_rest_comes_last() -> None:
    groups = (Group("basic", "Basic", "What everybody sets."), Group("line", "Line"), Group("none", "Nothing"))
    settings = (
        text("speed", "Speed", "Of the line.", group="line", advanced=True),
        text("name", "Name", "Its name.", group="basic"),
        text("other", "Other", "Of a plugin."),
    )
    section = Section(
        key="a", title="A", help="An a.", settings=settings, reset_group="x", groups=groups, effect=Effect.REOPENS
    )
    assert [(group and group.key, [one.key for one in some]) for group, some in section.grouped()] == [
        ("basic", ["name"]),
        ("line", ["speed"]),
        (None, ["other"]),
    ]
    page = section.reference()
    assert [line for line in page.splitlines() if line.startswith("###")] == ["### Basic", "### Line", "### Others"]
    assert "| `speed` | Speed (advanced) |" in page
    assert "the modem or account is opened anew" in page


def test_a_setting_may_have_another_effect_than_its_section() -> None:
    own = text("a", "A", "An a.", effect=Effect.RESTARTS)
    section = Section(key="a", title="A", help="An a.", settings=(own, *SETTINGS), reset_group="x")
    assert section.effect_of(own) is Effect.RESTARTS
    assert section.effect_of(SETTINGS[0]) is Effect.AT_ONCE


# -- inputs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meant", "right", "wrong"),
    [
        (Input.HOST, ["broker.example.com", "127.0.0.1", "::1", "[::1]", "büro"], ["a b", "http://x", "x:80", "u@x"]),
        (Input.IP_ADDRESS, ["127.0.0.1", "::1"], ["localhost", "1.2.3", "[::1]"]),
        (Input.LISTEN_ADDRESS, ["0.0.0.0", "::1"], ["localhost", "*"]),
        (Input.EMAIL, ["ani@example.com", ""], ["ani", "ani@", "@example.com", "a b@example.com", "a@b@example.com"]),
        (Input.URL, ["https://example.com/x?y", "http://[::1]:80/"], ["example.com", "ftp://x", "http://u:p@x/"]),
        (Input.PATH, ["/etc/ca.pem", "ca.pem"], ["/etc/", "a\nb"]),
        (Input.TIME, ["00:00", "23:59"], ["24:00", "7:00", "07:60"]),
        (Input.TIME_SPAN, ["22:00-06:00"], ["22-06", "22:00"]),
        (Input.REGEX, [r"(\d+)"], ["(", "*"]),
    ],
)
def test_what_a_text_means_is_checked(meant: Input, right: list[str], wrong: list[str]) -> None:
    one, many = text("a", "A", "An a.", input=meant), text_list("b", "B", "A b.", input=meant)
    assert [value for value in ["", *right] if one.problem(value)] == []
    assert many.problem(right) is None
    assert [value for value in wrong if not one.problem(value) or not many.problem([value])] == []


def test_a_port_is_one() -> None:
    port = integer("port", "Port", "A port.", 80, input=Input.PORT)
    assert (port.problem(0), port.problem(65_536)) == ("must be at least 1", "must be at most 65535")
    listens = integer("port", "Port", "A port.", 0, input=Input.LISTEN_PORT, minimum=0)
    assert listens.problem(0) is None
    assert listens.problem(65_536) == "must be at most 65535"


# -- typed values ------------------------------------------------------------------------------------------------------


class Row(TypedDict):
    prefix: str


class Values(TypedDict):
    name: str
    count: int
    delay: float
    active: bool
    tags: list[str]
    prices: list[Row]


KINDS = (
    text("name", "Name", "Its name."),
    integer("count", "Count", "How many.", 1),
    number("delay", "Delay", "How long.", 1.0),
    boolean("active", "Active", "Whether.", True),
    text_list("tags", "Tags", "Words."),
    rows("prices", "Prices", "By prefix.", (text("prefix", "Prefix", "Digits."),)),
)


def typed(settings: tuple[Setting, ...]) -> TypedSection[Values]:
    return TypedSection(key="a", title="A", help="An a.", settings=settings, reset_group="x", values=Values)


def test_a_typed_section_and_its_values_agree() -> None:
    assert typed(KINDS).defaults().keys() == Values.__annotations__.keys()
    with pytest.raises(ValueError, match="name is in one of them only"):
        typed(KINDS[1:])
    with pytest.raises(ValueError, match="more is in one of them only"):
        typed((*KINDS, text("more", "More", "More.")))
    with pytest.raises(ValueError, match="count is number"):
        typed((KINDS[0], number("count", "Count", "How many.", 1), *KINDS[2:]))
    with pytest.raises(ValueError, match="prices is rows"):
        typed((*KINDS[:5], rows("prices", "Prices", "By prefix.", (text("zone", "Zone", "Where."),))))
