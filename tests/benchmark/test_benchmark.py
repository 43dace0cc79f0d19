"""That the benchmark runs and writes what it promises; what it measures is judged by people."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_quick_case_prints_its_table_and_writes_json(tmp_path: Path) -> None:
    report = tmp_path / "made" / "benchmark.json"
    command = [sys.executable, "-m", "tests.benchmark", "--quick", "--only", "start-up", "--json", str(report)]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 0, ended.stderr
    head, _, *lines = ended.stdout.splitlines()
    assert [cell.strip() for cell in head.split("|")][:2] == ["what", "measured"]
    assert len(lines) == 1
    document = json.loads(report.read_text())
    assert document["environment"]["quick"] is True
    (row,) = document["rows"]
    assert row["what"] == "start → first SMS out"
    assert row["unit"] == "s"
    assert row["measured"] > 0
    assert isinstance(row["met"], bool)
