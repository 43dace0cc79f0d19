"""No two packages of tests have the same name: pytest would take the modules of one for those of the other, and that
only in a run that collects both, as CI's does (`tests` of a plugin once hid the repository's own)."""

from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_package_of_tests_has_its_own_name() -> None:
    found = defaultdict(list)
    for folder in [ROOT / "tests", ROOT / "otppi-core/tests", *ROOT.glob("plugins/*/tests")]:
        for mark in folder.glob("**/__init__.py"):
            package = mark.parent
            if not (package.parent / "__init__.py").exists():
                found[package.name].append(str(package.relative_to(ROOT)))
    assert found["tests"] == ["tests"]
    assert not {name: places for name, places in found.items() if len(set(places)) > 1}
