"""What a docstring says is raised can be raised there: an error of Python's, or one that the module can know of."""

import ast
import builtins
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted([ROOT / "otppi-core/src", *ROOT.glob("plugins/*/src")])
_ENTRY = re.compile(r"([A-Z_a-z][\w.]*(?:, [A-Z_a-z][\w.]*)*): ")


@cache
def modules() -> dict[str, ast.Module]:
    """Parse every module of the repository, by its dotted name."""
    found = {}
    for source in SOURCES:
        for path in source.rglob("*.py"):
            parts = path.relative_to(source).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text())
    return found


def imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield what a module imports, wherever it does: module, and the name that it has then."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.module, alias.asname or alias.name
                yield f"{node.module}.{alias.name}", alias.asname or alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, (alias.asname or alias.name).partition(".")[0]


@cache
def known(name: str) -> frozenset[str]:
    """Return the modules that one imports, and what those import; those beside it, and the API's errors."""
    beside = {other for other in modules() if other.rpartition(".")[0] == name.rpartition(".")[0]}
    found, todo = beside | {name, "otppi.api.errors"}, [name]
    while todo:
        for module, _ in imports(modules()[todo.pop()]):
            if module in modules() and module not in found:
                found.add(module)
                todo.append(module)
    return frozenset(found)


@cache
def classes(name: str) -> frozenset[str]:
    return frozenset(node.name for node in ast.walk(modules()[name]) if isinstance(node, ast.ClassDef))


def raised(docstring: str) -> Iterator[str]:
    """Yield the names of a docstring's section `Raises:`."""
    _, section, rest = docstring.partition("\nRaises:\n")
    for line in rest.split("\n") if section else ():
        if line and not line.startswith("    "):
            return
        if entry := _ENTRY.match(line.removeprefix("    ")):
            yield from entry[1].split(", ")


def unknown(name: str) -> Iterator[str]:
    """Yield the errors that a module's docstrings name, and that it cannot know of."""
    tree = modules()[name]
    own = {bound for _, bound in imports(tree)}
    own |= {
        node.targets[0].id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for error in raised(ast.get_docstring(node) or ""):
                if error.partition(".")[0] in own or hasattr(builtins, error):
                    continue
                if not any(error in classes(other) for other in known(name)):
                    yield f"{name}: {error}"


def test_what_is_raised_is_there() -> None:
    assert len(modules()) > 200
    assert [one for name in sorted(modules()) for one in unknown(name)] == []


@pytest.mark.parametrize(
    ("docstring", "names"),
    [
        ("Do.\n\nRaises:\n    OSError: It is full,\n        and: so on.\n    A, b.C: Both.\n", ["OSError", "A", "b.C"]),
        ("Do.\n\nReturns:\n    OSError: as a value\n", []),
    ],
)
def test_the_names_are_read(docstring: str, names: list[str]) -> None:
    assert list(raised(docstring)) == names
