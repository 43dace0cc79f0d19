"""The twin's root, and a twin that has booted once for all tests of a file; how it is where a test fails."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.image.builds import built
from tests.image.twin.twin import Twin


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell of a test that failed how its device was: with the twin goes all that could be looked at."""
    report = yield
    if report.failed:
        devices = getattr(item, "funcargs", {}).values()
        report.sections += [("the twin", one.tell()) for one in devices if isinstance(one, Twin)]
    return report


@pytest.fixture(scope="session")
def image() -> Path:
    """The folder with the twin's root and what is told of it."""
    return built("amd64")


@pytest.fixture(scope="module")
def twin(image: Path) -> Iterator[Twin]:
    """A device that nobody has personalised, after its first boot."""
    with Twin(image / "root") as device:
        assert device.boot() == "running", device.tell()
        yield device


@pytest.fixture
def new_twin(image: Path) -> Iterator[Twin]:
    """A device that was never switched on."""
    with Twin(image / "root") as device:
        yield device
