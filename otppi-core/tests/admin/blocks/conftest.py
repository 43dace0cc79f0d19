"""Plugins that are really installed: a module, and the metadata that the gateway finds it by."""

import sys
from collections.abc import Callable, Iterator

import pytest

Install = Callable[[str, str], None]


@pytest.fixture(scope="module")
def install(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Install]:
    """Return a function that installs a plugin by its name and source, for the tests of a file."""
    before = set(sys.modules)
    folder = tmp_path_factory.mktemp("installed")

    def put(name: str, source: str) -> None:
        module = f"otppi_{name.replace('-', '_')}_of_a_test"
        (folder / f"{module}.py").write_text(source)
        about = folder / f"otppi_{name}-1.2.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: otppi-{name}\nVersion: 1.2\n")
        (about / "entry_points.txt").write_text(f"[otppi]\n{name} = {module}\n")

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.syspath_prepend(str(folder))
        yield put
    for module in set(sys.modules) - before:
        if module.endswith("_of_a_test"):
            del sys.modules[module]
