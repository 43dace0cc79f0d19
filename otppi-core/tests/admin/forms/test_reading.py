"""What a form sends is read, whatever it is; and what is wrong is told at once, beside its field."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otppi.admin.forms import FormInput, FormView, Shown, form_of, read_form
from otppi.admin.forms.values import SecretEntry, printable
from otppi.api.settings import (
    REDACTED,
    FieldError,
    Input,
    Kind,
    Section,
    Setting,
    boolean,
    integer,
    number,
    rows,
    text,
    text_list,
)
from otppi.host.core import load_plugins

SECTION = Section(
    key="own",
    title="Own",
    help="Own settings.",
    reset_group="sms",
    settings=(
        text("name", "Name", "Its name.", pattern="[a-z]{1,8}"),
        integer("quota", "Quota", "How many.", 100, minimum=0, maximum=100_000),
        number("price", "Price", "How dear.", 1.5, minimum=0),
        boolean("active", "Active", "Whether it is.", True),
        text_list("prefixes", "Prefixes", "Whose.", pattern="[0-9]+"),
        text("pin", "PIN", "The PIN.", secret=True, input=Input.PIN, pattern="[0-9]{4}"),
        text("from_", "From", "Since when.", input=Input.TIME),
        rows(
            "steps",
            "Steps",
            "What follows.",
            (
                text("what", "What", "What.", required=True),
                integer("after", "After", "How long.", 1, minimum=0),
                boolean("loud", "Loud", "Whether.", False),
            ),
        ),
        Setting(key="document", title="Document", help="JSON.", default=None, kind=Kind.ANY),
    ),
)
KEPT = SECTION.defaults() | {"name": "kept", "pin": "1234", "steps": [{"what": "a", "after": 2, "loud": True}]}
MODEMS = next(one for one in load_plugins().sections if one.key == "modems")


def read(before: Mapping[str, Any] | None = None, **fields: str) -> FormInput:
    named = {name.replace("__", ":").replace("_0_", ".0.").replace("_1_", ".1."): [one] for name, one in fields.items()}
    return read_form(SECTION, named, KEPT if before is None else before)


def reasons(given: FormInput) -> dict[str, str]:
    return {one.field: str(one.reason) for one in given.problems}


# -- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("1,5", 1.5), ("1.5", 1.5), (" 2 ", 2.0), ("0,125", 0.125), ("0.125", 0.125), ("1234,567", 1234.567), ("+3", 3.0)],
)
def test_numbers_are_read_in_both_languages(typed: str, meant: float) -> None:
    given = read(price=typed)
    assert given.problems == ()
    assert given.values == {"price": meant}


@pytest.mark.parametrize("typed", ["1.500", "1,500", "1 500", "1\u00a0500", "12.500,5", "1'500", "1.500.000"])
def test_thousands_that_are_set_apart_are_refused_rather_than_guessed(typed: str) -> None:
    assert "without separators between thousands" in reasons(read(price=typed))["own.price"]
    whole = typed.removesuffix(",5")
    assert "without separators between thousands" in reasons(read(quota=whole))["own.quota"]


@pytest.mark.parametrize("typed", ["", "abc", "1e3", "0x10", "٣", "--1", "1,", ",5", "NaN", "inf", "9" * 500])
def test_what_is_no_number_is_refused(typed: str) -> None:
    assert reasons(read(price=typed)).keys() == {"own.price"}
    assert reasons(read(quota=typed)).keys() == {"own.quota"}


def test_a_box_that_is_not_ticked_is_no_only_where_the_form_showed_it() -> None:
    assert read(active__shown="1").values == {"active": False}
    assert read(active__shown="1", active="1").values == {"active": True}
    assert read(name="a").values == {"name": "a"}


def test_a_list_has_one_entry_on_each_line() -> None:
    assert read(prefixes=" 62812\r\n\r\n62813\r\n").values == {"prefixes": ["62812", "62813"]}
    assert read(prefixes="").values == {"prefixes": []}


def test_a_time_may_be_written_with_a_point() -> None:
    assert read(from_="22.30").values == {"from_": "22:30"}


def test_json_is_read_and_refused() -> None:
    assert read(document='{"a": [1]}').values == {"document": {"a": [1]}}
    assert read(document="").values == {"document": None}
    assert reasons(read(document="{")) == {"own.document": "is no JSON"}
    assert reasons(read(document="[" * 100_000)) == {"own.document": "is no JSON"}


def test_what_the_form_did_not_ask_for_is_left_as_it_is() -> None:
    assert read(quota="5").values == {"quota": 5}


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_a_secret_stays_is_set_or_is_cleared() -> None:
    assert read(pin="").values == {}
    assert read(pin="4711").values == {"pin": "4711"}
    assert read(pin="", pin__clear="1").values == {"pin": ""}
    assert read({**KEPT, "pin": REDACTED}, pin="").values == {}


def test_what_was_typed_as_a_secret_is_forgotten() -> None:
    given = read(pin="4711", quota="x")
    assert given.typed["pin"] == SecretEntry(typed=True, clears=False)
    (field,) = [one for one in form_of(SECTION, KEPT, Shown(given=given)).groups[0].fields if one.name == "pin"]
    assert (field.value, field.again, field.stored) == ("", True, True)


def test_spaces_belong_to_a_password_and_to_no_other_text() -> None:
    own = Section(
        key="own",
        title="Own",
        help="Own.",
        reset_group="sms",
        settings=(text("a", "A", "A."), text("b", "B", "B.", secret=True, input=Input.PASSWORD)),
    )
    assert read_form(own, {"a": [" x "], "b": [" x "]}, {}).values == {"a": "x", "b": " x "}


# -- rows -------------------------------------------------------------------------------------------------------------


def test_rows_are_read_in_their_order_and_gaps_do_not_matter() -> None:
    fields = {"steps:shown": ["1"]}
    for place, what in ((10, "b"), (2, "a")):
        fields |= {f"steps.{place}.what": [what], f"steps.{place}.after": ["3"], f"steps.{place}.loud:shown": ["1"]}
    given = read_form(SECTION, fields, KEPT)
    assert given.problems == ()
    assert given.values["steps"] == [
        {"what": "a", "after": 3, "loud": False},
        {"what": "b", "after": 3, "loud": False},
    ]


def test_no_rows_are_none_where_the_form_showed_them() -> None:
    assert read(steps__shown="1").values == {"steps": []}
    assert read(quota="1").values == {"quota": 1}


def test_a_row_that_was_added_and_left_empty_is_none() -> None:
    fields = {"steps:shown": ["1"], "steps.0.what": [""], "steps.0.after": ["1"], "steps.0.loud:shown": ["1"]}
    assert read_form(SECTION, fields, KEPT).values == {"steps": []}


def test_what_is_wrong_in_a_row_is_told_at_its_place() -> None:
    fields = {"steps.3.what": ["a"], "steps.3.after": ["x"], "steps.7.what": ["b"], "steps.7.after": ["1.000"]}
    given = read_form(SECTION, fields, KEPT, place="owns.m.0")
    assert [one.field for one in given.problems] == ["owns.m.0.steps[0].after", "owns.m.0.steps[1].after"]
    form = form_of(SECTION, KEPT, Shown(given=given, problems=given.problems, place="owns.m.0"))
    assert [one.target for one in form.problems] == ["f-steps-0-after", "f-steps-1-after"]
    assert [one.label for one in form.problems] == ["Steps, row 1, After", "Steps, row 2, After"]


def test_more_rows_than_a_setting_takes_are_refused() -> None:
    fields = {f"steps.{at}.{key}": [one] for at in range(1001) for key, one in (("what", "a"), ("after", "1"))}
    assert reasons(read_form(SECTION, fields, KEPT)) == {"own.steps": "must be at most 1000 rows"}


# -- buttons that change the form -------------------------------------------------------------------------------------


def test_a_row_is_added_and_removed_without_script(sent: Callable[..., dict[str, list[str]]]) -> None:
    fields = sent(form_of(SECTION, KEPT)) | {"quota": ["what is typed stays"]}
    given = read_form(SECTION, fields | {"steps:add": ["1"]}, KEPT)
    assert given.pressed
    assert given.problems == ()
    form = form_of(SECTION, KEPT, Shown(given=given))
    steps = next(one for one in form.groups[0].fields if one.name == "steps")
    assert [[str(cell.value) for cell in row.fields[:2]] for row in steps.rows] == [["a", "2"], ["", "1"]]
    assert steps.rows[1].fields[0].focus
    assert next(one for one in form.groups[0].fields if one.name == "quota").value == "what is typed stays"
    given = read_form(SECTION, sent(form) | {"steps.0:remove": ["1"]}, KEPT)
    assert given.pressed
    assert [cells["what"] for cells in given.typed["steps"]] == [""]  # type: ignore[index,union-attr]  # rows


@pytest.mark.parametrize("key", ["name", "quota", "price", "active", "prefixes", "steps"])
def test_a_field_goes_back_to_its_default(key: str, sent: Callable[..., dict[str, list[str]]]) -> None:
    changed = KEPT | {"quota": 5, "price": 2.5, "active": False, "prefixes": ["1"]}
    given = read_form(SECTION, sent(form_of(SECTION, changed)) | {f"{key}:default": ["1"]}, changed)
    assert given.pressed
    assert given.focus == key
    again = read_form(SECTION, sent(form_of(SECTION, changed, Shown(given=given))), changed)
    assert again.problems == ()
    assert again.values[key] == SECTION[key].default
    assert {name: again.values[name] for name in again.values if name != key} == {
        name: changed[name] for name in again.values if name != key
    }


def test_another_type_has_other_fields(sent: Callable[..., dict[str, list[str]]]) -> None:
    kept = MODEMS.of({"type": "modemmanager"}).defaults() | {"name": "m0", "type": "modemmanager"}
    fields = sent(form_of(MODEMS, kept)) | {"type": ["simulated"]}
    given = read_form(MODEMS, fields | {"type:choose": ["1"]}, kept)
    assert given.pressed
    form = form_of(MODEMS, kept, Shown(given=given))
    names = {one.name for group in form.groups for one in (*group.fields, *group.advanced)}
    assert {"faults", "network_time", "chunk_size"} <= names
    saved = read_form(MODEMS, sent(form), kept)
    assert saved.problems == ()
    assert saved.values["type"] == "simulated"
    # Saved at once, without a look at the new fields: those of the type that was left are no mistake.
    assert read_form(MODEMS, fields, kept).problems == ()


# -- all that is wrong, at once ---------------------------------------------------------------------------------------


def test_what_cannot_be_read_and_what_is_not_valid_are_told_together() -> None:
    given = read(name="NOT", quota="1.000", prefixes="6281x", pin="12")
    assert set(reasons(given)) == {"own.name", "own.quota", "own.prefixes", "own.pin"}
    form = form_of(SECTION, KEPT, Shown(given=given, problems=given.problems))
    assert [one.label for one in form.problems] == ["Name", "Quota", "Prefixes", "PIN"]
    assert str(form.summary) == "Not saved. Mend 4 fields:"


def test_three_are_told_in_the_order_of_the_page(page: Callable[[FormView, str], Any]) -> None:
    problems = [FieldError(f"own.{key}", f"is wrong: {key}") for key in ("prefixes", "quota", "name")]
    view = form_of(SECTION, KEPT, Shown(problems=[*problems, FieldError("other.port", "is taken")]))
    assert [one.label for one in view.problems] == ["Name", "Quota", "Prefixes", ""]
    drawn = page(view, "id")
    assert "Belum disimpan. Perbaiki 4 isian:" in drawn.text
    assert "other.port: is taken" in drawn.text
    wrong = {attributes["name"]: attributes for _tag, attributes in drawn.elements if "aria-invalid" in attributes}
    assert wrong.keys() == {"name", "quota", "prefixes"}
    assert all(f"f-{key}-error" in one["aria-describedby"].split() for key, one in wrong.items())
    links = [attributes["href"] for tag, attributes in drawn.elements if tag == "a" and "#" in attributes["href"]]
    assert links == ["#f-name", "#f-quota", "#f-prefixes"]


@pytest.mark.parametrize(
    ("path", "place", "target"),
    [
        ("modems[2].port", None, "f-port"),
        ("modems[2].prices[0].price", None, "f-prices-0-price"),
        ("modems[2].prices[0]", None, "f-prices-0"),
        ("modems[2].prices[5].price", None, "f-prices"),
        ("modems.m0.port", "modems.m0", "f-port"),
        ("modems.a.b.port", "modems.a.b", "f-port"),
        ("modems[3].name", "modems[3]", "f-name"),
        ("modems.m1.port", "modems.m0", ""),
        ("modems.m0", "modems.m0", ""),
        ("ingress-rest.http_port", "modems.m0", ""),
        ("modems.m0.no_such", "modems.m0", ""),
    ],
)
def test_a_problem_is_found_at_its_field(path: str, place: str | None, target: str) -> None:
    kept = MODEMS.of({}).defaults() | {"name": "m0", "prices": [{"prefix": "62", "price": 1.0}]}
    (problem,) = form_of(MODEMS, kept, Shown(problems=[FieldError(path, "is wrong")], place=place)).problems
    assert problem.target == target
    assert problem.reason == (f"{path}: is wrong" if not target else "is wrong")


def test_what_is_hidden_is_open_where_it_is_wrong_or_changed() -> None:
    kept = MODEMS.of({}).defaults() | {"name": "m0"}
    sim = {group.id: group for group in form_of(MODEMS, kept).groups}["f--sim"]
    assert not sim.open
    assert {one.name for one in sim.advanced} == {"imsi", "sms_center"}
    changed = form_of(MODEMS, kept | {"imsi": "123456"})
    assert {group.id: group.open for group in changed.groups}["f--sim"]
    wrong = form_of(MODEMS, kept, Shown(problems=[FieldError("modems[0].sms_center", "is wrong")]))
    assert {group.id: group.open for group in wrong.groups}["f--sim"]


def test_of_a_modem_a_dozen_fields_are_shown_and_the_rest_on_demand() -> None:
    groups = form_of(MODEMS, MODEMS.of({}).defaults() | {"name": "m0"}).groups
    assert sum(len(group.fields) for group in groups if not group.folded) == 11
    assert sum(len(group.fields) + len(group.advanced) for group in groups) == 51
    assert [group.title for group in groups if group.folded and group.open] == []
    changed = form_of(MODEMS, MODEMS.of({}).defaults() | {"name": "m0", "daily_quota": 5}).groups
    assert [group.id for group in changed if group.folded and group.open] == ["f--limits"]


def test_what_somebody_else_has_saved_stands_beside_what_was_typed(page: Callable[[FormView, str], Any]) -> None:
    given = read(quota="7", name="kept", pin="1111")
    theirs = KEPT | {"quota": 12, "pin": "2222"}
    view = form_of(SECTION, theirs, Shown(given=given, revision=9, changed_meanwhile=True))
    fields = {one.name: one for one in view.groups[0].fields}
    assert (fields["quota"].value, fields["quota"].theirs) == ("7", "12")
    assert fields["name"].theirs == fields["pin"].theirs == ""
    drawn = page(view, "id")
    assert "Tersimpan sekarang: 12" in drawn.text
    assert [one.name for one in view.differing] == ["quota"]
    links = [attributes["href"] for tag, attributes in drawn.elements if tag == "a" and "#" in attributes["href"]]
    assert links == ["#f-quota"]
    assert drawn.faults() == []
    assert drawn.forms[0].sent()["_revision"] == ["9"]


# -- hostile forms ----------------------------------------------------------------------------------------------------


def test_fields_that_are_twice_or_unknown_are_told_and_no_more_than_ten_of_them() -> None:
    given = read_form(SECTION, {"quota": ["1", "2"], "name": [], "<b>": ["x"], "steps.0.nope": ["1"]}, KEPT)
    assert {"own.quota", "own.name", "own.<b>", "own.steps[0].nope"} <= reasons(given).keys()
    assert len(read_form(SECTION, {f"x{at}": ["1"] for at in range(500)}, KEPT).problems) == 10


def test_fields_of_the_page_are_its_own() -> None:
    assert (
        read_form(SECTION, {"_revision": ["1"], "_token": ["a", "b"], "form": ["x"]}, {}, besides=("form",)).problems
        == ()
    )


NAMES = (
    st.sampled_from([one.key for one in SECTION.settings])
    | st.from_regex(
        r"(steps|name|quota)(\.[0-9]{1,5})?(\.(what|after|loud|x))?(:(add|remove|default|shown|clear|choose))?",
        fullmatch=True,
    )
    | st.text(max_size=6)
)
HOSTILE = st.dictionaries(NAMES, st.lists(st.text(max_size=12), max_size=2), max_size=6)


@settings(max_examples=150, suppress_health_check=(HealthCheck.too_slow,))
@given(HOSTILE)
def test_no_form_makes_it_raise_and_what_it_made_can_be_shown(fields: dict[str, Sequence[str]]) -> None:
    given = read_form(SECTION, fields, KEPT)
    form = form_of(SECTION, KEPT, Shown(given=given, problems=given.problems))
    assert len(form.problems) <= len(given.problems)
    values, _problems = SECTION.validate({**KEPT, **given.values})
    assert values.keys() == KEPT.keys()


@settings(max_examples=25, suppress_health_check=(HealthCheck.too_slow, HealthCheck.function_scoped_fixture))
@given(st.text(min_size=1, max_size=20) | st.sampled_from(['"><script>x</script>', "'\"&<>\0\ud800", "</textarea><b>"]))
def test_hostile_text_stays_text(page: Callable[[FormView, str], Any], typed: str) -> None:
    given = read(name=typed, prefixes=typed, steps_0_what=typed, document=typed)
    problems = [*given.problems, FieldError("own.quota", printable(typed)), FieldError("x", printable(typed))]
    view = form_of(SECTION, KEPT, Shown(given=given, problems=problems))
    drawn = page(view, "en")
    assert drawn.faults() == []
    assert not {tag for tag, _attributes in drawn.elements} & {"script", "b"}
    assert drawn.forms[0]["name"].value == printable(typed.replace("\r", "").replace("\n", ""))
