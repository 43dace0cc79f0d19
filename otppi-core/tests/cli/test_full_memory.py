"""A modem whose memory is full of messages to be sent, with a gateway that runs (matrix-appservice-sms#12)."""

from collections.abc import Callable
from typing import Any

import pytest

from otppi.testing.scripted import until

Cli = Callable[..., Any]
FULL = {"name": "m 0", "type": "simulated", "network_time": 0.0, "faults": ["storage-full-unsent"]}


def test_it_is_told_and_cleared(start: Callable[..., Any], otppi: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = start(document={"modems": [FULL], "ingress-rest": {"http_enable": False, "https_enable": False}})
    gateway.wait_for("modem m 0 is ready")
    monkeypatch.setenv("OTPPI_DATA", str(gateway.data))
    until(lambda: "its memory SM is full (20 messages)" in otppi("status").out)
    found = [one for one in otppi("doctor", "--json").json["checks"] if "its memory SM is full" in one["text"]]
    assert [one["level"] for one in found] == ["warning"]
    assert "otppi modem clear-memory 'm 0'" in found[0]["text"]
    assert otppi("modem", "clear-memory", "m 0", "--json").json == {"modem_id": "m 0", "cleared": 20}
    until(lambda: "is full" not in otppi("status").out)
    assert otppi("modem", "clear-memory", "m 0").out == "0 messages to be sent were deleted\n"
    assert otppi("modem", "clear-memory", "nobody").code == 2
