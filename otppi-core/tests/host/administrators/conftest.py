from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otppi.testing.accounts import AccountsBench


@pytest.fixture
def make_device(tmp_path: Path, no_leaks: None) -> Iterator[Callable[[], AccountsBench]]:
    """Make a device on the same folder: closed and made again, it has started again."""
    made: list[AccountsBench] = []

    def make() -> AccountsBench:
        if made:
            made[-1].close()
        made.append(AccountsBench(tmp_path))
        return made[-1]

    yield make
    if made:
        made[-1].close()


@pytest.fixture
def device(make_device: Callable[[], AccountsBench]) -> AccountsBench:
    return make_device()
