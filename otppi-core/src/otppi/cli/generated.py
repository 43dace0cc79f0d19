"""Commands that are made from the declarations of operations (`otppi.api.operations.Operation.describe`).

The gateway's own are read from a file that is made of their declarations (`operations.json`), since the host takes a
quarter of a second to import. What a plugin brings is looked for where the words that were typed are no command of the
gateway's own.
"""

import argparse
import getpass
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from otppi.cli.arguments import Commands, Options, Parser
from otppi.cli.exits import Exit, Failure
from otppi.cli.language import _, spoken
from otppi.cli.output import as_json, cell, columns, show
from otppi.cli.talk import ask, by_itself, gateway
from otppi.text import Text, joined

Described = Mapping[str, Any]
"""An operation as `Operation.describe` gives it."""
_LEAST_WIDTH = 13
TABLE = Path(__file__).with_name("operations.json")
_COMMANDS = "otppi.commands"
"""The group of entry points by which a plugin tells, before it is imported, which words its commands begin with."""


@dataclass(frozen=True, slots=True)
class Own:
    """What the command line does by itself for a command that is made from an operation.

    Attributes:
        run: Carries the command out, where more is needed than asking for one operation and showing its result.
        show: Shows the result, where a person wants more than its keys and values; returns the exit code.
        arguments: Adds arguments that the operation has not.
        hidden: Parameters that are no arguments of the command.
        help: Says what the command does, where that is more than the operation.
    """

    run: Callable[[Options], int] | None = None
    show: Callable[[Options, Any], int] | None = None
    arguments: Callable[[Parser], None] | None = None
    hidden: frozenset[str] = frozenset()
    help: str = ""


NOTHING = Own()


def built_in() -> list[Described]:
    """Return the gateway's own operations."""
    table: list[Described] = json.loads(TABLE.read_text())
    return table


def of_plugins() -> list[Described]:
    """Return the operations of the plugins that are installed; a plugin that cannot be loaded has none."""
    from otppi.cli import logs
    from otppi.host.core import CORE_OPERATIONS, load_plugins

    own = {one.name for one in CORE_OPERATIONS}
    with logs.silent():
        return [one.describe() for name, one in load_plugins().operations.items() if name not in own]


def words_of_plugins() -> dict[str, str]:
    """Return the words that commands of plugins begin with, each with the distribution that brings it.

    Of those that say so in their metadata: loading all plugins to list them would take a second on a small device.
    """
    from otppi.host.runtime.entry_points import installed

    return {one.name: one.dist.name for one in installed(_COMMANDS)}


def add(commands: Commands, operation: Described, own: Own = NOTHING, group: str = "") -> None:
    """Add the command of an operation, in a group with this help where there is none of its first word."""
    words = operation["command"].split()
    run = own.run or partial(_run, operation, own)
    told = own.help or joined(" ", [_text(operation, one) for one in (operation["help"], operation["confirm"]) if one])
    within = commands.within(words, group)
    parser = within.command(words[-1], told, run, list(_examples(operation)))
    alone = [within.default(words[-1], run)] if operation["default_command"] else []
    if own.arguments:
        for one in (parser, *alone):
            own.arguments(one)
    if operation["changes"] == "settings":
        rule = _("refuse where somebody else has changed the same section since this revision of the settings")
        parser.add_argument("--revision", metavar="N", type=int, help=rule)
    placed = operation["positional"]
    for key in (*placed, *(key for key in operation["parameters"]["properties"] if key not in placed)):
        if key not in own.hidden:
            _add_argument(parser, operation, key)


def _text(operation: Described, words: str) -> Text:
    """Return words of a declaration as what can be said in the reader's language."""
    return Text(words, domain=operation["package"])


def _examples(operation: Described) -> Iterable[str]:
    for one in operation["examples"] or [""]:
        yield one if "otppi " in one else f"otppi {operation['command']} {one}".rstrip()


def _add_argument(parser: Parser, operation: Described, key: str) -> None:
    schema, positional = operation["parameters"]["properties"][key], key in operation["positional"]
    required, secret = key in operation["parameters"]["required"], bool(schema.get("writeOnly"))
    settings: dict[str, Any] = {"help": _text(operation, schema["description"].replace("%", "%%"))}
    if schema.get("type") == "boolean":
        off = bool(schema.get("default"))
        settings |= {"dest": key, "action": "store_false" if off else "store_true", "default": None}
        parser.add_argument(f"--no-{_option(key)}" if off else f"--{_option(key)}", **settings)
        return
    if "enum" in schema:
        settings["choices"] = schema["enum"]
    else:
        settings["metavar"] = schema["title"].upper() if schema["title"].isalpha() else key.upper()
    if schema.get("type") in ("integer", "number"):
        settings["type"] = _number(schema)
    if not positional:
        if not secret:  # which is asked for: others can see the arguments of a command
            parser.add_argument(f"--{_option(key)}", dest=key, required=required, **settings)
        return
    if schema.get("type") == "array":
        settings["nargs"] = "*"
    elif not required or secret:
        settings["nargs"] = "?"
    parser.add_argument(key, **settings)


def _option(key: str) -> str:
    return key.replace("_", "-")


def _number(schema: Mapping[str, Any]) -> Callable[[str], float]:
    """Return what reads a number of this schema, within its bounds."""
    least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)

    def number(text: str) -> float:
        value = int(text) if schema["type"] == "integer" else float(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(_("must be from {least:g} to {most:g}", least=least, most=most))
        return value

    return number


def _run(operation: Described, own: Own, options: Options) -> int:
    """Ask for the operation, and show what it gives."""
    result = perform(operation, options, _arguments(operation, own, options))
    return own.show(options, result) if own.show else show_plain(options, result)


def perform(operation: Described, options: Options, arguments: Mapping[str, Any]) -> Any:
    """Carry an operation out: in the gateway that runs, on the data folder, or here, as it is declared."""
    name, revision = operation["name"], getattr(options, "revision", None)
    if operation["offline"] == "no":
        return gateway(options.data).call(name, arguments, revision=revision)
    if operation["offline"] == "anywhere":
        return by_itself(options.data, name, **arguments)
    return ask(options.data, name, creates=operation["offline"] == "creates", revision=revision, **arguments)


def _arguments(operation: Described, own: Own, options: Options) -> dict[str, Any]:
    """Return the arguments that were given; secrets are asked for, or read from stdin, one a line."""
    properties = {key: one for key, one in operation["parameters"]["properties"].items() if key not in own.hidden}
    given = {key: getattr(options, key, None) for key in properties}
    for key, schema in properties.items():
        if schema.get("writeOnly") and given[key] is None:
            given[key] = _secret(key, str(spoken(_text(operation, schema["title"]))))
    return {key: value for key, value in given.items() if value is not None}


def _secret(key: str, title: str) -> str:
    """Ask for a secret, twice for one that is to be, since nobody sees what is typed; or read a line from stdin."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed = getpass.getpass(f"{title}: ")
    if key.startswith("new_") and getpass.getpass(_("{title} again: ", title=title)) != typed:
        field = title if title[:2].isupper() else f"{title[0].lower()}{title[1:]}"  # as PIN stays
        raise Failure(Exit.USAGE, _("{field}: the two are not the same", field=field))
    return typed


def show_plain(options: Options, result: Any) -> int:
    """Show a result as it comes: a table of objects, the keys of one, or a line for anything else."""
    show(options, result, plain_lines(result))
    return Exit.DONE


def plain_lines(result: Any) -> list[str]:
    """Return a JSON value as lines for people."""
    if isinstance(result, Mapping):
        width = max([_LEAST_WIDTH, *map(len, result)])
        return [f"{key:<{width}} {cell(value)}" for key, value in result.items()]
    if isinstance(result, list) and result and all(isinstance(one, Mapping) for one in result):
        titles = {key: key.replace("_", " ").upper() for one in result for key in one}
        return columns(result, titles)
    if isinstance(result, list):
        return [cell(one) for one in result]
    return [] if result is None else [result if isinstance(result, str) else as_json(result)]
