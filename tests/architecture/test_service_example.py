"""The service of docs/plugins.md does what the page says."""

import importlib.metadata
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.api.egress import Channel, EgressState
from otppi.api.events import EgressChanged
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.testing.waiting import until
from tests.architecture.documents import ROOT


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[importlib.metadata.EntryPoint]:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/plugins.md").read_text(), re.DOTALL)
    (source,) = [one for one in blocks if "def otppi_services" in one]
    (tmp_path / "lamp_of_the_docs.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.metadata.EntryPoint("lamp", "lamp_of_the_docs", "otppi")
    sys.modules.pop("lamp_of_the_docs", None)


def test_the_lamp_shines_while_an_egress_is_blocked(example: importlib.metadata.EntryPoint, tmp_path: Path) -> None:
    plugins = load_plugins([example])
    assert [(one.error, one.offers) for one in plugins.status] == [(None, ("section lamp", "service lamp"))]
    lamp, other = tmp_path / "lamp", tmp_path / "other"
    data = DataFolder(tmp_path / "data", plugins=plugins)
    data.config.update({"lamp": {"file": str(lamp)}})
    boot = tmp_path / "boot"
    boot.mkdir(mode=0o700)
    host = Host(data, boot)
    host.start()
    try:
        until(lambda: host.services.describe()["service lamp"]["state"] == "running")

        def shines(at: Path, state: EgressState, wanted: str) -> bool:
            host.events.publish(EgressChanged(Channel.SMS, "m0", state, ""))
            return at.exists() and at.read_text() == wanted

        until(lambda: shines(lamp, EgressState.BLOCKED, "1"))
        until(lambda: shines(lamp, EgressState.READY, "0"))
        host.apply(data.config.update({"lamp": {"file": str(other)}}))
        until(lambda: shines(other, EgressState.BLOCKED, "1"))
    finally:
        host.stop()
