"""The JSON of requests: strict, bounded, and never quoted in an error."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.admin.api.strict_json import DEEPEST, LARGEST, NotJson, load

SECRET = "RAHASIA"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_what_json_says_is_read(value: Any, ascii_only: bool) -> None:
    assert load(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=200))
def test_octets_are_read_as_json_does_or_refused(body: bytes) -> None:
    try:
        value = load(body)
    except NotJson:
        return
    assert json.loads(body) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xef\xbb\xbf{}", "is not valid JSON at line 1, column 1"),
        (b'{"a": "\xff"}', "is not valid UTF-8 at byte 7"),
        (f'{{"{SECRET}": }}'.encode(), "is not valid JSON at line 1, column 13"),
        (b'{"a": 1,}', "is not valid JSON"),
        (b"{'a': 1}", "is not valid JSON"),
        (b"{} {}", "is not valid JSON"),
        (b"[1, NaN]", "NaN or Infinity"),
        (b"[-Infinity]", "NaN or Infinity"),
        (b"1e999", "is too large"),
        (b"9" * 400, "is too large"),
        (b"-" + b"9" * 200_000, "is too large"),
        (f'{{"{SECRET}": 1, "{SECRET}": 2}}'.encode(), "given twice"),
        (b'[{"a": {"b": 1, "\\u0062": 2}}]', "given twice"),
        (b'["\\ud800"]', "half of a surrogate pair"),
        (b'{"\\udc00": 1}', "half of a surrogate pair"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "nested too deeply"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 40_000, "nested too deeply"),
    ],
)
def test_what_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(NotJson, match=reason) as caught:
        load(body)
    assert SECRET not in str(caught.value)


def test_brackets_in_texts_are_no_depth() -> None:
    text = '[{"' * 100 + "\\"
    assert load(json.dumps([text, text]).encode()) == [text, text]
    assert load(b"[" * DEEPEST + b"]" * DEEPEST) is not None


@pytest.mark.parametrize("piece", [b'"', b"\\", b'"\\', b"[]", b'"a', b'\\"', b"9", b"[[", b"-", b'{"a"'])
def test_hostile_bodies_cost_little(piece: bytes) -> None:
    body = (piece * LARGEST)[:LARGEST]
    begun = time.process_time()
    for one in (body, b'["' + body[:-4]):
        try:
            load(one)
        except NotJson:
            continue
    assert time.process_time() - begun < 2
