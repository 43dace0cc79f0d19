"""What `otppi status` and `otppi modem list` say of modems that were, or are to be, cured."""

from typing import Any

import pytest

from otppi.api.errors import AuthenticationFailed
from otppi.api.modem import RecoveryStep
from otppi.cli import language
from otppi.cli.output import moment
from otppi.cli.status import _logins, modem_table, recovery_lines
from otppi.host.logins.login_log import REASONS, LoginLog

STEPS = {"re-initialise": 0, "radio": 0, "reset": 0, "power": 0}
HEALTHY: dict[str, Any] = {"modem_id": "m0", "recoveries": STEPS, "last_recovery": None, "next_step": None}


def test_a_modem_that_was_never_ill_has_no_line() -> None:
    assert recovery_lines([HEALTHY]) == []


def test_what_was_done_and_what_comes_next_is_told() -> None:
    taken = {"recoveries": STEPS | {"re-initialise": 5, "radio": 1}}
    last = {"last_recovery": {"step": "radio", "at": 1_000, "cause": "no network: searching"}}
    planned = {"next_step": {"step": "reset", "at": 2_000}}
    done = f"re-initialise 5, radio 1; last radio at {moment(1_000)}: no network: searching"
    assert recovery_lines([HEALTHY | taken | last]) == [f"modem m0: {done}"]
    next_one = f"next reset, not before {moment(2_000)}"
    assert recovery_lines([HEALTHY | taken | last | planned]) == [f"modem m0: {done}; {next_one}"]
    assert recovery_lines([HEALTHY | planned]) == [f"modem m0: nothing yet; {next_one}"]


def test_the_steps_are_said_in_indonesian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_current", "id")
    taken = {"recoveries": dict.fromkeys(RecoveryStep, 1)}
    last = {"last_recovery": {"step": "reset", "at": 1_000, "cause": "-"}}
    planned = {"next_step": {"step": "power", "at": 2_000}}
    (line,) = recovery_lines([HEALTHY | taken | last | planned])
    assert line.startswith("modem m0: inisialisasi ulang 1, radio 1, mulai ulang 1, daya 1; terakhir mulai ulang pada ")
    assert "daya, tidak sebelum" in line


def test_why_logins_failed_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    log = LoginLog()
    log.failed(AuthenticationFailed(""), "app", "10.0.0.1")
    log.token_failed("10.0.0.1")
    (line,) = _logins("failed logins", log.describe())
    assert line.startswith("failed logins: wrong 1, token 1; last from 10.0.0.1 at ")
    monkeypatch.setattr(language, "_current", "id")
    (line,) = _logins("failed logins", {"failed": dict.fromkeys(REASONS, 2), "last": log.describe()["last"]})
    assert "salah 2, terlalu sering 2, tidak sempat diperiksa 2, token 2" in line


def test_a_limit_is_the_detail_of_a_modem_that_works() -> None:
    used_up = {"modem_id": "m0", "state": "ready", "detail": "", "unusable": "daily quota is used up"}
    lost = {"modem_id": "m1", "state": "ready", "detail": "no network", "unusable": "daily quota is used up"}
    table = modem_table([used_up, lost], {"modem_id": "MODEM", "detail": "DETAIL"})
    assert [line.split(maxsplit=1)[1] for line in table[1:]] == ["daily quota is used up", "no network"]
