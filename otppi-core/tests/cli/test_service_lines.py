"""What `otppi status` says of services: those of plugins, and the gateway's own where they failed."""

from typing import Any

import pytest

from otppi.cli import language
from otppi.cli.status import service_table

BLOCKED = "blocked until its settings are changed"


def service(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "state": "running", "failures": 0, "last_error": None, "about": {}} | values


def test_the_gateways_own_have_no_line_while_they_run() -> None:
    assert service_table([service("webhook", about={"server": ""}), service("inbox")]) == []


def test_those_of_plugins_say_how_they_are() -> None:
    empty, head, row = service_table([service("service lamp", about={"lamp": "on"})])
    assert (empty, head.split(), row) == ("", ["SERVICE", "STATE", "NOW"], "service lamp  running  lamp on")


def test_one_that_failed_has_a_line() -> None:
    failed = service("webhook", failures=2, last_error="a bug")
    _, _, again = service_table([failed])
    assert again == "webhook  running  failed 2 times, last with a bug"
    _, _, once = service_table([failed | {"failures": 1}])
    assert once == "webhook  running  failed 1 time, last with a bug"
    _, _, blocked = service_table([failed | {"state": BLOCKED}])
    assert f"webhook  {BLOCKED}  failed" in blocked


def test_in_indonesian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_current", "id")
    _, head, row = service_table([service("webhook", failures=2, last_error="a bug", state=BLOCKED)])
    assert head.split() == ["LAYANAN", "KEADAAN", "SEKARANG"]
    assert "terhalang sampai pengaturannya diubah" in row
    assert "gagal 2 kali, terakhir dengan a bug" in row
    assert BLOCKED not in row
