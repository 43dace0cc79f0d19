"""Commands that are made from declarations: their arguments, what they print, and a plugin's from end to end."""

import getpass
import io
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otppi.api.operations import Operation
from otppi.api.settings import boolean, integer, number, text, text_list
from otppi.cli import generated, language
from otppi.cli.arguments import Commands, Options, Parser, complete, root
from otppi.cli.exits import Failure
from otppi.cli.main import _typed, parser
from otppi.testing.waiting import PATIENCE

Otppi = Callable[..., Any]

PLUGIN = """
from otppi.api import hookimpl
from otppi.api.errors import InvalidSettings
from otppi.api.operations import Offline, Operation, Role
from otppi.api.settings import integer, text
from otppi.wire.errors import FieldError

CARDS = {}

@hookimpl
def otppi_operations():
    card = text("card", "Card", "which card", required=True)
    return [
        Operation(name="stock_list", title="Cards", help="List the cards.", handler=lambda call: sorted(CARDS.values(),
                  key=lambda one: one["card"]), reads_only=True, role=Role.VIEWER, command="stock list"),
        Operation(name="stock_put", title="Put a card", help="Put a card into the stock.", handler=put, changes="stock",
                  parameters=(card, integer("worth", "Worth", "what is on it", 5, minimum=1, maximum=99),
                              text("pin", "PIN", "its PIN", secret=True)), subject="card",
                  command="stock put", positional=("card",)),
        Operation(name="stock_send", title="Send", help="Send a card's worth.", handler=send, parameters=(card,),
                  role=Role.OPERATOR, subject="card", command="stock send", positional=("card",)),
        Operation(name="stock_where", title="Where", help="Say where it is.", handler=lambda call: "here",
                  reads_only=True, command="stock where", offline=Offline.ANYWHERE),
        Operation(name="modem_blink", title="Blink", help="Blink.", handler=lambda call: None, command="modem blink"),
    ]

def put(call, card, worth, pin):
    if card in CARDS:
        raise InvalidSettings([FieldError("card", "is in the stock already")])
    CARDS[card] = {"card": card, "worth": worth, "by": str(call.actor), "locked": bool(pin)}
    return CARDS[card]

def send(call, card):
    return call.perform("send", receiver="081234567890", message=f"worth {CARDS[card]['worth']}")["state"]
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plugin with operations that is installed for processes of this test."""
    site = tmp_path / "site"
    info = site / "stock-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stock\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[otppi]\nstock = otppi_stock\n[otppi.commands]\nstock = otppi_stock\n")
    (site / "otppi_stock.py").write_text(PLUGIN)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return site


def run(*arguments: str, data: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "otppi", *arguments, "--data", str(data)]
    environment = os.environ | {"LC_ALL": "C"}
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=PATIENCE, env=environment)


def test_a_plugin_s_operations_are_commands(plugin: Path, start: Callable[..., Any], data: Path) -> None:
    gateway = start(document={"ingress-rest": {"http_enable": False, "https_enable": False}})
    gateway.wait_for("gateway runs")
    assert run("stock", "list", "--json", data=data).stdout == "[]\n"
    put = run("stock", "put", "b", "--worth", "7", data=data, stdin="73917391\n")
    assert (put.returncode, put.stderr) == (0, "")
    assert put.stdout.splitlines() == [
        "card          b",
        "worth         7",
        "by            command-line/administrator",
        "locked        yes",
    ]
    assert run("stock", "put", "a", data=data).returncode == 0
    listed = run("stock", "list", data=data).stdout.splitlines()
    assert [line.split() for line in listed] == [
        ["CARD", "WORTH", "BY", "LOCKED"],
        ["a", "5", "command-line/administrator", "no"],
        ["b", "7", "command-line/administrator", "yes"],
    ]
    again = run("stock", "put", "b", data=data)
    assert (again.returncode, again.stderr) == (2, "otppi: card: is in the stock already\n")
    wrong = run("stock", "put", "c", "--worth", "100", data=data)
    assert wrong.returncode == 2
    assert "--worth: must be from 1 to 99" in wrong.stderr
    assert run("stock", "send", "b", data=data).stdout == "sent\n"
    assert "worth 7" in run("phone", data=data).stdout
    gateway.wait_for("stock_put 'b' by command-line/administrator, administrator: done")
    assert not any("73917391" in line for line in gateway.log)
    assert gateway.end() == 0


def test_a_plugin_s_commands_without_a_gateway(plugin: Path, data: Path) -> None:
    assert run("stock", "where", data=data / "none").stdout == "here\n"
    assert not (data / "none").exists()
    assert run("stock", "list", data=data).returncode == 3
    wrong = run("stock", "lsit", data=data)
    assert wrong.returncode == 2
    assert all(word in wrong.stderr for word in ("list", "put", "send", "where"))
    help_text = run("stock", "put", "--help", data=data).stdout
    assert "otppi stock put" in help_text
    assert "--worth WORTH" in help_text
    assert "--pin" not in help_text
    assert "which card" in help_text
    assert run("modem", "blink", data=data).returncode == 3
    completion = run("completion", "bash", data=data)
    assert "--worth" in completion.stdout
    told = json.loads(run("operations", "--json", data=data).stdout)
    assert {"stock_put", "simulated_faults", "send"} <= {one["name"] for one in told}


def test_the_help_lists_the_commands_of_plugins(plugin: Path, data: Path) -> None:
    shown = run("--help", data=data).stdout
    assert re.search(r"^ +stock +Commands of the plugin stock$", shown, re.MULTILINE)
    assert "Perintah plugin stock" in run("-h", "--language", "id", data=data).stdout
    (plugin / "otppi_stock.py").write_text("raise SystemExit('it was imported')")
    assert run("--help", data=data).stdout == shown


def test_the_help_of_a_group_lists_the_commands_of_plugins_in_it(plugin: Path, data: Path) -> None:
    shown = run("modem", "--help", data=data).stdout
    assert re.search(r"^ +blink +Blink$", shown, re.MULTILINE)
    assert re.search(r"^ +adopt +Take a new modem into use$", shown, re.MULTILINE)


def test_our_plugins_tell_which_words_their_commands_begin_with() -> None:
    own = {one["command"].split()[0] for one in generated.built_in()}
    begun = {one["command"].split()[0] for one in generated.of_plugins() if one["command"]} - own
    files = Path(__file__).parents[3].glob("plugins/*/pyproject.toml")
    told = [
        word
        for file in files
        for word in tomllib.loads(file.read_text())["project"]["entry-points"].get("otppi.commands", {})
    ]
    assert (sorted(told), "simulated" in begun) == (sorted(begun), True)


def test_a_word_that_is_nobody_s_is_told_in_one_line(plugin: Path, data: Path) -> None:
    wrong = run("sned", "0812", data=data)
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (2, "", 1)


def test_the_command_of_a_real_plugin(otppi: Otppi, data: Path) -> None:
    listed = otppi("simulated", "faults", "--json")
    assert {"fault", "summary"} == set(listed.json[0])
    assert otppi("simulated", "faults").out.split()[:2] == ["FAULT", "SUMMARY"]
    shown = otppi("simulated", "faults", "--language", "id").out
    assert shown.split()[:2] == ["GANGGUAN", "RINGKASAN"]
    assert "kartu SIM meminta PUK\n" in shown


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("--help", []),
        ("send 0812 hello", ["send", "0812"]),
        ("--data /d --json stock --language id list x", ["stock", "list"]),
        ("--data=/d stock", ["stock"]),
        ("completion bash", None),
    ],
)
def test_the_words_of_the_command_are_found(line: str, words: list[str] | None) -> None:
    assert _typed(line.split()) == words


def test_no_plugin_is_loaded_for_a_command_of_the_gateway_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded() -> list[generated.Described]:
        raise AssertionError("plugins were loaded")

    monkeypatch.setattr(generated, "of_plugins", loaded)
    for line in ("send 0812 x", "modem list", "modem probe", "settings show", "run", "", "keys rotate", "modem"):
        parser(_typed(line.split()))
    with pytest.raises(AssertionError):
        parser(["nothing"])


# -- arguments --------------------------------------------------------------------------------------------------------


def command_of(operation: Operation) -> Parser:
    top = root("0", "", "")
    generated.add(Commands(top), json.loads(json.dumps(operation.describe())))
    return top


THING = Operation(
    name="thing",
    title="Thing",
    help="Do 100 % of a thing.",
    handler=print,
    parameters=(
        text("name", "Name", "50 % of a name", required=True),
        text_list("more_names", "More names", "further ones"),
        text("pin", "PIN", "secret", secret=True),
        text("form", "Form", "which", "round", choices=("round", "square")),
        integer("count", "Count", "how many", 1, minimum=1, maximum=9),
        number("size", "Size", "how big", 0.5),
        boolean("fast", "Fast", "whether", False),
        boolean("wait_for_it", "Wait", "whether", True),
        text("by", "By", "whom", required=True),
    ),
    command="thing",
    positional=("name", "more_names"),
)


def test_arguments_are_as_they_are_declared() -> None:
    line = "thing a b c --form square --count 9 --size -0.5 --fast --no-wait-for-it --by me"
    options = complete(command_of(THING).parse_args(line.split()))
    given = {key: getattr(options, key, None) for key in (one.key for one in THING.parameters)}
    assert given == {
        "name": "a",
        "more_names": ["b", "c"],
        "pin": None,
        "form": "square",
        "count": 9,
        "size": -0.5,
        "fast": True,
        "wait_for_it": False,
        "by": "me",
    }
    assert "100 %" in command_of(THING)._subparsers._group_actions[0].choices["thing"].format_help()  # type: ignore[union-attr,index]


@pytest.mark.parametrize(
    "line",
    [
        "thing --by me",
        "thing a",
        "thing a --by me --form oval",
        "thing a --by me --count 0",
        "thing a --by me --count 1.5",
        "thing a --by me --size nan",
        "thing a --by me --pin 1234",
    ],
)
def test_arguments_that_are_wrong(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_of(THING).parse_args(line.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_was_not_given_is_left_to_the_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(generated, "gateway", lambda data: Recorder(asked))
    monkeypatch.setattr(sys, "stdin", io.StringIO("1234\n"))
    options = complete(command_of(THING).parse_args(["thing", "a", "--by", "me"]))
    assert options.handler(options) == 0
    assert asked == [("thing", {"name": "a", "more_names": [], "by": "me", "pin": "1234"})]


def test_a_group_may_have_a_command_that_its_word_alone_means() -> None:
    told, top = list[str](), root("0", "", "")
    commands = Commands(top)

    def add(name: str, *, alone: bool = False) -> None:
        def run(options: Options) -> int:
            told.append(name)
            return 0

        one = Operation(name=name, title=name, help=name, handler=print, command=f"thing {name}", default_command=alone)
        generated.add(commands, json.loads(json.dumps(one.describe())), generated.Own(run=run))

    add("show", alone=True)
    add("change")
    for line in ("thing", "thing --json", "thing show", "thing change", "thing --json change"):
        options = complete(top.parse_args(line.split()))
        assert (options.handler(options), options.json) == (0, "--json" in line)
    assert told == ["show", "show", "show", "change", "change"]


class Recorder:
    """A gateway that notes what it is asked for."""

    def __init__(self, asked: list[Any]) -> None:
        self._asked = asked

    def call(self, name: str, arguments: Any, *, revision: int | None) -> None:
        self._asked.append((name, dict(arguments)))


# -- results ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "lines"),
    [
        (None, []),
        (True, ["true"]),
        (5, ["5"]),
        ("a\x1b text", ["a\\x1b text"]),
        ([], []),
        (["a", 5], ["a", "5"]),
        ({}, []),
        ({"a": True, "a_long_key_of_it": [1, 2]}, ["a                yes", "a_long_key_of_it 1, 2"]),
        ([{"a_b": 1}, {"a_b": 2, "c": None}], ["A B  C", "1    -", "2    -"]),
    ],
)
def test_a_result_is_shown_as_it_comes(result: Any, lines: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert generated.show_plain(complete(root("0", "", "").parse_args([])), result) == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_a_change_may_name_the_revision_that_it_was_made_from(otppi: Otppi, data: Path) -> None:
    assert otppi("settings", "set", "sms.attempts", "4").code == 0
    seen = otppi("settings", "revision").out.strip()
    assert otppi("settings", "set", "sms.attempts", "5", "--revision", seen).code == 0
    refused = otppi("settings", "set", "sms.attempts", "6", "--revision", seen)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(f"otppi: sms: changed by somebody else since revision {seen} ")
    assert otppi("settings", "import", "-", "--revision", seen, stdin='{"sms": {}}').code == 1
    assert otppi("user", "add", "app", "--token", "--revision", seen).code == 0
    assert otppi("user", "remove", "app", "--revision", seen).code == 1
    assert otppi("settings", "show", "sms", "--json").json["sms"]["attempts"] == 5
    assert otppi("settings", "remove", "api_users.app", "--revision", seen).code == 1
    assert otppi("settings", "remove", "api_users.app").out == "changed: api_users\n"
    gone = otppi("settings", "remove", "api_users.app")
    assert (gone.code, gone.err) == (2, "otppi: api_users.app: there is no username 'app'\n")


class Terminal(io.StringIO):
    """What a person types where it is not asked for unseen."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "code", "asked"),
    [
        (["12345678", "4321", "4321"], 0, [("sim_unblock", {"modem": "m0", "secret": "12345678", "new_pin": "4321"})]),
        (["12345678", "4321", "4312"], None, []),
    ],
)
def test_a_secret_that_is_to_be_is_asked_for_twice(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], code: int | None, asked: list[Any]
) -> None:
    prompts, calls, answers = list[str](), list[Any](), iter(typed)

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return next(answers)

    monkeypatch.setattr(getpass, "getpass", answer)
    monkeypatch.setattr(generated, "gateway", lambda data: Recorder(calls))
    monkeypatch.setattr(sys, "stdin", Terminal())
    options = complete(parser().parse_args(["sim", "unblock", "m0"]))
    if code is None:
        with pytest.raises(Failure, match="new PIN: the two are not the same"):
            options.handler(options)
    else:
        assert options.handler(options) == code
    assert prompts == ["PUK: ", "New PIN: ", "New PIN again: "]
    assert calls == asked


def test_a_secret_is_asked_for_in_the_reader_s_language(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts, typed = list[str](), iter(["12345678", "4321", "4312"])

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return next(typed)

    monkeypatch.setattr(getpass, "getpass", answer)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(language, "_current", "id")
    options = complete(parser().parse_args(["sim", "unblock", "m0"]))
    with pytest.raises(Failure, match="PIN baru: keduanya tidak sama"):
        options.handler(options)
    assert prompts == ["PUK: ", "PIN baru: ", "PIN baru sekali lagi: "]


def test_what_is_declared_is_said_in_the_reader_s_language(otppi: Otppi, data: Path) -> None:
    shown = otppi("sim", "unblock", "--help", "--language", "id").out
    assert "Berikan PUK kartu SIM yang terblokir" in shown
    assert "nama modem" in shown
    shown = otppi("simulated", "faults", "--help", "--language", "id").out
    assert "gangguan yang dapat dimiliki modem simulasi" in shown, "by the catalogue of the plugin"
