"""What is made of the declarations of operations is up to date: the reference, and what commands are made from."""

from pathlib import Path

import pytest

from otppi.api.operations import Operation
from otppi.cli.generated import TABLE
from otppi.cli.operations import known, reference, table

ROOT = Path(__file__).parents[2]


def test_the_reference_of_operations_is_that_of_the_declarations() -> None:
    """If this fails: .venv/bin/otppi operations > docs/operations.md."""
    assert (ROOT / "docs/operations.md").read_text() == reference(known()) + "\n"


def test_commands_are_made_from_the_declarations() -> None:
    """If this fails: .venv/bin/python -c "from otppi.cli.operations import write_table; write_table()"."""
    assert TABLE.read_text() == table()


@pytest.mark.parametrize("operation", known(), ids=lambda one: one.name)
def test_every_operation_is_told_of_whole(operation: Operation) -> None:
    page = (ROOT / "docs/operations.md").read_text().split(f"## `{operation.name}`: ")[1].split("\n## ")[0]
    assert page.startswith(operation.title)
    assert " ".join(operation.help.split()) in " ".join(page.split())
    assert f"role {operation.role}" in page.lower()
    assert all(f"| `{one.key}` |" in page for one in operation.parameters)
    assert not operation.command or f"`otppi {operation.command}`" in page
