"""`otppi reset`, where no gateway runs: what is asked, and what is gone then."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def _users(otppi: Cli) -> list[str]:
    return [one["username"] for one in json.loads(otppi("user", "list", "--json").out)]


@pytest.fixture
def used(otppi: Cli, data: Path) -> Path:
    assert otppi("user", "add", "app", "--password-stdin", stdin="a long password of the app\n").code == 0
    assert otppi("block", "add", "081234567890").code == 0
    return data


def test_what_there_is(otppi: Cli, used: Path) -> None:
    parts = otppi("reset", "parts")
    assert parts.code == 0
    assert "api_user" in parts.out
    assert "the blocking list" in parts.out
    status = otppi("reset")
    assert status.code == 0
    assert "last_by" in status.out
    assert json.loads(otppi("reset", "status", "--json").out)["last_at"] is None


def test_a_dry_run_changes_nothing(otppi: Cli, used: Path) -> None:
    told = otppi("reset", "groups", "api_user", "--dry-run")
    assert told.code == 0
    assert told.out.strip()
    assert _users(otppi) == ["app"]


def test_nobody_is_there_to_be_asked(otppi: Cli, used: Path) -> None:
    refused = otppi("reset", "groups", "api_user")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert _users(otppi) == ["app"]


@pytest.mark.parametrize("typed", ["no\n", "\n", "y\n"])
def test_who_does_not_say_yes(otppi: Cli, used: Path, typed: str) -> None:
    assert otppi("reset", "groups", "api_user", stdin=Terminal(typed)).code == 2
    assert _users(otppi) == ["app"]


@pytest.mark.parametrize("typed", ["yes\n", "YES\n"])
def test_who_says_yes(otppi: Cli, used: Path, typed: str) -> None:
    done = otppi("reset", "groups", "api_user", "blocking", stdin=Terminal(typed))
    assert done.code == 0
    assert "it is reset" in done.out
    assert _users(otppi) == []
    assert "6281234567890" not in otppi("block", "list").out
    assert json.loads(otppi("reset", "status", "--json").out)["waits"]["groups"] == ["api_user", "blocking"]


def test_in_a_script(otppi: Cli, used: Path) -> None:
    assert otppi("reset", "groups", "--wipe-secrets", "--yes").code == 0
    assert {one.name for one in used.iterdir()} <= {
        "device-code", "reset.journal", "settings.json", "settings.json.bak", "settings.claimed", "audit", "control",
    }  # fmt: skip
    assert _users(otppi) == []


def test_parts_that_there_are_not(otppi: Cli, used: Path) -> None:
    refused = otppi("reset", "groups", "nonsense", "--yes")
    assert refused.code == 2
    assert "there is no such part" in refused.err
