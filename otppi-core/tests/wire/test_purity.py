"""The protocol floor stays pure: no module of it may reach for a port, a thread, the clock or a log."""

import ast
from pathlib import Path

import pytest

import otppi.wire

FORBIDDEN = {
    "logging",
    "multiprocessing",
    "os",
    "queue",
    "select",
    "serial",
    "socket",
    "subprocess",
    "threading",
    "time",
}
MODULES = sorted(Path(next(iter(otppi.wire.__path__))).glob("*.py"))


def imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_a_module_imports_no_io_and_no_other_floor(module: Path) -> None:
    names = imported(module.read_text(encoding="utf-8"))
    assert not FORBIDDEN & {name.partition(".")[0] for name in names}
    assert all(name.startswith(("otppi.wire", "otppi.text")) for name in names if name.partition(".")[0] == "otppi")


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 10
