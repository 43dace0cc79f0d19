"""The table of metrics in the documentation is that of the code."""

from otppi.api.metrics import METRICS
from tests.architecture.documents import ROOT


def test_the_table_of_metrics() -> None:
    """If this fails: its message has the rows of docs/metrics.md."""
    rows = [
        f"| `{one.name}` | {one.kind.value} | {', '.join(f'`{label}`' for label in one.labels)} | {one.help} |"
        for one in METRICS
    ]
    table = (ROOT / "docs/metrics.md").read_text().split("| metric | kind | labels | what it is |\n")[1]
    assert table.splitlines()[1 : len(rows) + 2] == [*rows, ""]
