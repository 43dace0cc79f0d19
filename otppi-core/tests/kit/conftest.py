import pytest


@pytest.fixture(autouse=True)
def _no_leaks(no_leaks: None) -> None:
    """No test leaves a thread or a file descriptor behind."""
