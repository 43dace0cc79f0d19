"""The pictures of the documents can still be taken, and are those that the documents have."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.architecture.test_pictures import LARGEST
from tests.browser.pictures import PICTURES, device_with_data, take


def test_the_pictures_of_the_documents_can_be_taken_anew(browser: Browser, tmp_path: Path) -> None:
    """If this fails for another reason than a page: .venv/bin/python -m tests.browser.pictures."""
    taken = tmp_path / "taken"
    taken.mkdir()
    with device_with_data(tmp_path) as device:
        take(browser, device, taken)
    sizes = {one.name: one.stat().st_size for one in taken.iterdir()}
    assert sorted(sizes) == sorted(one.name for one in PICTURES.iterdir())
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
