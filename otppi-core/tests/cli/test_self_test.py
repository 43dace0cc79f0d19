"""`otppi self-test`, and `otppi update` where no card image is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.modem import PhoneMessage

Cli = Callable[..., Any]


def test_a_message_is_sent_and_nothing_is_left(otppi: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otppi.cli.self_test._RAM", str(tmp_path))
    told = otppi("self-test", "--json")
    assert (told.code, told.json) == (0, {"sent": True})
    assert list(tmp_path.iterdir()) == []


def test_one_that_does_not_arrive_is_a_failure(otppi: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from otppi_modem_simulated.modem import SimulatedModem

    def nothing(_self: SimulatedModem) -> list[PhoneMessage]:
        return []

    monkeypatch.setattr(SimulatedModem, "phone", nothing)
    told = otppi("self-test")
    assert told.code == 1
    assert "did not arrive" in told.err


def test_updates_are_for_the_card_image(otppi: Cli, gateway: Any, tmp_path: Path) -> None:
    told = otppi("update", "status", "--data", gateway.data)
    assert told.code == 0
    assert "no card image" in told.out
    bundle = tmp_path / "x.bundle"
    bundle.write_bytes(b"x")
    for what in (bundle, "rollback"):
        told = otppi("update", what, "--data", gateway.data)
        assert told.code == 1
        assert "no card image" in told.err
    told = otppi("update", tmp_path / "gone", "--data", gateway.data)
    assert told.code == 2
    assert "No such file" in told.err
