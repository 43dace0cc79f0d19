"""`otppi operations`: the reference of operations, those of the plugins included."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit
from otppi.cli.generated import TABLE
from otppi.cli.language import spoken
from otppi.cli.output import as_json
from otppi.text import _, joined, labelled

if TYPE_CHECKING:  # the host takes a quarter of a second to import
    from otppi.api.operations import Operation
    from otppi.api.settings.reference import Say

_ABOUT = (
    _(
        "What can be asked of a gateway, by the [command line](command-line.md), by the "
        "[API of the administration](administration-api.md), and by its control socket: one JSON "
        'line `{"operation": NAME, "arguments": {…}}` for each connection, answered by `{"result": …}`, '
        '`{"error": text}` or `{"problems": [[field, reason]]}`. Plugins bring '
        "[operations of their own](plugins.md#an-operation)."
    ),
    _(
        "A role may do what those before it may: viewer, operator, administrator; whoever may open the control socket "
        "is an administrator. Operations that change something wait for one another. What does not only read is told "
        "to the log and kept in the audit trail, which `otppi audit` shows: who did it, to what, which fields, and "
        "what became of it, with no values."
    ),
)


def add(commands: Commands) -> None:
    """Add the command."""
    commands.command(
        "operations",
        _("Print what can be asked of the gateway, as Markdown: by which command, with which arguments, and who may."),
        operations,
        ["otppi operations", "otppi operations --json | jq -r .[].name"],
    )


def operations(options: Options) -> int:
    """Print the reference; with `--json` the declarations, whose arguments are in JSON Schema."""
    declared = known()
    print(as_json([one.describe() for one in declared], indent=2) if options.json else reference(declared, spoken))
    return Exit.DONE


def known() -> "list[Operation]":
    """Return all operations: the gateway's own, and those of the plugins that are installed."""
    from otppi.cli import logs
    from otppi.host.core import load_plugins

    with logs.silent():
        return list(load_plugins().operations.values())


def table() -> str:
    """Write the file that the command line makes the commands of the gateway's own operations from."""
    from otppi.host.core import CORE_OPERATIONS

    return as_json([one.describe() for one in CORE_OPERATIONS if one.command], indent=1) + "\n"


def write_table() -> None:
    """Write it where the command line looks for it."""
    TABLE.write_text(table())


def reference(declared: "list[Operation]", say: "Say" = str) -> str:
    """Write the reference of operations; `say` says a text in the language of whoever reads it."""
    from otppi.api.settings.reference import prose

    about = [line for paragraph in _ABOUT for line in (*prose(say(paragraph)), "")]
    title = say(_("Operations"))
    return "\n".join([f"# {title}", "", *about, *(line for one in declared for line in _page(one, say))])


def _page(operation: "Operation", say: "Say") -> Iterator[str]:
    from otppi.api.settings.reference import prose
    from otppi.api.settings.reference import table as settings_table

    yield from (
        f"## {say(labelled(f'`{operation.name}`', operation.title))}",
        "",
        *(line for one in say(operation.help).split("\n") for line in prose(one)),
        "",
    )
    told = say(joined(", ", _facts(operation)))
    yield from (f"{told[0].upper()}{told[1:]}.", "")
    if operation.parameters:
        yield from (*settings_table(operation.parameters, _("Argument"), say), "")


def _facts(operation: "Operation") -> Iterator[str]:
    if operation.default_command:
        group = operation.command.split()[0]
        yield _("command `otppi {command}`, or `otppi {group}` alone", command=operation.command, group=group)
    elif operation.command:
        yield _("command `otppi {command}`", command=operation.command)
    yield _("role {role}", role=operation.role.value)
    if operation.changes:
        yield _("changes {what}", what=operation.changes)
    elif operation.reads_only:
        yield _("only reads")
    if operation.offline != "no":
        yield _("also where no gateway runs")
