"""`otppi ussd`, `otppi balance` and `otppi sim` with a gateway that runs."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from otppi.cli.ussd import _lines

Cli = Callable[..., Any]


class Terminal(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _on_its_folder(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTPPI_DATA", str(gateway.data))


def test_a_code(otppi: Cli) -> None:
    answer = otppi("ussd", "good", "*123#", "--json").json
    assert answer.pop("session")
    assert answer == {
        "response_code": "0000",
        "modem_id": "good",
        "state": "finished",
        "text": "Balance: 10000",
        "reply_wanted": False,
        "ussd_content": "Balance: 10000",
        "replyable": False,
    }
    assert otppi("ussd", "good", "*123#").out == "Balance: 10000\n"


def test_a_reply_by_a_script(otppi: Cli) -> None:
    menu = otppi("ussd", "good", "*100#")
    assert "1 Balance\n2 Packages\n(a reply is wanted: otppi ussd good REPLY --reply " in menu.out
    busy = otppi("ussd", "good", "*100#")
    assert busy.code == 4
    assert "command-line/administrator has a USSD session on good" in busy.err
    session = menu.out.split("--reply ")[1].strip(")\n")
    assert otppi("ussd", "good", "1", "--reply", session).out == "Balance: 10000\n"
    assert otppi("ussd", "good", "1", "--reply", session).code == 1
    assert otppi("ussd", "good", "--cancel", "--json").json == {"modem_id": "good", "changed": False}


def test_the_command_for_the_reply_may_be_copied_whatever_the_modem_s_name() -> None:
    menu = {"modem_id": "operator 1", "text": "1 Balance", "reply_wanted": True, "session": "5f0c"}
    assert list(_lines(menu))[-1] == "(a reply is wanted: otppi ussd 'operator 1' REPLY --reply 5f0c)"


def test_a_reply_by_a_person(otppi: Cli) -> None:
    talk = otppi("ussd", "good", "*100#", stdin=Terminal("1\n"))
    assert talk.code == 0
    assert talk.out.startswith("1 Balance\n2 Packages\n")
    assert talk.out.endswith("Balance: 10000\n")
    for nothing in ("\n", ""):
        assert otppi("ussd", "good", "*100#", stdin=Terminal(nothing)).code == 0
        assert otppi("ussd", "good", "--cancel", "--json").json["changed"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("good",), 2, "code: is missing"),
        (("good", "balance"), 2, "code: must be"),
        (("nobody", "*123#"), 2, "there is no active modem of this name"),
        (("gone", "*123#"), 4, "gone is"),
        (("good", "*999#"), 1, "the network does not know this code (1102)"),
        (("good", "1", "--reply", "nonsense"), 1, "there is no such USSD session"),
    ],
)
def test_what_goes_wrong(otppi: Cli, arguments: tuple[str, ...], code: int, error: str) -> None:
    result = otppi("ussd", *arguments)
    assert (result.code, result.out) == (code, "")
    assert error in result.err


def test_balances(otppi: Cli) -> None:
    assert otppi("balance").out == ""
    assert otppi("balance", "mute").code == 2
    assert otppi("settings", "set", "modems.good.balance_ussd", "*100#>1").code == 0
    try:
        assert otppi("balance", "--json").json[0]["balance"] is None
        assert "10,000.00" in next(
            result.out for _ in range(100) if (result := otppi("balance", "good", "--now")).code == 0
        )
        (known,) = otppi("balance", "--json").json
        assert (known["modem_id"], known["balance"], known["balance_low"]) == ("good", 10_000, False)
        shown = {one["modem_id"]: one for one in otppi("modem", "list", "--json").json}
        assert shown["good"]["balance"] == 10_000
        assert "balance" not in shown["mute"]
        otppi("settings", "set", "modems.good.balance_pattern", r"(\d+) rupiah")
        failed = next(result for _ in range(100) if "match" in (result := otppi("balance", "--now")).err)
        assert failed.code == 1
    finally:
        otppi("settings", "set", "modems.good.balance_ussd", "")


def test_sim(otppi: Cli) -> None:
    locked = {"modem_id": "good", "state": "READY", "pin_tries": 3, "puk_tries": 10, "pin_enabled": True}
    assert otppi("sim", "status", "good", "--json").json == locked
    assert "pin_tries     3" in otppi("sim", "status", "good").out
    wrong = otppi("sim", "disable-pin", "good", stdin="9999\n")
    assert wrong.code == 1
    assert "incorrect password; tries left: PIN 2" in wrong.err
    assert otppi("sim", "disable-pin", "good", "--json", stdin="1234\n").json == locked | {"pin_enabled": False}
    assert otppi("sim", "enable-pin", "good", "--json", stdin="1234\n").json == locked
    assert otppi("sim", "change-pin", "good", "--json", stdin="1234\n4321\n").json == locked
    assert otppi("sim", "change-pin", "good", "--json", stdin="4321\n1234\n").json == locked
    assert "says READY" in otppi("sim", "enter-pin", "good", stdin="1234\n").err


@pytest.mark.parametrize(
    ("command", "typed", "error"),
    [
        ("enter-pin", "12\n", "secret: a PIN has 4 to 8 digits"),
        ("enter-pin", "", "secret: a PIN has 4 to 8 digits"),
        ("unblock", "1234\n1234\n", "secret: a PUK has 8 digits"),
        ("change-pin", "1234\n\n", "new_pin: a PIN has 4 to 8 digits"),
    ],
)
def test_numbers_that_are_none(otppi: Cli, command: str, typed: str, error: str) -> None:
    result = otppi("sim", command, "good", stdin=typed)
    assert (result.code, result.out) == (2, "")
    assert error in result.err


def test_a_sim_of_a_modem_that_is_away(otppi: Cli) -> None:
    assert otppi("sim", "status", "gone").code == 1
    assert "there is no /dev/nowhere" in otppi("sim", "status", "gone").err


def test_nothing_of_it_is_in_the_log(otppi: Cli, gateway: Any) -> None:
    otppi("ussd", "good", "*123#")
    otppi("sim", "disable-pin", "good", stdin="7391\n")
    otppi("modem", "test", "nobody")  # its line comes after theirs, and lines wait for each other
    gateway.wait_for("modem_test 'nobody'")
    log = "".join(gateway.log)
    assert "ussd 'good' by" in log
    assert not any(secret in log for secret in ("*123#", "*100#", "Balance: 1", "7391"))
