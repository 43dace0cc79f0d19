"""The documents that are written by hand or generated, and how the tests read Markdown."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "otppi-core/src/otppi"
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(ROOT.glob("plugins/*/README.md")),
    ROOT / "otppi-core/README.md",
]
_FENCE = re.compile(r"^(?P<indent> *)```.*?^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)


def name_of(document: Path) -> str:
    """Return a document's path in the repository."""
    return str(document.relative_to(ROOT))


def without_blocks(text: str) -> str:
    """Return a document's text with its blocks of code empty; lines stay where they are."""
    return _FENCE.sub(lambda block: "\n" * block[0].count("\n"), text)


def without_code(text: str) -> str:
    """Return a document's text without its blocks of code, and without the code in its sentences."""
    return _CODE.sub("", without_blocks(text))


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives a document's headings."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
