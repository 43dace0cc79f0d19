"""A name stands for one class: no two public classes of one distribution have the same name."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = [ROOT / "otppi-core", *sorted((ROOT / "plugins").glob("otppi-*"))]


def homonyms(source: Path) -> dict[str, list[str]]:
    """Return the files of each public class, at the top of a module, whose name another one has too."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(source.rglob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(file.relative_to(source)))
    return {name: files for name, files in found.items() if len(files) > 1}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=lambda one: one.name)
def test_no_two_public_classes_have_one_name(distribution: Path) -> None:
    assert homonyms(distribution / "src") == {}


def test_two_of_one_name_are_found(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / f"{name}.py").write_text("class Plan:\n    pass\n\n\nclass _Own:\n    pass\n")
    assert homonyms(tmp_path) == {"Plan": ["one.py", "other.py"]}
