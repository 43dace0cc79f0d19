"""The product does the same under `python -OO`, which leaves out what `assert` says, and docstrings."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "otppi-core/src", *ROOT.glob("plugins/*/src")]
WITHOUT_EFFECT = {"isinstance", "len", "bool"}


def product() -> dict[str, ast.Module]:
    paths = [path for source in SOURCES for path in source.rglob("*.py")]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in paths if "testing" not in path.parts}


def test_no_docstring_is_read_at_run_time() -> None:
    for name, tree in product().items():
        for node in ast.walk(tree):
            assert not (isinstance(node, ast.Attribute) and node.attr == "__doc__"), f"{name}:{node.lineno}"
            assert not (isinstance(node, ast.Name) and node.id == "__doc__"), f"{name}:{node.lineno}"
            assert getattr(getattr(node, "func", None), "attr", "") not in ("getdoc", "cleandoc"), name


def test_no_assertion_does_anything() -> None:
    seen = 0
    for name, tree in product().items():
        for assertion in (node for node in ast.walk(tree) if isinstance(node, ast.Assert)):
            seen += 1
            effects = [node for node in ast.walk(assertion) if isinstance(node, ast.Call | ast.NamedExpr | ast.Await)]
            called = {getattr(getattr(one, "func", one), "id", "?") for one in effects}
            assert called <= WITHOUT_EFFECT, f"{name}:{assertion.lineno}"
    assert seen
