"""Documents can be read in an editor: lines of 120 characters, but for tables, code, and what cannot be broken."""

import re
from pathlib import Path

import pytest

from tests.architecture.documents import DOCUMENTS, ROOT, SOURCE, name_of, without_blocks

WIDTH = 120
PROSE = [*DOCUMENTS, ROOT / "CHANGELOG.md"]


@pytest.mark.parametrize("document", PROSE, ids=name_of)
def test_lines_are_no_longer_than_an_editor_is_wide(document: Path) -> None:
    lines = enumerate(without_blocks(document.read_text()).split("\n"), 1)
    long = [number for number, line in lines if len(line) > WIDTH and can_be_broken(line)]
    assert long == []


def can_be_broken(line: str) -> bool:
    """Whether a line is prose with a blank that is in no link and in no code; rows of tables are not."""
    if re.match(r"\s*\||#+ ", line):
        return False
    words = re.sub(r"\[[^\]]*\]\([^)]*\)|`[^`]*`", "X", line.strip())
    return " " in re.sub(r"^([-*]|\d+\.) ", "", words)


WORDS = re.compile(
    r"(?<!on its )(?<!on their )\bways? in\b(?! which)|\bpaperwork\b|\b(?:an )?open notes?\b|\bhealers?\b|\bdesks?\b"
    r"|\bone door\b|\bkeeps? house\b|\bcouriers?\b|\bclerks?\b",
    re.IGNORECASE,
)
"""Metaphors, where the field has terms: ingress, metadata, in-flight notes, recovery, sessions, entry point."""


@pytest.mark.parametrize("document", PROSE, ids=name_of)
def test_words_are_those_of_the_field(document: Path) -> None:
    prose = re.sub(r"`[^`]*`|\]\([^)]*\)", "", without_blocks(document.read_text()))
    assert WORDS.findall(prose) == []


def test_words_of_programs_are_those_of_the_field() -> None:
    programs = [
        *SOURCE.rglob("*.py"),
        *SOURCE.rglob("*.po"),
        *ROOT.glob("plugins/*/src/**/*.py"),
        *ROOT.glob("plugins/*/src/**/*.po"),
    ]
    programs += [ROOT / "pyproject.toml", ROOT / "build.sh"]
    assert len(programs) > 100
    assert {name_of(one): found for one in programs if (found := WORDS.findall(one.read_text()))} == {}
