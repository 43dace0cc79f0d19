"""`otppi admin`: what it prints, asks for and refuses; the rules themselves are tested with the operations."""

import getpass
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyotp
import pytest

from otppi.host.settings.password_hash import is_password

Cli = Callable[..., Any]
GOOD = "kuda makan batu hijau"


class Keyboard(io.StringIO):
    """A stdin at which a person sits."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def budi(otppi: Cli, data: Path) -> None:
    added = otppi("admin", "add", "budi", "--password-stdin", "--phone", "0812", stdin=f"{GOOD}\nmore\n")
    assert (added.code, added.out) == (0, "budi may log in to the administration now, as administrator\n")


def test_an_administrator_by_the_command_line(otppi: Cli, budi: None) -> None:
    (kept,) = otppi("settings", "export", "--secrets").json["administrators"]
    assert is_password(kept["password_hash"], GOOD)
    assert "password" not in kept
    done = otppi("admin", "edit", "budi", "--new-username", "budiman", "--phone", "", "--preferred-language", "id")
    assert done.out == "budi is changed\n"
    assert otppi("admin", "list", "--json").json == [
        {
            "username": "budiman",
            "role": "administrator",
            "active": True,
            "blocked": False,
            "second_factor": False,
            "recovery_codes": 0,
            "phone": "",
            "email": "",
            "language": "id",
        }
    ]
    assert otppi("admin", "list").out.startswith("ADMINISTRATOR  ROLE ")


@pytest.mark.parametrize("command", ["remove", "block", "deactivate"])
def test_the_last_one_stays(otppi: Cli, budi: None, command: str) -> None:
    refused = otppi("admin", command, "budi")
    assert refused.code == 2
    assert "one administrator has to stay" in refused.err
    refused = otppi("--language", "id", "admin", command, "budi")
    assert "harus tetap ada satu administrator" in refused.err


def test_what_can_be_done_to_others(otppi: Cli, budi: None) -> None:
    document = {"administrators": [{"username": "budi"}, {"username": "rina", "password": "made up one"}]}
    document["administrators"][0]["role"] = "administrator"
    assert otppi("settings", "import", "-", stdin=json.dumps(document)).code == 0
    for command, says in (
        ("deactivate", "rina is not active"),
        ("activate", "rina is active"),
        ("block", "rina is blocked"),
        ("unblock", "rina is not blocked"),
        ("remove", "rina is removed"),
    ):
        done = otppi("admin", command, "rina")
        assert (done.code, done.out) == (0, f"{says}\n")
    gone = otppi("admin", "remove", "rina")
    assert (gone.code, gone.err) == (2, "otppi: username: there is no administrator 'rina'\n")


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["rina"], "", "password: give it with --password-stdin"),
        (["rina", "--password-stdin"], "\n", "password: is empty"),
        (["rina", "--password-stdin"], "short\n", "password: must be at least 10 characters long"),
        (["rina", "--password-stdin"], "qwertyuiop12\n", "one of the passwords that are used most"),
        (["budi", "--password-stdin"], f"{GOOD}\n", "username: is used already"),
        (["rina", "--role", "emperor"], "", "invalid choice"),
    ],
)
def test_who_cannot_be_added(otppi: Cli, budi: None, arguments: list[str], stdin: str, says: str) -> None:
    result = otppi("admin", "add", *arguments, stdin=stdin)
    assert result.code == 2
    assert says in result.err
    assert [one["username"] for one in otppi("admin", "list", "--json").json] == ["budi"]


def test_a_new_password_is_typed_twice(otppi: Cli, budi: None, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter([GOOD, "another", "sepeda biru di atas awan", "sepeda biru di atas awan"])
    monkeypatch.setattr(getpass, "getpass", lambda _: next(typed))
    assert otppi("admin", "password", "budi", stdin=Keyboard()).err == "otppi: password: the two are not the same\n"
    done = otppi("admin", "password", "budi", stdin=Keyboard())
    assert (done.code, done.out) == (0, "budi has a new password\n")
    (kept,) = otppi("settings", "export", "--secrets").json["administrators"]
    assert is_password(kept["password_hash"], "sepeda biru di atas awan")


def test_two_step_login_on_and_off(otppi: Cli, budi: None) -> None:
    secret = pyotp.random_base32(length=32)
    wrong = otppi("admin", "totp-on", "budi", stdin=f"{secret}\n12345\n")
    assert wrong.code == 2
    assert "code: is not the present code" in wrong.err
    done = otppi("admin", "totp-on", "budi", stdin=f"{secret}\n{pyotp.TOTP(secret).now()}\n")
    assert done.code == 0
    assert len(done.out.splitlines()) == 12
    assert "shown this once" in done.out
    codes = otppi("admin", "recovery-codes", "budi", "--json").json["recovery_codes"]
    assert len(codes) == 10
    assert secret not in otppi("settings", "show", "--json").out
    assert otppi("admin", "list", "--json").json[0]["second_factor"] is True
    assert otppi("admin", "totp-off", "budi").out == "budi logs in by the password alone now\n"
    off = otppi("admin", "totp-off", "budi")
    assert (off.code, off.err) == (1, "otppi: the two-step login of budi is off\n")
    assert otppi("admin", "recovery-codes", "budi").code == 2


def test_a_person_is_shown_the_secret_and_asked_for_the_code(
    otppi: Cli, budi: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []

    def code(prompt: str) -> str:
        shown.append(capsys.readouterr().out)
        assert prompt == "Code that the app shows: "
        totp = pyotp.parse_uri(next(word for word in shown[0].split() if word.startswith("otpauth://")))
        assert isinstance(totp, pyotp.TOTP)
        assert totp.secret in shown[0].splitlines()[0]
        return totp.now()

    monkeypatch.setattr("builtins.input", code)
    done = otppi("admin", "totp-on", "budi", stdin=Keyboard())
    assert (done.code, done.err) == (0, "")
    assert "recovery codes of budi" in done.out


def test_the_code_of_the_device(otppi: Cli, data: Path) -> None:
    first = otppi("admin", "code")
    assert first.code == 0
    code, words = first.out.splitlines()
    assert "has no administrator yet" in words
    assert otppi("admin", "code", "--json").json == {"code": code, "state": "open"}
    assert otppi("admin", "add", "budi", "--password-stdin", stdin=f"{GOOD}\n").code == 0
    assert otppi("admin", "code").out.splitlines() == [
        code,
        "the device has an administrator: the code is of no use until it is reset",
    ]
    (entry,) = [one for one in otppi("audit", "--json").json if one["operation"] == "administrator_add"]
    assert (entry["subject"], entry["outcome"]) == ("budi", "done")
    assert GOOD not in otppi("audit", "--json").out
