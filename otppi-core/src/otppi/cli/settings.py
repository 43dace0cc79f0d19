"""`otppi settings`: show, change, export, import and explain the settings."""

import getpass
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from otppi.cli.arguments import Commands, Options, Parser
from otppi.cli.documents import read_document
from otppi.cli.exits import Exit, Failure
from otppi.cli.generated import Own
from otppi.cli.output import as_json, show
from otppi.cli.talk import ask


def add(commands: Commands) -> None:
    """Add the commands that tell of declarations."""
    group = commands.within(["settings", "reference"])
    group.command("reference", "Print what every setting means, as Markdown.", reference, ["otppi settings reference"])
    group.command(
        "schema",
        "Print the JSON Schema of a document of settings.",
        schema,
        ["otppi settings schema > settings.schema.json"],
    )


def _section(parser: Parser) -> None:
    parser.add_argument("section", metavar="SECTION", nargs="?", help="one section, such as sms (default: all)")


def _file(parser: Parser) -> None:
    parser.add_argument(
        "--discard-damaged",
        action="store_true",
        help="begin with this document where what is kept, and its copy, are damaged",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the document; - reads it from stdin")


def _shown(options: Options, shown: Any) -> int:
    if options.section is not None:
        if options.section not in shown:
            raise Failure(Exit.USAGE, f"{options.section}: is not a section; there are {', '.join(shown)}")
        shown = {options.section: shown[options.section]}
    show(options, shown, _lines(shown))
    return Exit.DONE


def _lines(shown: dict[str, Any]) -> Iterator[str]:
    """Write each setting as `settings set` takes its path."""
    for section, values in shown.items():
        if isinstance(values, list) and not values:
            yield f"{section}: none"
        for item in values if isinstance(values, list) else [values]:
            # The first setting of a list's section is the one that its objects are named by.
            prefix = f"{section}.{next(iter(item.values()))}" if isinstance(values, list) else section
            for key, value in item.items():
                yield f"{prefix}.{key} = {as_json(value)}"
        yield ""


def settings_set(options: Options) -> int:
    """Change one setting."""
    value = _value(options)
    return _tell(
        options,
        ask(options.data, "settings_set", creates=True, revision=options.revision, path=options.path, value=value),
    )


def _value(options: Options) -> str:
    """Give the value; it is asked for where none is given, since others can see the arguments of a command."""
    if options.value == "-":
        return sys.stdin.read().removesuffix("\n")
    if options.value is not None:
        return str(options.value)
    if not sys.stdin.isatty():
        raise Failure(Exit.USAGE, "VALUE is missing; - reads it from stdin")
    value = getpass.getpass(f"{options.path} (not shown): ")
    if not value:
        raise Failure(Exit.USAGE, f"{options.path}: nothing was typed; '' as VALUE empties it")
    return value


def settings_import(options: Options) -> int:
    """Take a document."""
    document = read_document(options.file)
    how = {"creates": True, "anew": options.discard_damaged, "revision": options.revision}
    return _tell(options, ask(options.data, "settings_import", **how, document=document))


def _tell(options: Options, changed: list[str]) -> int:
    show(options, {"changed": changed}, [f"changed: {', '.join(changed)}" if changed else "nothing changed"])
    return Exit.DONE


def _exported(options: Options, document: Any) -> int:
    show(options, document, [as_json(document, indent=2)])
    return Exit.DONE


def reference(options: Options) -> int:
    """Print the reference; with `--json` the schema, which says the same."""
    if options.json:
        return schema(options)
    from otppi.cli import declarations

    print(declarations.reference())
    return Exit.DONE


def schema(options: Options) -> int:  # noqa: ARG001 - every command gets the options
    """Print the JSON Schema."""
    from otppi.cli import declarations

    print(as_json(declarations.schema(), indent=2))
    return Exit.DONE


OWN = {
    "settings show": Own(show=_shown, arguments=_section),
    "settings set": Own(settings_set),
    "settings export": Own(show=_exported),
    "settings import": Own(settings_import, arguments=_file, hidden=frozenset({"document"})),
}
