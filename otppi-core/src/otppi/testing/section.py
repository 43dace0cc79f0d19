"""What every section of settings has to be: a plugin's tests call the checks with its own.

`for check in SECTION_CHECKS: check(section)`, or one by one with `pytest.mark.parametrize`. The properties need
hypothesis and jsonschema-rs, which are imported where they are used.
"""
# ruff: noqa: S101 - these are tests

import re
from collections.abc import Callable
from typing import Any

from otppi.api.settings import REDACTED, RENAMED_FROM, Kind, Section, Setting

_MARK = "made-up 4711 mark"
_SAMPLES: tuple[Any, ...] = (
    "a",
    "m0",
    "62812",
    "a1B2c3D4-secret",
    "a.example",
    "http://a.example/",
    "/dev/ttyUSB0",
    "350000000000006",
    1,
    1.5,
    True,
    ["a"],
    [],
)
_SENTENCE = re.compile(r"\S.*[.!?)]", re.DOTALL)
_EXAMPLES = 30


def sample(setting: Setting) -> Any:
    """Return a value that a setting takes: its default, or the first of some usual ones.

    Raises:
        AssertionError: It takes none of them.
    """
    candidates = (*(() if setting.required else (setting.default,)), *setting.choices, *_SAMPLES)
    for value in candidates:
        if setting.problem(value) is None:
            return value
    raise AssertionError(f"the suite knows no value for {setting.key}")


def least(section: Section) -> dict[str, Any]:
    """Return the least document that the section takes: what is required, by itself or by what is there beside it."""
    given = {setting.key: sample(setting) for setting in section.settings if setting.required}
    wanted = {problem.field.removeprefix(f"{section.key}.") for problem in section.validate(given)[1]}
    for setting in section.settings:
        if setting.key in wanted - given.keys():
            given[setting.key] = next(one for one in _SAMPLES if one and setting.problem(one) is None)
    return given


def says_what_it_is(section: Section) -> None:
    """Expect that it and each of its settings have a title, which is no sentence, and a help, which is one."""
    declared: tuple[Section | Setting, ...] = (section, *section.settings)
    for what in declared:
        assert what.title.strip() == what.title, what.key
        assert what.title, what.key
        assert not what.title.endswith((".", ":")), f"the title of {what.key} is a sentence"
        assert _SENTENCE.fullmatch(what.help), f"the help of {what.key} is no sentence"
    titles = [(setting.group, setting.title.casefold()) for setting in section.settings]
    assert len(set(titles)) == len(titles), "two fields of one page have the same title"


def is_reset_with_a_group(section: Section) -> None:
    """Expect that it names the part of a factory reset that brings its defaults back."""
    assert re.fullmatch(r"[a-z][a-z0-9_]*", section.reset_group)


def takes_its_own_defaults(section: Section) -> None:
    """Expect that what nobody has set can be saved as it is, again and again."""
    values, problems = section.validate(least(section))
    assert problems == []
    again, problems = section.validate(values)
    assert problems == []
    assert again == values
    assert set(values) == {setting.key for setting in section.settings}


def says_what_is_required(section: Section) -> None:
    """Expect that what has to be given is named, and that nothing else is complained about."""
    _, problems = section.validate({})
    required = {f"{section.key}.{setting.key}" for setting in section.settings if setting.required}
    found = {problem.field for problem in problems}
    assert required <= found <= {f"{section.key}.{key}" for key in least(section)}


def knows_the_names_of_old(section: Section) -> None:
    """Expect that an alias is the same setting, and that two names at once are refused."""
    given = least(section)
    for setting in section.settings:
        value = given.get(setting.key, sample(setting))
        for alias in setting.aliases:
            others = {key: one for key, one in given.items() if key != setting.key}
            values, problems = section.validate({**others, alias: value})
            assert problems == []
            assert values[setting.key] == section.validate({**others, setting.key: value})[0][setting.key]
            _, problems = section.validate({**others, alias: value, setting.key: value})
            assert [problem.field for problem in problems] == [f"{section.key}.{setting.key}"]


def names_what_it_does_not_know(section: Section) -> None:
    """Expect that a misspelt key is a problem of its own, and that nothing else is lost for it."""
    values, problems = section.validate({**least(section), "no_such_setting": 1})
    assert [problem.field for problem in problems] == [f"{section.key}.no_such_setting"]
    assert values == section.validate(least(section))[0]


def is_read_as_a_person_types_it(section: Section) -> None:
    """On the command line a value is a text: reading it gives the value."""
    for setting in section.settings:
        value = sample(setting)
        match setting.kind:
            case Kind.BOOLEAN:
                texts = ["true", "yes", "on"] if value else ["false", "no", "off"]
            case Kind.TEXT_LIST:
                texts = [",".join(value)]
            case Kind.TEXT | Kind.INTEGER | Kind.NUMBER:
                texts = [str(value)]
            case _:
                continue
        for text in texts:
            assert setting.from_text(text) == (list(value) if setting.kind is Kind.TEXT_LIST else value), setting.key
        # What is no value comes back as it is, and is refused with the field named.
        nonsense = setting.from_text(_MARK)
        assert setting.kind in (Kind.TEXT, Kind.TEXT_LIST) or setting.problem(nonsense) is not None


def keeps_its_secrets(section: Section) -> None:
    """Expect a secret neither where settings are shown, nor in a problem, nor in schema or reference as a default."""
    secret = {setting.key: setting for setting in section.settings if setting.secret}
    for key, setting in secret.items():
        value: Any = [_MARK] if setting.kind is Kind.TEXT_LIST else _MARK
        _, problems = section.validate({**least(section), key: value})
        assert not [problem for problem in problems if _MARK in str(problem) or _MARK in problem.reason], key
        assert section.redact({key: value}) == {key: REDACTED}
        schema = setting.json_schema()
        assert schema["writeOnly"] is True
        assert "default" not in schema
    shown = section.redact(section.validate(least(section))[0])
    assert not [key for key in secret if shown[key] not in (REDACTED, "", [], None)]
    # Whoever looks like a password has to be declared as one.
    told = [
        one.key for one in section.settings if re.search(r"password|secret|_pin$|token$", one.key) and not one.secret
    ]
    assert [key for key in told if section[key].kind is Kind.TEXT and not section[key].choices] == []


def is_described_by_its_schema(section: Section) -> None:
    """Expect a valid JSON Schema, which takes what the section takes, and refuses what it does not know."""
    import jsonschema_rs

    schema = section.json_schema()
    jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    item = schema["items"] if section.identity is not None else schema
    validator = jsonschema_rs.Draft202012Validator(item)
    assert validator.is_valid(section.validate(least(section))[0])
    assert validator.is_valid(least(section))
    assert not validator.is_valid({**least(section), "no_such_setting": 1})
    keys = {setting.key for setting in section.settings}
    described = set(item.get("properties", {})) or {key for one in item["anyOf"] for key in one["properties"]}
    assert keys <= described <= keys | {RENAMED_FROM} or "anyOf" in item


def agrees_with_its_schema(section: Section) -> None:
    """Expect of each setting: what the schema refuses is refused; where there is no code, nothing else is."""
    from hypothesis import HealthCheck, given, settings

    quick = settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
    )
    for setting in section.settings:
        with_values: Any = given(_values(setting))  # of an untyped decorator
        check = quick(with_values(_agreement(setting)))
        check()


def _agreement(setting: Setting) -> Callable[[Any], None]:
    import jsonschema_rs

    schema = jsonschema_rs.Draft202012Validator(setting.json_schema())
    only_declared = not (setting.check or setting.input or setting.tidy or setting.kind in (Kind.ROWS, Kind.ANY))

    def agree(value: Any) -> None:
        refused = setting.problem(value) is not None
        if only_declared:
            assert schema.is_valid(value) is not refused, (setting.key, value)
        elif setting.tidy is None and not schema.is_valid(value):
            assert refused, (setting.key, value)

    return agree


def _values(setting: Setting) -> Any:
    """Make values near those that a setting takes, and others."""
    from hypothesis import strategies as st

    # The \w of JSON Schema is that of ECMA-262, ASCII only, while Python's takes letters and digits of any script.
    by_class = re.search(r"\\[wds]", setting.pattern or "", re.IGNORECASE)
    characters = st.characters(codec="ascii" if by_class else "utf-8", exclude_characters="\0")
    texts = st.text(characters, max_size=12)
    numbers: Any = st.integers(-(10**6), 10**6)
    if setting.kind is Kind.NUMBER:
        numbers |= st.floats(-1e6, 1e6, allow_nan=False).filter(lambda value: not value.is_integer())
    for limit in (setting.minimum, setting.maximum):
        if limit is not None and float(limit).is_integer():
            numbers |= st.integers(int(limit) - 1, int(limit) + 1)
    near: Any = texts
    if setting.choices:
        near |= st.sampled_from(setting.choices)
    if setting.pattern is not None:
        near |= st.from_regex(setting.pattern, fullmatch=True, alphabet=characters)
    likely = {
        Kind.TEXT: near,
        Kind.TEXT_LIST: st.lists(near, max_size=3),
        Kind.BOOLEAN: st.booleans(),
        Kind.INTEGER: numbers,
        Kind.NUMBER: numbers,
    }.get(setting.kind, st.none())
    return likely | st.none() | st.booleans() | texts | numbers | st.lists(texts, max_size=2) | st.just({})


SECTION_CHECKS: tuple[Callable[[Section], None], ...] = (
    says_what_it_is,
    is_reset_with_a_group,
    takes_its_own_defaults,
    says_what_is_required,
    knows_the_names_of_old,
    names_what_it_does_not_know,
    is_read_as_a_person_types_it,
    keeps_its_secrets,
    is_described_by_its_schema,
    agrees_with_its_schema,
)
