"""A method's name says one thing: no words that can mean anything, and terms of a protocol mean what it says."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from tests.architecture.test_class_names import DISTRIBUTIONS

VAGUE = {"take", "use", "do", "handle", "left"}
"""Ten classes had ten meanings of `take`: a name says what is done, as `enqueue`, `consume`, `configure`, `pop`."""
TERMS = {
    # A broker's delivery comes to its end: acknowledged, rejected or given back (AMQP 1.0, 3.4).
    "settle": {"Intake", "ListSource", "Source", "StreamSource"},
    # A delivery is read and submitted.
    "consume": {"Consumer", "Intake"},
    # A message is given to an egress's queue.
    "enqueue": {"Dispatch", "DispatchBench"},
    # Segments that went out are counted for quotas.
    "charge": {"Account"},
    # Files are put in order after a power cut.
    "repair": {"AtomicStorage", "Blocklist", "BlocklistFile", "Store"},
    # The modem's answers are those of the commands again.
    "synchronise": {"AtChannel", "Line"},
    # A connection is kept: made again whenever it ends.
    "keep": {"Link"},
}
"""Names with one meaning, and the classes of all distributions that have such a public method."""
GIVEN = {"_Handler.handle"}
"""Methods that a library calls by these names."""


def methods(sources: list[Path]) -> dict[str, set[str]]:
    """Return the classes that have a method, by the method's name."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in (file for source in sources for file in source.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                names = [one.name for one in node.body if isinstance(one, ast.FunctionDef)]
                for name in names:
                    if f"{node.name}.{name}" not in GIVEN:
                        found[name].add(node.name)
    return found


@pytest.fixture(scope="module")
def found() -> dict[str, set[str]]:
    """Return the classes that have a method in any distribution, by the method's name."""
    return methods([one / "src" for one in DISTRIBUTIONS])


def test_no_method_has_a_name_that_means_anything(found: dict[str, set[str]]) -> None:
    assert {name: found[name] for name in found if name.removeprefix("_") in VAGUE} == {}


def test_a_term_is_a_method_of_those_that_mean_it(found: dict[str, set[str]]) -> None:
    assert {name: found[name] for name in TERMS} == TERMS


def test_methods_are_found(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("class Queue:\n    def take(self): ...\n\n    def _keep(self): ...\n")
    assert methods([tmp_path]) == {"take": {"Queue"}, "_keep": {"Queue"}}
