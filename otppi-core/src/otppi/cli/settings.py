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
from otppi.cli.language import _, spoken
from otppi.cli.output import as_json, show
from otppi.cli.talk import ask


def add(commands: Commands) -> None:
    """Add the commands that tell of declarations."""
    group = commands.within(["settings", "reference"])
    group.command(
        "reference", _("Print what every setting means, as Markdown."), reference, ["otppi settings reference"]
    )
    group.command(
        "schema",
        _("Print the JSON Schema of a document of settings."),
        schema,
        ["otppi settings schema > settings.schema.json"],
    )


def _section(parser: Parser) -> None:
    parser.add_argument("section", metavar="SECTION", nargs="?", help=_("one section, such as sms (default: all)"))


def _file(parser: Parser) -> None:
    parser.add_argument(
        "--discard-damaged",
        action="store_true",
        help=_("begin with this document where what is kept, and its copy, are damaged"),
    )
    parser.add_argument("file", metavar="FILE", type=Path, help=_("the document; - reads it from stdin"))


def _shown(options: Options, shown: Any) -> int:
    if options.section is not None:
        if options.section not in shown:
            raise Failure(
                Exit.USAGE,
                _("{section}: is not a section; there are {shown}", section=options.section, shown=", ".join(shown)),
            )
        shown = {options.section: shown[options.section]}
    show(options, shown, _lines(shown))
    return Exit.DONE


def _lines(shown: dict[str, Any]) -> Iterator[str]:
    """Write each setting as `settings set` takes its path."""
    for section, values in shown.items():
        if isinstance(values, list) and not values:
            yield _("{section}: none", section=section)
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
    """Return the value; it is asked for where none is given, since others can see the arguments of a command."""
    if options.value == "-":
        return sys.stdin.read().removesuffix("\n")
    if options.value is not None:
        return str(options.value)
    if not sys.stdin.isatty():
        raise Failure(Exit.USAGE, _("VALUE is missing; - reads it from stdin"))
    value = getpass.getpass(_("{path} (not shown): ", path=options.path))
    if not value:
        raise Failure(Exit.USAGE, _("{path}: nothing was typed; '' as VALUE empties it", path=options.path))
    return value


def settings_import(options: Options) -> int:
    """Take a document."""
    document = read_document(options.file)
    how = {"creates": True, "anew": options.discard_damaged, "revision": options.revision}
    return _tell(options, ask(options.data, "settings_import", **how, document=document))


def _tell(options: Options, changed: list[str]) -> int:
    show(
        options,
        {"changed": changed},
        [_("changed: {changed}", changed=", ".join(changed)) if changed else _("nothing changed")],
    )
    return Exit.DONE


def _exported(options: Options, document: Any) -> int:
    show(options, document, [as_json(document, indent=2)])
    return Exit.DONE


def reference(options: Options) -> int:
    """Print the reference; with `--json` the schema, which says the same."""
    if options.json:
        return schema(options)
    from otppi.cli import declarations

    print(declarations.reference(spoken))
    return Exit.DONE


def schema(options: Options) -> int:  # noqa: ARG001 - every command gets the options
    """Print the JSON Schema."""
    from otppi.cli import declarations

    print(as_json(declarations.schema(), indent=2))
    return Exit.DONE


OWN = {
    "settings show": Own(show=_shown, arguments=_section),
    "settings set": Own(settings_set),
    "settings remove": Own(show=_tell),
    "settings export": Own(show=_exported),
    "settings import": Own(settings_import, arguments=_file, hidden=frozenset({"document"})),
}
