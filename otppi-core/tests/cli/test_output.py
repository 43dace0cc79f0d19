"""What a command prints: strangers' text reaches a terminal without a character that the terminal would obey."""

import json
from argparse import Namespace
from typing import Any

import pytest

from otppi.cli.output import as_json, cell, one_line, show

EVIL = "a\x1b[2Jb\x9b31mc\u202ed\u2067e\u2028f\u061cg\x7fh\ud800i\x85j\tk\rl"
OBEYED = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *"\u061c\u200e\u200f\u2028\u2029\u202e\u2067\ud800"}


def printed(capsys: pytest.CaptureFixture[str], value: Any, lines: list[str], *, as_json: bool) -> str:
    show(Namespace(json=as_json), value, lines)
    return capsys.readouterr().out


@pytest.mark.parametrize("indent", [None, 2])
def test_json_has_no_control_character_and_is_still_the_same_value(indent: int | None) -> None:
    """Issue 9, E28: `--json` printed raw C1 and bidi characters."""
    value = {EVIL: [EVIL, {"text": EVIL}], "Zoë": "पासवर्ड 😀"}
    text = as_json(value, indent)
    assert not OBEYED & {*text.replace("\n", "" if indent else "\n")}
    assert json.loads(text) == value
    assert "पासवर्ड 😀" in text


def test_a_command_prints_neither_as_json_nor_as_lines(capsys: pytest.CaptureFixture[str]) -> None:
    for shown in (printed(capsys, [EVIL], [], as_json=True), printed(capsys, None, [EVIL, cell(EVIL)], as_json=False)):
        assert not (OBEYED - {"\n"}) & {*shown}
    assert printed(capsys, None, ["two\nlines"], as_json=False) == "two\nlines\n"


def test_one_line_is_one_line() -> None:
    assert not OBEYED & {*one_line(EVIL + "\n")}
