"""The commands that a modem is opened with: none that waits, sends, or leaves a modem that nobody can use."""

import json

import pytest

from otppi.host.modems.settings import MODEMS


@pytest.mark.parametrize(
    "commands",
    [
        ["ATI", "reboot"],
        ["AT+CMGF=1\rAT"],
        ["ATD123"],
        ['at+clck="SC",1,"1234"'],
        ["AT+COPS?;+CMGS=10"],
    ],
)
def test_commands_that_cannot_be_run_are_refused(commands: list[str]) -> None:
    _, [problem] = MODEMS.validate({"name": "m0", "init_commands": commands})
    assert problem.field == "modems.init_commands"


def test_commands_that_are_run() -> None:
    commands = ["AT+CNMI=2,1,0,0,0", "at^curc=0", "AT&F"]
    assert MODEMS["init_commands"].from_text(json.dumps(commands)) == commands
    assert MODEMS["init_commands"].from_text("AT&F, ATI") == ["AT&F", "ATI"]
    assert MODEMS.validate({"name": "m0", "init_commands": commands})[1] == []
