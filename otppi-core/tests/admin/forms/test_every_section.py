"""Every section of the gateway and of its plugins makes a form, which is read back to the same values."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otppi.admin.forms import FormView, Shown, form_of, read_form
from otppi.api.settings import REDACTED, Input, Kind, Section, Setting
from otppi.host.core import load_plugins
from otppi.host.modems.settings import MODEMS
from otppi.testing.html import HtmlPage
from otppi.testing.section import least

MARK = "8392017465"
"""Of secrets; digits, as those of PINs are."""
Draw = Callable[[FormView, str], HtmlPage]
Send = Callable[..., dict[str, list[str]]]


def objects() -> Iterator[tuple[str, Section, dict[str, Any]]]:
    """Yield each section, and the list of modems once for each type, with the least that has to be set."""
    plugins = load_plugins()
    for section in plugins.sections:
        if section.key != MODEMS.key:
            yield section.key, section, least(section)
    modems = next(one for one in plugins.sections if one.key == MODEMS.key)
    for key in plugins.modem_types:
        yield f"modems of type {key}", modems, {"name": "m0", "type": key}


ALL = {name: (section, given) for name, section, given in objects()}
TYPED = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
CLEAN = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=8)
"""Texts as a person types them: no blanks at their ends."""
FEW = settings(max_examples=12, suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large), database=None)


def shown_settings(section: Section) -> list[Setting]:
    return [one for one in section.settings if one.input is not Input.HASH]


def value(setting: Setting, texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Make values of a setting's type, whether it takes them or not."""
    if setting.choices:
        return st.sampled_from(setting.choices)
    if setting.kind is Kind.ROWS:
        columns = {one.key: value(one, texts.filter(bool)) for one in setting.columns}
        return st.lists(st.fixed_dictionaries(columns), max_size=2)
    if setting.input is Input.TIME:
        return st.sampled_from(["00:00", "22:30"])
    kinds: Mapping[Kind, st.SearchStrategy[Any]] = {
        Kind.TEXT: texts,
        Kind.TEXT_LIST: st.lists(texts.filter(bool), max_size=3),
        Kind.BOOLEAN: st.booleans(),
        Kind.INTEGER: st.integers(),
        Kind.NUMBER: st.floats(allow_nan=False, allow_infinity=False, width=32) | st.integers(-5000, 5000),
    }
    return kinds[setting.kind]


def values(section: Section, least: Mapping[str, Any], texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    shown = {one.key: value(one, texts) for one in shown_settings(section.of(least)) if not one.secret}
    typed = {key: st.just(least[key]) for key in (section.typed_by,) if key and key in least}
    return st.fixed_dictionaries(shown | typed)


@pytest.mark.parametrize("name", ALL)
def test_what_is_kept_comes_back_unchanged_in_either_language(name: str, sent: Send) -> None:
    section, required = ALL[name]

    @FEW
    @given(values(section, required, TYPED), st.sampled_from(["id", "en"]))
    def check(kept: dict[str, Any], language: str) -> None:
        read = read_form(section, sent(form_of(section, kept), language), kept)
        assert read.problems == ()
        assert read.values == kept

    check()


@pytest.mark.parametrize("name", ALL)
def test_what_is_typed_is_read_as_it_is_meant(name: str, sent: Send) -> None:
    section, required = ALL[name]

    @FEW
    @given(values(section, required, CLEAN), st.sampled_from(["id", "en"]))
    def check(typed: dict[str, Any], language: str) -> None:
        read = read_form(section, sent(form_of(section, typed), language), {})
        assert [one for one in read.problems if "must be written" in one.reason or "is required" in one.reason] == []
        assert read.values == {**typed, **read.values}

    check()


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("name", ALL)
def test_a_page_is_well_formed_and_each_field_has_label_and_description(
    name: str, language: str, page: Draw, sent: Send
) -> None:
    section, required = ALL[name]
    for kept in ({}, section.of(required).defaults() | required):
        problems = section.of(kept).validate({**kept, "nonsense": 1})[1]
        view = form_of(section, kept or required, Shown(revision=3, problems=problems))
        drawn = page(view, language)
        assert drawn.faults() == []
        fields = drawn.forms[0].sent("_save")
        assert {name: fields[name] for name in fields if not name.startswith("_")} == sent(view, language)
        keys = {one.key for one in section.of(kept or required).settings if one.input is not Input.HASH}
        named = {control.name.partition(":")[0].partition(".")[0] for control in drawn.forms[0].controls}
        assert keys - {one.hashed_in for one in section.settings} <= named


@pytest.mark.parametrize("name", ALL)
def test_no_secret_is_ever_in_a_page(name: str, drawn: Callable[[FormView, str], str]) -> None:
    section, required = ALL[name]
    declared = section.of(required)
    secrets = {one.key: [MARK] if one.kind is Kind.TEXT_LIST else MARK for one in declared.settings if one.secret}
    kept = declared.defaults() | required | secrets
    typed = {key: [MARK] for key in secrets} | {"nonsense": ["1"]}
    read = read_form(section, typed, kept)
    problems = [*read.problems, *declared.validate(kept)[1]]
    again = form_of(section, kept, Shown(given=read, problems=problems, changed_meanwhile=True))
    for view in (form_of(section, kept), again):
        assert MARK not in drawn(view, "en")
        assert MARK not in repr(view)
    assert MARK not in repr(read)


@pytest.mark.parametrize("name", ALL)
def test_secrets_that_nobody_typed_stay(name: str, sent: Send) -> None:
    section, required = ALL[name]
    kept = section.of(required).redact(section.of(required).defaults() | required)
    kept |= {one.key: REDACTED for one in section.of(required).settings if one.secret}
    read = read_form(section, sent(form_of(section, kept)), kept)
    assert read.problems == ()
    assert not {one.key for one in section.of(required).settings if one.secret} & read.values.keys()


@pytest.mark.parametrize("name", ALL)
def test_no_form_is_one_long_list(name: str) -> None:
    """Nobody finds one of a dozen settings without parts: what has more than ten in sight is told apart."""
    section, kept = ALL[name]
    view = form_of(section, kept)
    assert all(len(group.fields) <= 10 for group in view.groups if not group.folded), [
        len(one.fields) for one in view.groups
    ]
    assert len(view.groups) > 1 or len(view.groups[0].fields) <= 8


def test_hashes_are_no_fields() -> None:
    section, kept = ALL["api_users"]
    form = form_of(section, kept)
    names = {one.name for group in form.groups for one in group.fields}
    assert names == {"username", "password", "phone", "email", "active", "blocked", "manage_keys", "metrics_only"}
