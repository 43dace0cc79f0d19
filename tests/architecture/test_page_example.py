"""The page of docs/plugins.md does what the page says."""

import importlib.metadata
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.api.operations import Role
from otppi.host.core import load_plugins
from otppi.host.runtime.entry_points import installed
from otppi.testing.admin import walk
from otppi.testing.site import Site
from otppi.testing.waiting import until
from tests.architecture.documents import ROOT

LONGEST = 40


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[importlib.metadata.EntryPoint]:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/plugins.md").read_text(), re.DOTALL)
    (source,) = [one for one in blocks if "def otppi_admin_pages" in one]
    assert sum(map(bool, source.splitlines())) <= LONGEST
    (tmp_path / "stock_of_the_docs.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.metadata.EntryPoint("stock", "stock_of_the_docs", "otppi")
    sys.modules.pop("stock_of_the_docs", None)


def test_the_page_of_the_stock(example: importlib.metadata.EntryPoint, tmp_path: Path) -> None:
    plugins = load_plugins([*installed("otppi"), example])
    assert (plugins.status[-1].error, plugins.status[-1].offers) == (
        None,
        ("operation sim_stock_top_up", "page sim-stock"),
    )
    walk(plugins.pages["sim-stock"], answers={"ussd": {"text": "Done."}})
    site = Site(tmp_path / "site", claimed=True, plugins=plugins)
    try:
        browser = site.inside(Role.OPERATOR)
        until(lambda: "m0 Simulated 0 Top up" in browser.get("/pages/sim-stock").words, "the modem has registered")
        assert "SIM cards are idle" not in browser.get("/").words
        assert "This costs money." in browser.post("/pages/sim-stock/sim_stock_top_up", {"modem": "m0"}).words
        done = browser.post("/pages/sim-stock/sim_stock_top_up", {"modem": "m0", "_confirmed": "1"})
        assert done.status == 200, done.words
    finally:
        site.close()
    assert plugins.operations["sim_stock_top_up"].command == "sim-stock top-up"
