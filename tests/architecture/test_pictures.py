"""Pictures of documents are there, small, and said in words for those who do not see them."""

import re
from pathlib import Path

from tests.architecture.documents import DOCUMENTS, ROOT, name_of, without_code

LARGEST = 40_000
"""Octets of a picture: each clone of the repository has all of them, in all their versions."""
SHORTEST = 20
"""Characters of the words for it."""


def shown() -> list[tuple[Path, str, str]]:
    """Return of each picture the document, its words, and what is linked to."""
    found = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
    return [(one, words, target) for one in DOCUMENTS for words, target in found.findall(without_code(one.read_text()))]


def test_each_picture_of_a_document_is_there_and_small() -> None:
    files = {(document.parent / target).resolve() for document, _, target in shown()}
    assert len(files) >= 5
    assert sorted(name_of(one) for one in files if not one.is_file()) == []
    assert {name_of(one): one.stat().st_size for one in files if one.stat().st_size > LARGEST} == {}


def test_each_picture_is_said_in_words() -> None:
    assert [(name_of(document), target) for document, words, target in shown() if len(words) < SHORTEST] == []


def test_each_picture_that_is_kept_is_shown() -> None:
    files = {(document.parent / target).resolve() for document, _, target in shown()}
    assert sorted(name_of(one) for one in (ROOT / "docs/screens").iterdir() if one not in files) == []
