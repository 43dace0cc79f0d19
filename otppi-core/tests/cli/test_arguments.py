import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import otppi as package
from otppi.cli.arguments import complete, default_data
from otppi.cli.exits import Exit, of_response_code
from otppi.cli.generated import built_in
from otppi.cli.main import parser
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import ResponseCode

DOCUMENT = Path(__file__).parents[3] / "docs/command-line.md"


def leaves(of: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    groups = [action for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield of
    for group in groups:
        for command in group.choices.values():
            yield from leaves(command)


COMMANDS = list(leaves(parser()))


@pytest.mark.parametrize(
    "line",
    [
        "--data /d --json send 0812 Hello --modem m0 --wait 3",
        "send --data /d 0812 Hello --json --wait 3 --modem m0",
        "send 0812 --modem m0 Hello --wait 3 --json --data /d",
        "send --wait=3 --modem=m0 --data=/d --json 0812 Hello",
        "--data /e send --data /d --json --wait 3 --modem m0 -- 0812 Hello",
    ],
)
def test_options_stand_anywhere(line: str) -> None:
    options = complete(parser().parse_args(line.split()))
    assert (options.data, options.json) == (Path("/d"), True)
    assert (options.receiver, options.message, options.modem, options.wait) == ("0812", "Hello", "m0", 3.0)


def test_options_of_a_group_are_kept() -> None:
    options = complete(parser().parse_args(["settings", "--json", "--data", "/d", "show", "sms"]))
    assert (options.data, options.json, options.section) == (Path("/d"), True, "sms")


def test_a_message_may_begin_with_a_dash() -> None:
    assert parser().parse_args(["send", "0812", "--", "-1 means no"]).message == "-1 means no"


def test_no_message_is_stdin() -> None:
    assert parser().parse_args(["send", "0812"]).message == parser().parse_args(["send", "0812", "-"]).message == "-"


def test_the_data_folder_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otppi.cli.arguments._SYSTEM_DATA", tmp_path / "system")
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("OTPPI_DATA", raising=False)
    assert default_data() == Path("/home/somebody/.local/share/otppi")
    (tmp_path / "system").mkdir()
    assert default_data() == tmp_path / "system"
    monkeypatch.setenv("OTPPI_DATA", "/d")
    assert default_data() == Path("/d")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "sned 0812",
        "send",
        "send 0812 a b c",
        "send 0812 a --wait no",
        "send 0812 a --wait 121",
        "send 0812 a --wait nan",
        "user",
        "user add",
        "user add a --password b",
        "run --log-level loud",
        "run --da x",
        "--unknown",
        "completion csh",
    ],
)
def test_wrong_usage_is_told_in_one_line(otppi: Callable[..., Any], line: str) -> None:
    result = otppi(*line.split())
    assert result.code == Exit.USAGE
    assert result.out == ""
    assert re.fullmatch(r"otppi[^\n]*: [^\n]+ \(see otppi[a-z ]* --help\)\n", result.err)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.prog)
def test_every_command_has_help_with_examples_that_it_takes(command: argparse.ArgumentParser) -> None:
    text = command.format_help()
    assert command.description
    examples = re.findall(r"^  (.*otppi.*)$", command.epilog or "", re.M)
    assert examples
    assert all(command.prog in example for example in examples)
    assert re.search(r"--data DIR", text)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.prog)
def test_every_command_and_option_is_in_the_document(command: argparse.ArgumentParser) -> None:
    document = DOCUMENT.read_text()
    assert f"`{command.prog}" in document
    section = document.split(f"`{command.prog}", 1)[1]
    options = {option for action in command._actions for option in action.option_strings if option.startswith("--")}
    for option in options - {"--help", "--data", "--json", "--language"}:
        assert option in section


def test_every_operation_that_says_that_it_is_a_command_is_one() -> None:
    """`otppi restore-undo` stood in docs/operations.md, and nobody could give it."""
    said = {f"otppi {one['command']}" for one in built_in() if one["command"]}
    assert said <= {command.prog for command in COMMANDS}


def test_exit_codes_are_in_help_and_document() -> None:
    for code in Exit:
        assert re.search(rf"^  {code.value} +{re.escape(code.meaning)}$", parser().format_help(), re.M)
        assert f"| {code.value} | {code.meaning} |" in DOCUMENT.read_text()


def test_every_response_code_has_an_exit_code() -> None:
    later = {ResponseCode.NO_MODEM, ResponseCode.QUEUE_FULL, ResponseCode.TOO_MANY}
    for code in ResponseCode:
        assert (of_response_code(code.value) is Exit.LATER) == (code in later)
        assert (of_response_code(code.value) is Exit.DONE) == (code is ResponseCode.SUCCESS)
    assert of_response_code("1207") is Exit.UNCONFIRMED


def test_version(otppi: Callable[..., Any]) -> None:
    result = otppi("--version")
    assert (result.code, result.out) == (0, f"otppi {package.__version__}\n")


def test_help_imports_nothing_heavy() -> None:
    program = (
        # Reads which plugins are installed, from files and by nothing else.
        "LIGHT = {'otppi.host', 'otppi.host.runtime', 'otppi.host.runtime.entry_points'}\n"
        "import sys\nfrom otppi.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print('HEAVY', [n for n in sys.modules if n.split('.')[0] in ('pluggy', 'serial', 'tinydb', 'argon2', 'shtab')"
        " or n.startswith(('otppi.host', 'otppi.api', 'otppi.wire', 'otppi.kit')) and n not in LIGHT])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []"
