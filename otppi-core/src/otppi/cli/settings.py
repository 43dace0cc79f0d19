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
from otppi.text import labelled


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
    checking = group.command(
        "check",
        _(
            "Say what is wrong with documents of settings for a device that has none yet, such as the first settings "
            "of a card: all at once, with nothing changed, and without a data folder. Several are laid over one "
            "another in their order."
        ),
        check,
        ["otppi settings check first-settings.json", "otppi settings check base.json mine.json --json"],
    )
    _check(checking)


def _check(parser: Parser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help=_("the documents; - reads one from stdin"))


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


def check(options: Options) -> int:
    """Check documents; exit code 2 where one is wrong, as where it is imported."""
    from otppi.cli import logs
    from otppi.host.core import check_first_settings

    documents = [read_document(path) for path in options.files]
    with logs.silent():  # a plugin that is left out is told by `otppi plugins`
        found = check_first_settings(documents)
    told = [
        {"file": str(path), "problems": [{"field": one.field, "reason": spoken(one.reason)} for one in problems]}
        for path, problems in zip(options.files, found, strict=True)
    ]
    lines = [
        labelled(str(path), labelled(one.field, one.reason))
        for path, problems in zip(options.files, found, strict=True)
        for one in problems
    ]
    if lines and not options.json:
        raise Failure(Exit.USAGE, *lines)
    show(options, told, [_("all of it can be used")])
    return Exit.USAGE if lines else Exit.DONE


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
