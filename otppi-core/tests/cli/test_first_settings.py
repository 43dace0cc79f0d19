"""`otppi run --first-settings` and `otppi settings check`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.waiting import until

QUIET = {"ingress-rest": {"http_enable": False, "https_enable": False}}
Start = Callable[..., Any]


def written(path: Path, document: object) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def test_a_device_comes_with_settings_and_tells_what_is_wrong_with_them(
    start: Start, otppi: Any, tmp_path: Path
) -> None:
    image = written(tmp_path / "image.json", {"sms": {"country_code": "60", "report_months": 3}, "webhook": {"no": 1}})
    base = written(tmp_path / "base.json", {"sms": {"country_code": "60", "report_months": 4}})
    own = written(tmp_path / "data" / "first-settings.json", {"sms": {"country_code": "65"}})
    options = [f"--first-settings={one}" for one in (image, base, tmp_path / "none.json", own)]
    gateway = start(*options, document=QUIET)
    gateway.wait_for("the gateway runs")
    sms = otppi("settings", "show", "sms", "--json", "--data", gateway.data).json["sms"]
    assert (sms["country_code"], sms["report_months"]) == ("65", 4)
    assert not own.exists()
    told = f"the settings that came with the card ({image}) were not taken: webhook.no: is not a setting"
    assert told in otppi("status", "--json", "--data", gateway.data).json["warnings"]
    assert told in otppi("doctor", "--data", gateway.data).out
    assert f"{image} was not taken: webhook.no" in "".join(gateway.log)


def test_after_a_restart_they_are_looked_at_again_and_taken_where_there_are_no_settings(
    start: Start, otppi: Any, tmp_path: Path
) -> None:
    """As after a reset, which has the gateway restart; a plain restart takes nothing."""
    first = written(tmp_path / "first.json", {"sms": {"country_code": "65"}})
    gateway = start(f"--first-settings={first}", document=QUIET)
    gateway.wait_for("the gateway runs")
    assert otppi("settings", "set", "sms.country_code", "60", "--data", gateway.data).code == 0

    def restart(times: int) -> str:
        assert otppi("restart", "--data", gateway.data).code == 0
        until(lambda: "".join(gateway.log).count("the gateway runs") == times, "it runs again")
        return str(otppi("settings", "show", "sms", "--json", "--data", gateway.data).json["sms"]["country_code"])

    assert restart(2) == "60"
    for name in ("settings.json", "settings.json.bak", "settings.claimed"):
        (gateway.data / name).unlink()
    assert restart(3) == "65"


def test_in_safe_mode_they_wait(start: Start, tmp_path: Path) -> None:
    own = written(tmp_path / "data" / "first-settings.json", {"ingress-rest": {"http_port": 1}})
    gateway = start(f"--first-settings={own}", "--safe-mode")
    gateway.wait_for("not looked at in safe mode")
    gateway.wait_for("the gateway runs")
    assert own.exists()


def test_documents_are_checked_where_there_is_no_device(
    otppi: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTPPI_DATA", str(tmp_path / "none"))
    good = written(tmp_path / "good.json", {"sms": {"country_code": "62"}, "administration": {"access_point": "wlan0"}})
    wrong = written(tmp_path / "wrong.json", {"sms": {"country_code": "x"}, "nowhere": {}})
    assert otppi("settings", "check", good).out == "all of it can be used\n"
    found = otppi("settings", "check", good, wrong)
    assert (found.code, found.out) == (2, "")
    assert f"{wrong}: sms.country_code: is not a country code" in found.err
    assert f"{wrong}: nowhere: is not a section" in found.err
    found = otppi("settings", "check", good, wrong, "--json")
    assert found.code == 2
    first, second = found.json
    assert first == {"file": str(good), "problems": []}
    assert [one["field"] for one in second["problems"]] == ["sms.country_code", "nowhere"]
    assert not (tmp_path / "none").exists()


def test_a_document_from_stdin_is_checked(otppi: Any) -> None:
    assert otppi("settings", "check", "-", stdin='{"sms": {}}').code == 0
    assert otppi("settings", "check", "-", stdin="{").code == 2
    assert otppi("settings", "check", "/nowhere/at/all.json").code == 2
